"""Under which addresses chargers reach this Levity's files, the best one first."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from levity import environment
from levity.addresses import local_addresses
from levity.files import conf
from levity.ocpp.models import ChargePoint
from levity_ws.frozen import frozen

__all__ = ["Base", "bases", "ftp_base", "own_name"]

USUAL_PORT = 8000


@frozen
class Base:
    """Where the path of a file begins: http://host:port."""

    url: str
    protocol: str
    """http, https or ftp."""
    why: str
    """Where the address is from, for people."""


def bases(
    charge_point: ChargePoint | None, called: str = "", *, secure: bool = False
) -> list[Base]:
    """The addresses for HTTP, never empty.

    `called`: host and port by which the browser of the person who asks found the pages.
    """
    found: dict[str, Base] = {}
    for url, why in _candidates(charge_point, called, secure=secure):
        scheme = url.partition("://")[0]
        found.setdefault(url, Base(url, scheme, why))
    return list(found.values())


def ftp_base(charge_point: ChargePoint | None, called: str = "") -> Base | None:
    """The address for FTP; None where it is switched off."""
    port = conf.ftp_port()
    if not port:
        return None
    if host := conf.ftp_host():
        return Base(f"ftp://{_bracketed(host)}:{port}", "ftp", "LEVITY_FTP_HOST")
    http = bases(charge_point, called)[0]
    name = urlsplit(http.url).hostname or "localhost"
    return Base(f"ftp://{_bracketed(name)}:{port}", "ftp", http.why)


def own_name() -> str:
    """The name or address in HOSTNAME; empty without one."""
    return environment.public_name(os.environ, socket.gethostname())


def _candidates(
    charge_point: ChargePoint | None, called: str, *, secure: bool
) -> Iterator[tuple[str, str]]:
    for url in conf.urls():
        yield url, "LEVITY_FILES_URL"
    own = getattr(settings, "LEVITY_HTTP_PORT", None)
    https = bool(secure or getattr(settings, "LEVITY_HTTPS", False))
    if name := own_name():
        port = "" if https or own is None else f":{own}"
        host = _bracketed(name)
        if https:
            yield f"https://{host}", "the name in HOSTNAME"
            # nginx has the files without TLS, too, for chargers that can't verify a certificate.
            yield f"http://{host}", "the name in HOSTNAME, without TLS"
        else:
            yield f"http://{host}{port}", "the name in HOSTNAME"
    is_here = own is not None or not called
    if is_here and charge_point is not None and (address := _towards(charge_point)):
        why = "this machine's address in the charger's network"
        yield f"http://{_bracketed(address)}:{own or _port()}", why
    if called and not _is_loopback(urlsplit(f"//{called}").hostname or ""):
        yield f"{'https' if https else 'http'}://{called}", "the address of this page"
    for address in local_addresses():
        yield f"http://{address}:{own or _port()}", "this machine's address in its network"
    yield f"http://{called or f'127.0.0.1:{own or _port()}'}", "this machine only"


def _port() -> int:
    return environment.number(os.environ, "HTTP_PORT", default=USUAL_PORT)


def _towards(charge_point: ChargePoint) -> str:
    """Our own address on the way to where the charger connected from; empty if unknown."""
    remote = charge_point.remote_address.partition("%")[0]
    try:
        address = ipaddress.ip_address(remote)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Connecting a datagram socket sends nothing; it only chooses the way out.
            probe.connect((remote, 9))
            return str(probe.getsockname()[0])
    except (OSError, ValueError):
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
