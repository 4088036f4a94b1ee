"""Where a charger must not be told to fetch from or upload to, because nobody should.

Levity itself never opens such a URL; but a charger inside somebody's network would.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from levity.ocpp.chargers.security.host_names import address_in, leads_inside

__all__ = ["bad_location"]

_SCHEMES = frozenset({"http", "https", "ftp", "ftps", "sftp"})


def bad_location(payload: Mapping[str, Any], where: Sequence[str], allowed: Iterable[str]) -> str:
    """Why the URL at this place in a payload must not be sent; empty if it may.

    `allowed`: names, addresses and networks inside, that somebody means to be used.
    """
    value: Any = payload
    for name in where:
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, str):
        return ""  # the schema says what is wrong with it
    if any(ord(sign) <= 32 or ord(sign) == 127 for sign in value) or "\\" in value:
        return "the URL has spaces or control characters in it"
    try:
        parts = urlsplit(value)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "this is not a URL"
    if parts.scheme.lower() not in _SCHEMES:
        return (
            f"the URL must begin with one of {', '.join(f'{each}://' for each in sorted(_SCHEMES))}"
        )
    if not host:
        return "the URL names no host"
    if _is_allowed(host, allowed) or not leads_inside(host):
        return ""
    return (
        f"{host[:80]} is {_what(host)}. If the charger is meant to use it, add it to "
        "OCPP_LOCATION_HOSTS (LEVITY_LOCATION_HOSTS)"
    )


def _is_allowed(host: str, allowed: Iterable[str]) -> bool:
    address = address_in(host)
    for entry in allowed:
        if host.lower() == entry.lower():
            return True
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            continue
        if address is not None and address.version == network.version and address in network:
            return True
    return False


def _what(host: str) -> str:
    address = address_in(host)
    if address is None or str(address) == host:
        return "a private network address"
    return f"a name for {address}, a private network address"
