"""OCPP-J frames: text in, values out, and back. No I/O (OCPP-J 1.6, chapter 4).

`parse` never raises: what is no frame comes back as `Malformed` with its reason, so that it can
be kept and, where a Call can be addressed, answered.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Any

import orjson

from levity.ocpp.wire.json_repair import repaired
from levity.ocpp.wire.scanning import frame_head, replaced
from levity_ws.frozen import frozen

__all__ = [
    "Call",
    "CallError",
    "CallResult",
    "ErrorCode",
    "Frame",
    "Malformed",
    "OcppError",
    "compact_json",
    "given_id",
    "parse",
    "storable",
    "write_call",
    "write_error",
    "write_result",
]

# OCPP-J 1.6, 4.1.4 says 36; Phihong sends more. What is longer than the log can keep is
# recognised by its beginning, and answered under all of it.
MAX_UNIQUE_ID = 64
LONGEST_ECHO = 1000
# OCPP 1.6 nests eight deep (SetChargingProfile). What is deeper than this breaks who reads on:
# orjson writes 254 levels, Python's own recursion ends at 1,000.
MAX_DEPTH = 100
# So many names that stand twice are named; a frame may have thousands.
NAMED = 5
CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4


class ErrorCode(StrEnum):
    """OCPP-J 1.6, table 7, in its own spelling ("Occurence")."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMATION_VIOLATION = "FormationViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    GENERIC_ERROR = "GenericError"


class OcppError(Exception):
    """Becomes a CALLERROR with this code and description (the pipeline does it, in one place).

    The description goes to the charger: say what is wrong with its message, nothing of ours.
    """

    def __init__(self, code: ErrorCode, description: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


@frozen
class Call:
    """A request: `[2, unique_id, action, payload]`. The payload is not checked yet."""

    unique_id: str
    action: str
    payload: Any
    repeated_keys: str = ""
    """Names that stand twice in one of its objects, where a library would keep one in silence."""
    repaired: str = ""
    """What was wrong with the JSON, where it could be read in one way only."""
    sent_id: str | float | None = None
    """The id as it came, where that is no text of 1 to 64 characters; None where it is."""

    @property
    def answer_to(self) -> str | float:
        """The id to answer to: as it came, or the charger does not find its Call."""
        return self.unique_id if self.sent_id is None else self.sent_id


@frozen
class CallResult:
    """The answer to a Call of ours: `[3, unique_id, payload]`."""

    unique_id: str
    payload: Any


@frozen
class CallError:
    """The refusal of a Call of ours: `[4, unique_id, code, description, details]`."""

    unique_id: str
    code: str
    description: str
    details: Any


@frozen
class Malformed:
    """Not a frame. `answer_to` is the unique id to answer with a CALLERROR, None for silence.

    `kind` is the message type it seems to be (2, 3, 4), 0 if that can't be told; `unique_id` is
    what can be read of its id, so that a Call of ours that is answered with half a frame fails
    at once instead of waiting for its time-out.
    """

    reason: str
    kind: int = 0
    unique_id: str = ""
    action: str = ""
    answer_to: str | float | None = None
    code: ErrorCode = ErrorCode.FORMATION_VIOLATION


Frame = Call | CallResult | CallError | Malformed

_HEX = frozenset("0123456789abcdefABCDEF")
_HIGH, _LOW = frozenset("89abAB"), frozenset("cdefCDEF")
_CONTROLS = dict.fromkeys((*range(0x20), 0x7F))


def parse(text: str) -> Frame:
    """What this text frame is.

    JSON is read strictly: NaN, Infinity and numbers beyond a double are no JSON here, nesting
    deeper than 100 is no frame. Two things that Postgres can't store are taken out first and
    replaced: lone surrogates by U+FFFD, NUL characters by nothing.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:
            document = orjson.loads(_without_lone_surrogates(text))
        except orjson.JSONDecodeError:
            reason = f"not JSON: {error.msg} (character {error.pos})"
            return _repaired(text) or _not_json(text, reason)
    return _frame(text, document)


def _repaired(text: str) -> Frame | None:
    """The frame in JSON that is none by a small mistake; None where its meaning is in doubt."""
    mended = repaired(_without_lone_surrogates(text))
    if mended is None:
        return None
    try:
        frame = _frame(mended[0], orjson.loads(mended[0]))
    except orjson.JSONDecodeError:
        return None
    return replace(frame, repaired=mended[1]) if isinstance(frame, Call) else frame


def _frame(text: str, document: Any) -> Frame:
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_too_deep(document):
        return _not_json(text, f"nested deeper than {MAX_DEPTH}")
    if "\\u0000" in text:
        document = _without_nul(document)
    if not isinstance(document, list):
        return Malformed("not a JSON array")
    if not document:
        return Malformed("an empty array")
    kind = document[0]
    if type(kind) is not int or kind not in (CALL, CALL_RESULT, CALL_ERROR):
        # OCPP-J 1.6, 4.1.3: a message of unknown type shall be ignored.
        return Malformed("unknown message type")
    unique_id = document[1] if len(document) > 1 else None
    sent_id = None
    if (
        type(unique_id) is not str
        or not 0 < len(unique_id) <= MAX_UNIQUE_ID
        or not (unique_id.isprintable() or unique_id == unique_id.translate(_CONTROLS))
    ):
        if kind != CALL or not _can_be_echoed(unique_id):
            return _bad_unique_id(kind, unique_id)
        unique_id, sent_id = str(unique_id).translate(_CONTROLS)[:MAX_UNIQUE_ID], unique_id
    if kind == CALL:
        return _call(document, unique_id, sent_id, _repeated_keys(text, document))
    if kind == CALL_RESULT:
        if len(document) != 3:
            return Malformed("a CALLRESULT has three elements", kind, unique_id)
        return CallResult(unique_id, document[2])
    if not 3 <= len(document) <= 5:
        return Malformed("a CALLERROR has five elements", kind, unique_id)
    description = str(document[3]) if len(document) > 3 else ""
    return CallError(unique_id, str(document[2]), description, document[4] if document[4:] else {})


def write_call(unique_id: str, action: str, payload: Any) -> str:
    """A Call as compact JSON."""
    return compact_json([CALL, unique_id, action, payload])


def write_result(unique_id: str | float, payload: Any) -> str:
    """A CALLRESULT as compact JSON."""
    return compact_json([CALL_RESULT, unique_id, payload])


def given_id(answer: str) -> int | None:
    """The transactionId that this CALLRESULT tells a charger; None if it tells none."""
    frame = parse(answer) if answer else None
    payload = frame.payload if isinstance(frame, CallResult) else None
    number = payload.get("transactionId") if isinstance(payload, dict) else None
    return number if isinstance(number, int) else None


def write_error(unique_id: str | float | None, code: str, description: str = "") -> str:
    """A CALLERROR as compact JSON; the description is cut to 255 characters (4.2.3)."""
    return compact_json([CALL_ERROR, unique_id, code, description[:255], {}])


def compact_json(value: Any) -> str:
    """JSON without white space: small chargers have small buffers."""
    return orjson.dumps(value).decode()


def storable(text: str) -> str:
    """The text without what Postgres can't store (a raw NUL; it is no JSON anyway)."""
    return text.replace("\x00", "\\u0000") if "\x00" in text else text


def _call(
    document: list[Any], unique_id: str, sent_id: str | float | None, repeated_keys: str
) -> Frame:
    answer_to = unique_id if sent_id is None else sent_id
    if len(document) != 4:
        action = document[2] if len(document) > 2 and isinstance(document[2], str) else ""
        return Malformed(
            "a Call has four elements", CALL, unique_id, action[:50], answer_to=answer_to
        )
    action = document[2]
    if type(action) is not str:
        return Malformed("the action is not a string", CALL, unique_id, answer_to=answer_to)
    return Call(unique_id, action, document[3], repeated_keys, sent_id=sent_id)


def _repeated_keys(text: str, document: list[Any]) -> str:
    """The names that stand twice in an object of this JSON text; empty if there are none.

    Every name has its colon, so text that is written anew from what was read has fewer of them
    where one was left out. Only then is it read again, slowly.
    """
    if text.count(":") <= orjson.dumps(document).count(b":") and "\\u003" not in text:
        return ""
    found: dict[str, None] = {}

    def note(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            kept = name.replace("\x00", "")
            if kept in seen and len(found) < NAMED:
                found[kept] = None
            seen.add(kept)

    # A number with more digits than Python likes is none of ours here.
    json.loads(
        _without_lone_surrogates(text), object_pairs_hook=note, parse_int=len, parse_float=len
    )
    return ", ".join(name[:1000].translate(_CONTROLS)[:50] or "an empty name" for name in found)


def _bad_unique_id(kind: int, unique_id: Any) -> Malformed:
    reason = f"the unique id is not a string of 1 to {MAX_UNIQUE_ID} characters"
    if kind != CALL:
        return Malformed(reason, kind)
    if type(unique_id) is str:
        readable = unique_id[:LONGEST_ECHO]
        return Malformed(reason, kind, readable.translate(_CONTROLS)[:MAX_UNIQUE_ID], "", readable)
    # OCPP 1.6 names no id for a Call whose own can't be read; OCPP-J 2.0.1, 4.2.3 says "-1".
    return Malformed(reason, kind, answer_to="-1")


def _can_be_echoed(unique_id: Any) -> bool:
    """True for an id that is none by the letter, but under which its Call can be answered."""
    if type(unique_id) is str:
        return len(unique_id) <= LONGEST_ECHO
    return type(unique_id) in (int, float)


def _not_json(text: str, reason: str) -> Malformed:
    head = frame_head(text, MAX_UNIQUE_ID)
    if head is None:
        return Malformed(reason)
    kind, unique_id, action = head
    if kind != CALL:
        return Malformed(reason, kind, unique_id)
    return Malformed(reason, kind, unique_id, action, answer_to=unique_id)


def _without_lone_surrogates(text: str) -> str:
    """The JSON text with U+FFFD for each half of a pair (`\\ud83d`) that lacks the other one."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return replaced(text, _lone_surrogates(text))


def _lone_surrogates(text: str) -> Iterator[tuple[int, int, str]]:
    place = 0
    while (found := text.find("\\u", place)) >= 0:
        before = text[place:found]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            place = found + 1  # of two backslashes the second: an `u` and no more
            continue
        kind = _surrogate(text, found)
        place = found + (6 if kind else 2)
        if kind == 1 and _surrogate(text, place) == 2:
            place += 6
        elif kind:
            yield found, place, "\\ufffd"


def _surrogate(text: str, place: int) -> int:
    """1: the first half of a pair is written here, 2: the second one, 0: neither."""
    escape = text[place : place + 6]
    if len(escape) < 6 or escape[:2] != "\\u" or escape[2] not in "dD":
        return 0
    if not _HEX.issuperset(escape[4:]):
        return 0
    return 1 if escape[3] in _HIGH else 2 if escape[3] in _LOW else 0


def _is_too_deep(document: Any) -> bool:
    # Only what can hold more: most of a large frame is texts.
    level = [document] if isinstance(document, list | dict) else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for value in level
            for item in (value.values() if type(value) is dict else value)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return False
    return True


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {key.replace("\x00", ""): _without_nul(item) for key, item in value.items()}
    return value
