"""Where chargers connect: the address as it is in the network, and where to enter it."""

import os
from functools import lru_cache

import segno
from django.http import HttpRequest
from django.utils.translation import gettext_noop

from levity.addresses import charger_addresses
from levity.installation import ws_port

__all__ = ["MAKES", "connect_to"]

MAKES = (
    ("Grizzl-E", gettext_noop("Web page or app of the charger, OCPP: the address without ws://.")),
    (
        "go-e",
        gettext_noop(
            "App, Internet, OCPP: switch it on, then the address with the name of the charger."
        ),
    ),
    (
        "Wallbox",
        gettext_noop("App or myWallbox, settings of the charger, OCPP: address and name apart."),
    ),
    (
        "Alfen",
        gettext_noop("ACE Service Installer, Connectivity, Backoffice: address without a name."),
    ),
    (
        "Mennekes, Bender",
        gettext_noop("Web page of the charger, Backend: OCPP-J 1.6, the address, the name as id."),
    ),
    (
        "ABB Terra AC",
        gettext_noop("TerraConfig app, OCPP server: an own server, then the address."),
    ),
    (
        "Autel",
        gettext_noop("Autel Config app, server: the address; the charger adds its serial number."),
    ),
    (
        "KEBA",
        gettext_noop("Web page of the charger, OCPP: host, port and path in fields of their own."),
    ),
)
"""(make, where the address goes); menus differ with the firmware."""


def connect_to(request: HttpRequest) -> list[dict[str, str]]:
    """Where chargers connect: each address, and its picture for a phone."""
    found = charger_addresses(
        request.get_host(),
        os.environ,
        port=ws_port(),
        secure=request.is_secure(),
        # Only a proxy that the site named gets that far with this header.
        same_port="HTTP_X_FORWARDED_FOR" in request.META,
    )
    return [
        {
            "scheme": address.scheme,
            "url": address.url,
            "bare": address.bare,
            "note": address.note,
            "picture": _picture(address.url),
        }
        for address in found
    ]


@lru_cache(maxsize=32)  # by the names of this machine, which a request may choose
def _picture(text: str) -> str:
    return segno.make(text, error="m").svg_data_uri(scale=4, light="#fff")
