"""What the edge refused by itself, collected for the backend's list of refused handshakes.

In a flood, each one costs a dictionary look-up: a limited number of different ones is kept until
the next report, the others are only counted; and reports are seconds apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from websockets.exceptions import SecurityError

from levity_ws.edge.refusal import Refusal
from levity_ws.edge.target import is_http, wrong_with_line
from levity_ws.rpc.envelope import EdgeRefusal

__all__ = [
    "DELAY",
    "LISTED",
    "PAUSE",
    "PROXY_LINES",
    "RefusalBook",
    "Visitor",
    "unreadable",
]

LISTED = 50
"""How many different ones fit into one report."""
DELAY = 0.25
"""Seconds from the first refusal to the report: a person may be waiting at the charger."""
_Key = tuple[str, str, str, str]
PAUSE = 5.0
"""Seconds between two reports at least."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """What is known of a refused request, or of bytes that are not a request."""

    remote: str
    charge_point: str = ""
    path: str = ""
    user_agent: str = ""
    subprotocols: tuple[str, ...] = ()
    secure: bool = False


class RefusalBook:
    """Counts refusals by identity, address, reason and path until they are reported.

    By path, too: behind one router, all chargers have one address.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._entries: dict[_Key, EdgeRefusal] = {}
        self._counts: dict[_Key, int] = {}
        self._unlisted = 0

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, visitor: Visitor, refusal: Refusal) -> None:
        """One more."""
        key = (visitor.charge_point, visitor.remote, refusal.label, visitor.path)
        known = self._entries.get(key)
        if known is None and len(self._entries) >= LISTED:
            self._unlisted += 1
            return
        now = self._wall()
        self._counts[key] = self._counts.get(key, 0) + 1
        self._entries[key] = EdgeRefusal(
            charge_point=visitor.charge_point,
            remote=visitor.remote,
            reason=refusal.label,
            status=refusal.status,
            detail=refusal.detail,
            path=visitor.path,
            user_agent=visitor.user_agent,
            subprotocols=visitor.subprotocols,
            secure=visitor.secure,
            first_at=known.first_at if known is not None else now,
            last_at=now,
        )

    def take(self) -> tuple[Sequence[EdgeRefusal], int]:
        """The refusals since the last call, and how many more; both are then reset."""
        taken = [replace(entry, count=self._counts[key]) for key, entry in self._entries.items()]
        unlisted = self._unlisted
        self._entries, self._counts, self._unlisted = {}, {}, 0
        return taken, unlisted


def unreadable(
    error: BaseException | None, *, spoke_tls: bool, head: bytes | None = b""
) -> Refusal | None:
    """Why no request could be read from a connection, by websockets' error.

    `head` is how it began; None if that was a proper request line. Returns None if nothing was sent
    at all, as by a port scanner or a health check.
    """
    if spoke_tls:
        return Refusal(0, "TLS", "tls on a plain port")
    if head is not None and head.startswith(PROXY_LINES):
        return Refusal(0, "PROXY protocol", "proxy protocol")
    if isinstance(error, SecurityError):
        return Refusal(431, str(error), "too long")
    cause = error.__cause__ if error is not None else None
    has_bare_lines = cause is not None and str(cause.__cause__) == "line without CRLF"
    if error is None or (isinstance(cause, EOFError) and not has_bare_lines):
        if head == b"":
            return None
        if _is_binary(head):
            return Refusal(0, "not HTTP", "not http", detail="it begins with no request line")
        return Refusal(0, "unfinished", "unfinished request")
    if head is not None and not is_http(head):
        return Refusal(0, "not HTTP", "not http", detail="it begins with no request line")
    why = (head and wrong_with_line(head)) or _wrong_with_headers(cause or error)
    if has_bare_lines:
        why = "its lines end with LF, not with CR LF"
    reason = (
        f"This request can't be read: {why}. Chargers connect with “GET /ws/<charge point id> "
        "HTTP/1.1” and websocket headers."
    )
    return Refusal(400, reason, "unreadable request", detail=why)


def _is_binary(head: bytes | None) -> bool:
    """True for Modbus, MQTT, remote desktops and the like, which don't end lines."""
    return head is not None and any(
        (byte < 0x20 and byte not in b"\r\n\t") or byte > 0x7F for byte in head[:64]
    )


def _wrong_with_headers(cause: BaseException) -> str:
    if isinstance(cause, NotImplementedError):
        return "it has a Transfer-Encoding"
    # Only the kind of error: a header that contains a key may follow the colon.
    said = str(cause).partition(":")[0]
    return _KINDS.get(said, f"it is not HTTP/1.1 ({said[:60]})")


PROXY_LINES = (b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n")
"""How the PROXY protocol of load balancers begins, of versions 1 and 2."""

_KINDS = {
    "invalid HTTP header line": "a header line has no colon",
    "invalid HTTP header name": "a header name contains an invalid character",
    "invalid HTTP header value": "a header value contains a control character",
    "unsupported request body": "it has a body",
}
