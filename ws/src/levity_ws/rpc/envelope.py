"""What travels between the edge and the backend: versioned JSON, described in docs/envelope.md.

The edge sends a `Batch` of events, the backend answers with a `Reply` of commands. A reply that
names a batch says: everything in that batch is committed. A reply without a batch carries what
the backend wants to say on its own account (an operator's Call, a close).

Times are POSIX seconds (float, UTC, the edge's clock). `connection` is a UUID in its usual text
form, new for every websocket. `seq` counts the events of one connection from 0 without gaps, so
that `(connection, seq)` names an event for ever: a redelivered event is recognised by it.
"""

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any, ClassVar

import orjson
from websockets.frames import CloseCode

from levity_ws.frozen import frozen

__all__ = [
    "VERSION",
    "Accept",
    "Alive",
    "Authenticate",
    "Batch",
    "Close",
    "Command",
    "Connected",
    "Disconnected",
    "EdgeRefusal",
    "EnvelopeError",
    "Event",
    "Lease",
    "Leased",
    "Received",
    "Refuse",
    "Refused",
    "Reply",
    "Send",
    "Spooled",
    "decode_batch",
    "decode_reply",
    "encode_batch",
    "encode_reply",
]

VERSION = 1


class EnvelopeError(ValueError):
    """The bytes are not an envelope of a version that this process speaks.

    Never the charger's fault: two releases disagree, or something foreign wrote to the queue.
    The receiver puts it aside (dead-letter queue) and says so; it never guesses.
    """


@frozen
class Authenticate:
    """A charger asks to connect; its HTTP upgrade waits for `Accept` or `Refuse`."""

    type: ClassVar[str] = "authenticate"
    charge_point: str
    connection: str
    seq: int
    at: float
    remote: str = ""
    """The peer's address, as the edge believes it (its own socket, or a trusted proxy's word)."""
    path: str = ""
    """The request path as it came, not decoded; without the query."""
    subprotocols: tuple[str, ...] = ()
    """What Sec-WebSocket-Protocol offered, in order; empty if there was no such header."""
    user_agent: str = ""
    authorization: str = ""
    """The Authorization header as it came. A secret: never logged, never stored."""
    secure: bool = False
    """True where the charger came over TLS."""
    certificate_verified: str = ""
    """What a trusted proxy says of the client certificate: `SUCCESS`, `NONE`, `FAILED:` and why."""
    certificate: str = ""
    """The client certificate as percent-encoded PEM, from a trusted proxy."""


@frozen
class Connected:
    """The websocket is open. The first event after `Authenticate` on this connection."""

    type: ClassVar[str] = "connected"
    charge_point: str
    connection: str
    seq: int
    at: float
    remote: str = ""
    subprotocol: str = ""
    """What was agreed upon in the handshake; empty for a charger that named none (OCPP 1.6)."""
    user_agent: str = ""


@frozen
class Received:
    """One text frame from the charger, raw."""

    type: ClassVar[str] = "received"
    charge_point: str
    connection: str
    seq: int
    at: float
    text: str = ""
    subprotocol: str = ""
    """As in the `Accept` of its connection: which version of OCPP the frame is in. Empty: 1.6."""


@frozen
class Spooled(Received):
    """A frame that the edge has answered by itself, because the backend was away.

    The backend takes it as it would have then, and sends the charger nothing. Its connection may
    be gone, or in use: it says nothing of who is connected now.
    """

    type: ClassVar[str] = "spooled"
    answer: str = ""
    """The frame that the charger got; empty if it waits for none."""
    transaction: int = 0
    """The leased transactionId in that answer; 0 for none."""


@frozen
class Lease:
    """The edge asks for `count` transaction ids of its own; answered with `Leased`.

    `charge_point` and `connection` are empty.
    """

    type: ClassVar[str] = "lease"
    charge_point: str
    connection: str
    seq: int
    at: float
    count: int = 0


@frozen
class Disconnected:
    """The websocket is gone; the last event of its connection.

    `code` is the close code of RFC 6455 7.4.1 (1006: no close frame); `reason` is for people.
    """

    type: ClassVar[str] = "disconnected"
    charge_point: str
    connection: str
    seq: int
    at: float
    code: int = CloseCode.ABNORMAL_CLOSURE
    reason: str = ""


@frozen
class Alive:
    """The edge itself is alive: sent every few seconds, answered like any other event.

    The answer proves that the way there and back works, worker included. `charge_point` and
    `connection` are empty; `connections` is the number of open websockets.
    """

    type: ClassVar[str] = "alive"
    charge_point: str
    connection: str
    seq: int
    at: float
    connections: int = 0


@frozen
class EdgeRefusal:
    """Handshakes that the edge itself refused, all for one reason and from one address."""

    charge_point: str = ""
    """As in the URL; empty where there was none to be read."""
    remote: str = ""
    reason: str = ""
    """A word, such as `path`."""
    status: int = 0
    """The HTTP status; 0 where it was no HTTP."""
    detail: str = ""
    path: str = ""
    user_agent: str = ""
    subprotocols: tuple[str, ...] = ()
    secure: bool = False
    count: int = 1
    first_at: float = 0.0
    last_at: float = 0.0


@frozen
class Refused:
    """What the edge refused by itself since it said so last; nobody waits for an answer.

    `charge_point` and `connection` are empty. `unlisted` is how many more there were: a flood is
    counted, not listed.
    """

    type: ClassVar[str] = "refused"
    charge_point: str
    connection: str
    seq: int
    at: float
    refusals: tuple[EdgeRefusal, ...] = ()
    unlisted: int = 0


Event = Authenticate | Connected | Received | Spooled | Disconnected | Alive | Refused | Lease


@frozen
class Batch:
    """The events that arrived while the edge's last batches were under way.

    `attempt` is 0 the first time and counts up when the edge publishes the same batch again
    because it cannot know whether the first one arrived.
    """

    edge: str
    batch: str
    events: tuple[Event, ...]
    attempt: int = 0


@frozen
class Send:
    """Write this text frame to this connection."""

    type: ClassVar[str] = "send"
    connection: str
    text: str = ""


@frozen
class Close:
    """Close this connection. Unknown connections are ignored: they are closed already."""

    type: ClassVar[str] = "close"
    connection: str
    code: int = CloseCode.NORMAL_CLOSURE
    reason: str = ""


@frozen
class Accept:
    """Finish the handshake, and treat this charger as these settings say (quirks are data).

    `frame_gap`: seconds between two frames to this charger. `ping_interval`: seconds between
    websocket pings, 0 is off. `max_size`: bytes of the largest frame, 0 is the edge's own limit.
    `close`: "frame" says goodbye with a close frame, "abort" drops the TCP connection.
    `subprotocol`: what to answer in Sec-WebSocket-Protocol, "" leaves the header out.
    """

    type: ClassVar[str] = "accept"
    connection: str
    subprotocol: str = ""
    frame_gap: float = 0.0
    ping_interval: float = 0.0
    ping_timeout: float = 20.0
    max_size: int = 0
    close: str = "frame"


@frozen
class Refuse:
    """Answer the handshake with this HTTP status (400, 401, 403, 404, 429, 503) and reason."""

    type: ClassVar[str] = "refuse"
    connection: str
    status: int = 403
    reason: str = ""
    retry_after: float = 0.0


@frozen
class Leased:
    """Transaction ids that are the edge's from now on: no one else gives them, ever."""

    type: ClassVar[str] = "leased"
    connection: str = ""
    ids: tuple[int, ...] = ()


Command = Send | Close | Accept | Refuse | Leased


@frozen
class Reply:
    """Commands for one edge. With `batch`: all of that batch is committed."""

    commands: tuple[Command, ...] = field(default=())
    batch: str | None = None


_EVENTS: Mapping[str, type[Event]] = {
    kind.type: kind
    for kind in (
        *(Authenticate, Connected, Received, Spooled),
        *(Disconnected, Alive, Refused, Lease),
    )
}
_COMMANDS: Mapping[str, type[Command]] = {
    kind.type: kind for kind in (Send, Close, Accept, Refuse, Leased)
}
_FIELDS: Mapping[type, tuple[str, ...]] = {
    kind: tuple(item.name for item in fields(kind))
    for kind in (*_EVENTS.values(), *_COMMANDS.values())
}


def encode_batch(batch: Batch) -> bytes:
    """The batch as JSON bytes."""
    return orjson.dumps(
        {
            "v": VERSION,
            "edge": batch.edge,
            "batch": batch.batch,
            "attempt": batch.attempt,
            "events": [_to_dict(event) for event in batch.events],
        }
    )


def decode_batch(body: bytes) -> Batch:
    """The batch in these bytes; raises `EnvelopeError` where there is none."""
    document = _document(body)
    try:
        return Batch(
            edge=document["edge"],
            batch=document["batch"],
            attempt=document.get("attempt", 0),
            events=tuple(_from_dict(_EVENTS, item) for item in document["events"]),
        )
    except (KeyError, TypeError) as error:
        raise EnvelopeError(f"not a batch: {error!r}") from error


def encode_reply(reply: Reply) -> bytes:
    """The reply as JSON bytes."""
    document: dict[str, Any] = {
        "v": VERSION,
        "commands": [_to_dict(command) for command in reply.commands],
    }
    if reply.batch is not None:
        document["batch"] = reply.batch
    return orjson.dumps(document)


def decode_reply(body: bytes) -> Reply:
    """The reply in these bytes; raises `EnvelopeError` where there is none."""
    document = _document(body)
    try:
        return Reply(
            batch=document.get("batch"),
            commands=tuple(_from_dict(_COMMANDS, item) for item in document["commands"]),
        )
    except (KeyError, TypeError) as error:
        raise EnvelopeError(f"not a reply: {error!r}") from error


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise EnvelopeError(f"not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("v") != VERSION:
        raise EnvelopeError(f"not an envelope of version {VERSION}")
    return document


def _to_dict(item: Any) -> dict[str, Any]:
    document = {name: getattr(item, name) for name in _FIELDS[type(item)]}
    document["type"] = item.type
    return document


def _from_dict(kinds: Mapping[str, type[Any]], document: dict[str, Any]) -> Any:
    try:
        kind = kinds[document.pop("type")]
        if "subprotocols" in document:
            document["subprotocols"] = tuple(document["subprotocols"])
        if "ids" in document:
            document["ids"] = tuple(document["ids"])
        if "refusals" in document:
            document["refusals"] = tuple(_refusal(item) for item in document["refusals"])
        return kind(**document)
    except (KeyError, TypeError, AttributeError) as error:
        raise EnvelopeError(f"not an event or command of this version: {error!r}") from error


def _refusal(document: dict[str, Any]) -> EdgeRefusal:
    document["subprotocols"] = tuple(document.get("subprotocols", ()))
    return EdgeRefusal(**document)
