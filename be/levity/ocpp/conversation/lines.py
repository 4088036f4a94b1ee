"""One line of a conversation: a frame that passed the wire, or a connection that came or went."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from levity.ocpp.wire.frames import MAX_UNIQUE_ID
from levity.ocpp.wire.scanning import frame_head, without_strings
from levity_ws.frozen import frozen

__all__ = [
    "CENTRAL_SYSTEM",
    "CHARGE_POINT",
    "EVENTS",
    "BadConversationError",
    "Line",
    "head_of",
    "read_lines",
    "written",
]

CHARGE_POINT, CENTRAL_SYSTEM = "charge_point", "central_system"
EVENTS = ("connected", "disconnected", "refused", "silent")
# White space that no JSON writer puts there by itself: such a frame is kept letter by letter.
_ODD_SPACE = ("\t", "\r", "\n", "  ", " ,", " :", " ]", " }", "[ ", "{ ")


class BadConversationError(ValueError):
    """The file is no conversation; the text names the line and says what is wrong with it."""


@frozen
class Line:
    """A frame (`sender` and `text`) or an `event` of connection number `connection`."""

    at: datetime
    connection: int = 1
    sender: str = ""
    """`charge_point` or `central_system`; empty for an event."""
    text: str = ""
    """The frame as it went over the wire."""
    event: str = ""
    """`connected`, `disconnected`, `refused` or `silent`; empty for a frame."""
    identity: str = ""
    """`connected`, `refused`: as the charger's URL said."""
    subprotocol: str = ""
    """`connected`: the one that was agreed on; `refused`: those that were offered."""
    user_agent: str = ""
    origin: str = ""
    """`connected`: the Origin that a charger's library names; replayed, and not in an export."""
    code: int | None = None
    """`disconnected`: RFC 6455 close code; `refused`: HTTP status."""
    reason: str = ""
    number: int = 0
    """Where it stands in its file, from 1."""


def head_of(text: str) -> tuple[int, str, str]:
    """(message type, unique id, action) of a frame, as far as they can be read: (0, "", "")."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return frame_head(text, MAX_UNIQUE_ID) or (0, "", "")
    if not isinstance(frame, list) or type(frame[0] if frame else None) is not int:
        return 0, "", ""
    unique_id = frame[1] if len(frame) > 1 and isinstance(frame[1], str) else ""
    action = frame[2] if frame[0] == 2 and len(frame) > 2 and isinstance(frame[2], str) else ""
    return frame[0], unique_id, action


def written(line: Line) -> str:
    """The line as JSON, without the end of the line."""
    document: dict[str, Any] = {"at": _wire(line.at), "connection": line.connection}
    if line.event:
        document["event"] = line.event
        for name, value in (
            ("charge_point", line.identity),
            ("subprotocol", line.subprotocol),
            ("user_agent", line.user_agent),
            ("origin", line.origin),
            ("code", line.code),
            ("reason", line.reason),
        ):
            if value not in ("", None):
                document[name] = value
        return json.dumps(document)
    document["from"] = line.sender
    frame = _frame(line.text)
    if frame is None:
        document["text"] = line.text
    else:
        document["frame"] = frame
    return json.dumps(document)


def read_lines(source: Iterable[str]) -> Iterator[Line]:
    """The lines of a conversation; empty ones are passed over. Raises `BadConversationError`."""
    for number, text in enumerate(source, 1):
        if text.strip():
            try:
                document = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise BadConversationError(f"line {number}: not JSON: {error}") from None
            yield _line(document, number)


def _line(document: Any, number: int) -> Line:
    def bad(what: str) -> BadConversationError:
        return BadConversationError(f"line {number}: {what}")

    if not isinstance(document, dict):
        raise bad("not a JSON object")
    at = _time(document.get("at"))
    if at is None:
        raise bad('"at" is not a time with its zone, such as 2026-01-31T12:00:00Z')
    connection = document.get("connection", 1)
    if type(connection) is not int or connection < 1:
        raise bad('"connection" is not a number from 1')
    kinds = [name for name in ("frame", "text", "event") if name in document]
    if len(kinds) != 1:
        raise bad('there must be one of "frame", "text" and "event"')
    if kinds == ["event"]:
        return _event(document, Line(at, connection, number=number), bad)
    if document.get("from") not in (CHARGE_POINT, CENTRAL_SYSTEM):
        raise bad(f'"from" is neither "{CHARGE_POINT}" nor "{CENTRAL_SYSTEM}"')
    text = document.get("text")
    if kinds == ["frame"]:
        if not isinstance(document["frame"], list):
            raise bad('"frame" is not a JSON array; what is none stands in "text"')
        text = _compact(document["frame"])
    if not isinstance(text, str):
        raise bad('"text" is not a string')
    return Line(at, connection, document["from"], text, number=number)


def _event(document: dict[str, Any], line: Line, bad: Any) -> Line:
    if document["event"] not in EVENTS:
        raise bad(f'"event" is none of {", ".join(EVENTS)}')
    names = ("charge_point", "subprotocol", "user_agent", "origin", "reason")
    texts = [document.get(name, "") for name in names]
    if not all(isinstance(value, str) for value in texts):
        raise bad(f"one of {', '.join(names)} is not a string")
    code = document.get("code")
    if code is not None and type(code) is not int:
        raise bad('"code" is not a number')
    identity, subprotocol, user_agent, origin, reason = texts
    return Line(
        line.at,
        line.connection,
        event=document["event"],
        identity=identity,
        subprotocol=subprotocol,
        user_agent=user_agent,
        origin=origin,
        code=code,
        reason=reason,
        number=line.number,
    )


def _frame(text: str) -> list[Any] | None:
    """The frame as JSON, where writing it again says the same; else None."""
    bare = without_strings(text)
    if bare != bare.strip() or any(space in bare for space in _ODD_SPACE):
        return None
    try:
        frame = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None
    if not isinstance(frame, list):
        return None
    # 1.50 and 1E3 would come back as 1.5 and 1000.0.
    return frame if _bare(_compact(frame)) == _bare(text) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)


def _bare(text: str) -> str:
    return "".join(without_strings(text).split())


def _compact(frame: Any) -> str:
    text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate is legal in JSON and in no encoding
        return json.dumps(frame, separators=(",", ":"))
    return text


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo else None


def _wire(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
