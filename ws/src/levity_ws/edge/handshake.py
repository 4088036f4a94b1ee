"""What a charger's HTTP request says, and whether the edge lets it through: pure functions.

Nothing here reads a socket or asks the backend. A request is either a `Handshake`, ready to be
authenticated, or a `Refusal` with the status and the reason for whoever reads it at the charger.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

__all__ = [
    "Handshake",
    "Network",
    "Refusal",
    "came_over_tls",
    "client_address",
    "identity_in_path",
    "is_private",
    "is_trusted_proxy",
    "offered_subprotocols",
    "only",
    "parse_handshake",
    "printable",
]

# OCPP-J 1.6, 3.1.1: the identity is the last segment of the URL, percent-encoded where needed.
# 48 characters is the length of an identity in OCPP 2.x; the signs are those met in the field.
_IDENTITY = re.compile(rb"[A-Za-z0-9 _.\-@+=:|]{1,48}")
_PATH = re.compile(r"/+ws(?:/+(?P<identity>[^/]*)/*)?")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Handshake:
    """A request that may be asked about: who says he is there, and what he offers."""

    charge_point: str
    path: str
    subprotocols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer with this HTTP status; `reason` is plain text for a person, and tells no secret.

    `label` is the same reason in one word or two, for counters; `detail` is for the operator only.
    """

    status: int
    reason: str
    label: str
    retry_after: int = 0
    detail: str = ""


def parse_handshake(
    path: str,
    *,
    origin: str | None = None,
    subprotocol_headers: Sequence[str] = (),
    allowed_origins: frozenset[str] = frozenset(),
) -> Handshake | Refusal:
    """What this request line and these headers amount to.

    Which subprotocol is spoken, if any, is the backend's to say: then every refusal for that
    reason stands in its list, too.
    """
    identity = identity_in_path(path)
    if isinstance(identity, Refusal):
        return identity
    if origin is not None and origin not in allowed_origins:
        # Browsers send Origin, chargers do not: a web page must not speak for a charger.
        return Refusal(403, "Connections from web pages are not allowed.", "origin")
    offered = offered_subprotocols(subprotocol_headers)
    return Handshake(charge_point=identity, path=path.partition("?")[0], subprotocols=offered)


def identity_in_path(path: str) -> str | Refusal:
    """The charge point's identity in `/ws/{identity}`; the query says nothing.

    Doubled slashes and a slash at the end are what chargers make of a half-configured URL, and
    are forgiven. Percent-encoding is decoded exactly once, and what it yields is checked then.
    """
    match = _PATH.fullmatch(path.partition("?")[0])
    if match is None:
        return Refusal(404, "Connect to ws://<this host>/ws/<charge point id>.", "path")
    encoded = match["identity"]
    if not encoded:
        return Refusal(
            404,
            "The charge point id is missing: connect to /ws/<charge point id>.",
            "no identity",
        )
    try:
        raw = unquote_to_bytes(encoded.encode("ascii"))
    except UnicodeEncodeError:
        raw = b""
    if not _IDENTITY.fullmatch(raw) or raw != raw.strip(b" "):
        return Refusal(
            404,
            "This is not a charge point id: 1 to 48 letters, digits, spaces inside, "
            "or any of _ . - @ + = : |",
            "identity",
        )
    return raw.decode("ascii")


def offered_subprotocols(headers: Iterable[str]) -> tuple[str, ...]:
    """What all Sec-WebSocket-Protocol headers offer, in order."""
    names = (name.strip() for header in headers for name in header.split(","))
    return tuple(name for name in names if name)


def client_address(peer: str, forwarded_for: Iterable[str], trusted: Sequence[Network]) -> str:
    """Whom to hold responsible: the peer, or whom a trusted proxy names.

    Only what a trusted proxy appended counts, so the list is read from the right: the first
    address that is not a trusted proxy's is the client. Anything left of it is hearsay.
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
    """True if what this peer's headers say of the charger behind it may be believed."""
    return _within(peer, trusted)


def came_over_tls(forwarded_proto: Sequence[str]) -> bool:
    """What a trusted proxy's X-Forwarded-Proto says: its own word is the last one."""
    said = forwarded_proto[-1].rpartition(",")[2] if forwarded_proto else ""
    return said.strip().lower() in ("https", "wss")


def only(values: Sequence[str]) -> str:
    """The value of a header that a proxy sets once; a second one is not the proxy's."""
    return values[0] if len(values) == 1 else ""


def is_private(address: str) -> bool:
    """True for loopback, private and link-local addresses."""
    try:
        parsed = _parsed(address)
    except ValueError:
        return False
    return parsed.is_loopback or parsed.is_private or parsed.is_link_local


def printable(header: str, limit: int = 256) -> str:
    """A header as text that JSON and logs can take: no lone surrogates, not endless."""
    return header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:limit]


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
