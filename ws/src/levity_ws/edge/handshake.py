"""What a charger's HTTP request says, and whether the edge lets it through: pure functions.

Nothing here reads a socket or asks the backend. A request is either a `Handshake`, ready to be
authenticated, or a `Refusal` with the status and the reason for the person at the charger.
"""

import base64
import binascii
import contextlib
import ipaddress
from asyncio import BaseTransport
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from websockets.datastructures import Headers
from websockets.http11 import Request

from levity_ws.edge.refusal import Refusal, printable
from levity_ws.edge.target import identity_in_path

__all__ = [
    "Handshake",
    "Network",
    "came_over_tls",
    "client_address",
    "is_private",
    "is_secure",
    "is_trusted_proxy",
    "mend",
    "no_websocket",
    "offered_subprotocols",
    "only",
    "parse_handshake",
    "user_agent",
]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# RFC 9110, 5.6.2
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_VERSION = "13"  # RFC 6455, 4.1


@dataclass(frozen=True, slots=True)
class Handshake:
    """A request to ask the backend about: which charge point it names, and what it offers."""

    charge_point: str
    path: str
    subprotocols: tuple[str, ...]


def parse_handshake(
    request: Request, allowed_origins: frozenset[str] = frozenset()
) -> Handshake | Refusal:
    """What this request line and these headers mean.

    The backend chooses the subprotocol, so that every refusal for that reason is in its list, too.
    """
    identity = identity_in_path(request.path)
    if isinstance(identity, Refusal):
        return identity
    headers = request.headers
    origin = next(iter(headers.get_all("Origin")), None)
    if (
        origin is not None
        and origin not in allowed_origins
        and (mark := _mark_of_a_browser(headers))
    ):
        # An Origin alone means nothing: the websocket library of Grizzl-E sends one, as do others.
        # Together with the signs of a browser, it means that a web page poses as a charger.
        return Refusal(
            403,
            f"This sent by a web page ({printable(origin, 100)}, {mark}): only chargers may "
            "connect here. To allow the page, add it to LEVITY_ALLOWED_ORIGINS.",
            "origin",
            detail=f"Origin {printable(origin, 100)}, {mark}",
        )
    return Handshake(
        charge_point=identity,
        path=request.path.partition("?")[0],
        subprotocols=offered_subprotocols(headers.get_all("Sec-WebSocket-Protocol")),
    )


def _mark_of_a_browser(headers: Headers) -> str:
    for name in headers:
        if name.lower().startswith("sec-fetch-"):
            return name
    if headers.get_all("Cookie"):
        return "Cookie"
    agents = headers.get_all("User-Agent")
    return "User-Agent of a browser" if any("Mozilla/" in agent for agent in agents) else ""


def mend(request: Request) -> None:
    """Add what chargers and proxies leave out of a handshake whose meaning is clear.

    Autel (MaxiCharger 1.38) sends no Connection header; proxies speak HTTP/1.0 to us, or write
    `keep-alive` there. The Upgrade header and the key show what is meant.
    """
    headers = request.headers
    upgrades = [
        part.strip().lower() for value in headers.get_all("Upgrade") for part in value.split(",")
    ]
    if "websocket" not in upgrades or not headers.get_all("Sec-WebSocket-Key"):
        return
    request.protocol = "HTTP/1.1"
    versions = headers.get_all("Sec-WebSocket-Version")
    if not versions or any(
        part.strip() == _VERSION for value in versions for part in value.split(",")
    ):
        _set(headers, "Sec-WebSocket-Version", _VERSION)
    _set(headers, "Upgrade", "websocket")
    _set(headers, "Connection", "Upgrade")
    # `parse_handshake` has checked it; websockets refuses two without a helpful message.
    _set(headers, "Origin", "")
    # `parse_handshake` reads it and we answer it; websockets only has to be able to parse it.
    offered = offered_subprotocols(headers.get_all("Sec-WebSocket-Protocol"))
    _set(headers, "Sec-WebSocket-Protocol", ", ".join(name for name in offered if _is_token(name)))


def _set(headers: Headers, name: str, value: str) -> None:
    with contextlib.suppress(KeyError):
        del headers[name]
    if value:
        headers[name] = value


def _is_token(name: str) -> bool:
    return bool(name) and all(sign in _TOKEN for sign in name)


def no_websocket(request: Request) -> Refusal | None:
    """Why this completed request is not a websocket handshake (RFC 6455, 4.2.1); None if it is."""
    headers = request.headers
    keys = headers.get_all("Sec-WebSocket-Key")
    versions = ", ".join(headers.get_all("Sec-WebSocket-Version"))
    if request.method != "GET":
        return _no_websocket(405, f"the method is {printable(request.method, 20)}, not GET", "")
    if headers.get_all("Upgrade") != ["websocket"]:
        said = ", ".join(headers.get_all("Upgrade"))
        what = f"“Upgrade: {printable(said, 60)}”" if said else "no Upgrade header"
        if keys:
            cure = "A proxy in between removes it (nginx: proxy_set_header Upgrade $http_upgrade)."
        else:
            cure = "This is not a page for browsers: chargers connect here with ws://."
        return _no_websocket(426, f"it has {what}", cure)
    if not keys:
        return _no_websocket(400, "it has no Sec-WebSocket-Key", "")
    if len(keys) > 1 or not _is_key(keys[0]):
        return _no_websocket(400, "its Sec-WebSocket-Key is not 16 bytes in base64", "")
    if versions != _VERSION:
        what = f"“Sec-WebSocket-Version: {printable(versions, 40)}”, and {_VERSION} is spoken here"
        return _no_websocket(400, f"it has {what}", "")
    return None


def _no_websocket(status: int, why: str, cure: str) -> Refusal:
    reason = f"Not a websocket handshake: {why}. {cure}".rstrip()
    return Refusal(status, reason, "not a websocket handshake", detail=why)


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key.encode(), validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def offered_subprotocols(headers: Iterable[str]) -> tuple[str, ...]:
    """The offers of all Sec-WebSocket-Protocol headers, in order."""
    names = (name.strip() for header in headers for name in header.split(","))
    return tuple(name for name in names if name)


def client_address(peer: str, forwarded_for: Iterable[str], trusted: Sequence[Network]) -> str:
    """The client's address: the peer, or the one that a trusted proxy names.

    Only what a trusted proxy appended counts, so the list is read from the right: the first address
    that is not a trusted proxy's is the client. Anything to the left of it can be forged.
    """
    address = peer
    hops = [hop.strip() for header in forwarded_for for hop in header.split(",")]
    while hops and _within(address, trusted):
        candidate = _bare_address(hops.pop())
        if candidate is None:
            break
        address = candidate
    return address


def is_trusted_proxy(peer: str, trusted: Sequence[Network]) -> bool:
    """True if this peer's headers about the charger behind it may be believed."""
    return _within(peer, trusted)


def came_over_tls(forwarded_proto: Sequence[str]) -> bool:
    """The protocol in a trusted proxy's X-Forwarded-Proto: the proxy's own value is the last."""
    said = forwarded_proto[-1].rpartition(",")[2] if forwarded_proto else ""
    return said.strip().lower() in ("https", "wss")


def only(values: Sequence[str]) -> str:
    """The value of a header that a proxy sets once; if there are two, one is not the proxy's."""
    return values[0] if len(values) == 1 else ""


def is_private(address: str) -> bool:
    """True for loopback, private and link-local addresses."""
    try:
        parsed = _parsed(address)
    except ValueError:
        return False
    return parsed.is_loopback or parsed.is_private or parsed.is_link_local


def _within(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = _parsed(address)
    except ValueError:
        return False
    return any(parsed.version == network.version and parsed in network for network in networks)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    parsed = ipaddress.ip_address(address)
    # A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1.
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _bare_address(hop: str) -> str | None:
    """The address in an X-Forwarded-For entry, which may carry a port or brackets."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(_parsed(hop))
    except ValueError:
        return None


def is_secure(transport: BaseTransport, request: Request, *, from_proxy: bool) -> bool:
    """True if the charger connected over TLS, to us or to a proxy that we trust."""
    if transport.get_extra_info("ssl_object") is not None:
        return True
    return from_proxy and came_over_tls(request.headers.get_all("X-Forwarded-Proto"))


def user_agent(request: Request) -> str:
    """The charger's User-Agent; empty without one."""
    values = request.headers.get_all("User-Agent")
    return printable(values[0]) if values else ""
