"""A captured handshake, sent letter by letter but for the path before its identity."""

from tests.field.captured import Capture
from tests.field.over_sockets import OverSockets

__all__ = ["request_to", "shake"]


def request_to(capture: Capture, prefix: str = "/ws") -> str:
    """The captured request; its target is what this server listens to.

    The slashes before the identity, the absolute form of the target and every header stay.
    """
    head, _, rest = capture.handshake.partition("\r\n")
    verb, target, version = head.split(" ")
    scheme, separator, path = target.rpartition("://")
    host, _, identity = path.partition("/") if separator else ("", "", path)
    slashes = len(identity) - len(identity.lstrip("/"))
    identity = identity.lstrip("/") or f"EMPTY-{capture.name}"
    between = "/" * max(slashes, 1)
    before = f"{scheme}{separator}{host}" if separator else ""
    return f"{verb} {before}{prefix}{between}{identity} {version}\r\n{rest}"


def shake(ground: OverSockets, capture: Capture) -> None:
    """It is let in, agrees on what was offered, and its first Call is answered."""
    request = request_to(capture)
    with ground.handshake("", [], raw=request.encode("latin-1")) as shaken:
        assert shaken.status == 101, f"{shaken.status} {shaken.said}"
        offers = "sec-websocket-protocol" in capture.handshake.lower()
        assert ("sec-websocket-protocol" in shaken.head.lower()) is offers
        answer = shaken.call([2, "1", "Heartbeat", {}])
        assert answer[0] == 3, answer
