"""Many exchanges of one charge point as two pieces of bytes, and back. No Django, no database.

A block has two parts, so that whoever looks for an action or a message id reads a tenth of it:

- *facts*: everything but the frames, column by column as JSON, compressed; behind it message ids
  that are UUIDs, 16 bytes each, which nothing makes smaller.
- *frames*: all requests, then all responses, one after the other, compressed. The message id is cut
  out of each, for the facts have it.

What comes out is what went in, character by character: broken JSON, control characters and lone
surrogates included. Times are exact to the microsecond.
"""

import json
import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any

import orjson

from levity_ws.frozen import frozen

__all__ = [
    "DamagedBlock",
    "Exchange",
    "Facts",
    "Packed",
    "facts_of",
    "microseconds",
    "pack",
    "text_of",
    "unpack",
]

VERSION = 1
LEVEL = 6
"""Of zlib. 9 saves a hundredth and takes twice as long."""
_HEAD = struct.Struct(">BI")
# No text out of a database holds a NUL (`wire.frames.storable`). One that does all the same is
# kept as it is behind two of them.
_CUT, _WHOLE = "\x00", "\x00\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Of these, a block has as many values as exchanges; of the others each value once.
_EVERY_ROW = ("id", "seq", "uid", "at", "after", "asked", "said")


class DamagedBlock(ValueError):
    """These bytes are no block, or not a whole one."""


@frozen
class Exchange:
    """One exchange: a frame and what it was answered with. The fields are those of `Message`."""

    id: int
    connection: str
    """A UUID with dashes."""
    seq: int | None
    sender: str
    unique_id: str
    action: str
    transaction: int | None
    request: str
    response: str
    error_code: str
    error_description: str
    received_at: datetime
    answered_at: datetime | None
    charge_point_id: int = 0
    """Not in the bytes: a block belongs to one."""


@frozen
class Packed:
    """A block as it is stored."""

    facts: bytes
    frames: bytes


class Facts:
    """All of a block but its frames, column by column; row `n` is the n-th of each.

    Each column is made when it is first asked for: of ninety blocks that are looked through for an
    action, few need more than that one.
    """

    def __init__(self, column: dict[str, Any], uuids: bytes) -> None:
        self._column, self._uuids = column, uuids
        self._count = len(column["id"])
        if {len(column[name]) for name in _EVERY_ROW} != {self._count}:
            raise DamagedBlock("columns of different lengths")

    def __len__(self) -> int:
        return self._count

    @cached_property
    def ids(self) -> list[int]:
        """The ids of the rows that they were."""
        return list(accumulate(self._column["id"]))

    @cached_property
    def connections(self) -> list[str]:
        """UUIDs with dashes."""
        return self._named("on")

    @cached_property
    def seqs(self) -> list[int | None]:
        """The frames' numbers on their connections."""
        return _seqs_back(self._column["seq"])

    @cached_property
    def senders(self) -> list[str]:
        """Who spoke first."""
        return self._named("by")

    @cached_property
    def unique_ids(self) -> list[str]:
        """The message ids."""
        return _put_together(self._column["uid"], self._uuids)

    @cached_property
    def actions(self) -> list[str]:
        """What was asked for."""
        return self._named("action")

    @cached_property
    def transactions(self) -> list[int | None]:
        """The sessions that they are about."""
        return self._named("tx")

    @cached_property
    def error_codes(self) -> list[str]:
        """Empty: no error."""
        return self._named("error")

    @cached_property
    def error_descriptions(self) -> list[str]:
        """And why."""
        return self._named("why")

    @cached_property
    def received(self) -> list[int]:
        """Microseconds since 1970."""
        return list(accumulate(self._column["at"]))

    @cached_property
    def answered(self) -> list[int | None]:
        """Microseconds since 1970; None without an answer."""
        return [
            None if after is None else at + after
            for at, after in zip(self.received, self._column["after"], strict=True)
        ]

    @property
    def lengths(self) -> tuple[list[int], list[int]]:
        """Characters of requests and of responses, as they are stored."""
        return self._column["asked"], self._column["said"]

    def with_action(self, actions: Collection[str]) -> list[int]:
        """The rows with one of these actions."""
        names, rows = self._column["action"]
        numbers = {number for number, name in enumerate(names) if name in actions}
        if not rows:
            return list(range(self._count)) if numbers else []
        return [place for place, number in enumerate(rows) if number in numbers]

    def _named(self, name: str) -> list[Any]:
        names, rows = self._column[name]
        return [names[row] for row in rows] if rows else [names[0]] * self._count


def pack(exchanges: Sequence[Exchange]) -> Packed:
    """The bytes of these exchanges, in their order; at least one."""
    requests = [_without_id(item.request, item.unique_id) for item in exchanges]
    responses = [_without_id(item.response, item.unique_id) for item in exchanges]
    received = [microseconds(item.received_at) for item in exchanges]
    uuids, texts = _parted([item.unique_id for item in exchanges])
    columns = {
        "v": VERSION,
        "id": _steps([item.id for item in exchanges]),
        "on": _named([item.connection for item in exchanges]),
        "seq": _seqs([item.seq for item in exchanges]),
        "by": _named([item.sender for item in exchanges]),
        "uid": texts,
        "action": _named([item.action for item in exchanges]),
        "tx": _named([item.transaction for item in exchanges]),
        "error": _named([item.error_code for item in exchanges]),
        "why": _named([item.error_description for item in exchanges]),
        "at": _steps(received),
        "after": [
            None if item.answered_at is None else microseconds(item.answered_at) - at
            for item, at in zip(exchanges, received, strict=True)
        ],
        "asked": [len(text) for text in requests],
        "said": [len(text) for text in responses],
    }
    facts = zlib.compress(_json(columns), LEVEL)
    frames = "".join((*requests, *responses)).encode("utf-8", "surrogatepass")
    return Packed(
        _HEAD.pack(VERSION, len(facts)) + facts + b"".join(uuids), zlib.compress(frames, LEVEL)
    )


def facts_of(packed: bytes) -> Facts:
    """The facts of a block; raises DamagedBlock."""
    try:
        version, size = _HEAD.unpack_from(packed)
        if version != VERSION:
            raise DamagedBlock(f"a block of version {version}")
        column = _parsed(zlib.decompress(packed[_HEAD.size : _HEAD.size + size]))
        return Facts(column, packed[_HEAD.size + size :])
    except (zlib.error, struct.error, KeyError, TypeError, ValueError) as error:
        raise DamagedBlock(str(error)) from error


def unpack(
    facts: Facts, frames: bytes, charge_point_id: int = 0, wanted: Iterable[int] | None = None
) -> list[Exchange]:
    """The exchanges of a block, or those in these places of it; raises DamagedBlock."""
    text = text_of(frames)
    of_requests, of_responses = facts.lengths
    asked = list(accumulate(of_requests, initial=0))
    said = list(accumulate(of_responses, initial=asked[-1]))
    if said[-1] != len(text):
        raise DamagedBlock(f"frames of {len(text)} characters, and not of {said[-1]}")
    return [
        Exchange(
            id=facts.ids[place],
            connection=facts.connections[place],
            seq=facts.seqs[place],
            sender=facts.senders[place],
            unique_id=facts.unique_ids[place],
            action=facts.actions[place],
            transaction=facts.transactions[place],
            request=_with_id(text[asked[place] : asked[place + 1]], facts.unique_ids[place]),
            response=_with_id(text[said[place] : said[place + 1]], facts.unique_ids[place]),
            error_code=facts.error_codes[place],
            error_description=facts.error_descriptions[place],
            received_at=_moment(facts.received[place]),
            answered_at=_optional(_moment, facts.answered[place]),
            charge_point_id=charge_point_id,
        )
        for place in (range(len(facts)) if wanted is None else wanted)
    ]


def text_of(frames: bytes) -> str:
    """All frames as they are stored, without their message ids; raises DamagedBlock."""
    try:
        return zlib.decompress(frames).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError) as error:
        raise DamagedBlock(str(error)) from error


def _without_id(text: str, unique_id: str) -> str:
    if _CUT in text:
        return f"{_WHOLE}{text}"
    if not unique_id:
        return text
    place = text.find(f'"{unique_id}"')
    # Where the id stands there in another spelling (escaped, a bare number), nothing is cut.
    return text if place < 0 else f"{text[: place + 1]}{_CUT}{text[place + 1 + len(unique_id) :]}"


def _with_id(text: str, unique_id: str) -> str:
    if text.startswith(_WHOLE):
        return text[len(_WHOLE) :]
    return text.replace(_CUT, unique_id, 1)


def microseconds(at: datetime) -> int:
    """Since 1970, as the facts have them."""
    return (at - _EPOCH) // _MICROSECOND


def _moment(number: int) -> datetime:
    return _EPOCH + timedelta(microseconds=number)


def _optional(change: Callable[[int], datetime], value: int | None) -> datetime | None:
    return None if value is None else change(value)


def _steps(numbers: list[int]) -> list[int]:
    """Each as its distance from the one before."""
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]


def _seqs(numbers: list[int | None]) -> list[int | None]:
    """The same, where some are missing: from the last that is there."""
    found: list[int | None] = []
    last = 0
    for number in numbers:
        found.append(None if number is None else number - last)
        last = last if number is None else number
    return found


def _seqs_back(steps: list[int | None]) -> list[int | None]:
    found: list[int | None] = []
    last = 0
    for step in steps:
        last += step or 0
        found.append(None if step is None else last)
    return found


def _named(values: list[Any]) -> list[Any]:
    """Each value once, and for every row which of them; nothing more if all are the same."""
    numbers: dict[Any, int] = {}
    rows = [numbers.setdefault(value, len(numbers)) for value in values]
    return [list(numbers), rows if len(numbers) > 1 else []]


def _parted(unique_ids: list[str]) -> tuple[list[bytes], list[str]]:
    """UUIDs as bytes; every other id as text, with an empty one where a UUID stands.

    (An empty id is told from that by its space.)
    """
    uuids: list[bytes] = []
    texts: list[str] = []
    for unique_id in unique_ids:
        if raw := _uuid(unique_id):
            uuids.append(raw)
            texts.append("")
        else:
            texts.append(unique_id if unique_id.strip(" ") else f"{unique_id} ")
    return uuids, texts


def _put_together(texts: list[str], uuids: bytes) -> list[str]:
    found: list[str] = []
    digits, place = uuids.hex(), 0
    for text in texts:
        if not text:
            end = place + 32
            one = digits[place:end]
            found.append(f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}")
            place = end
        else:
            found.append(text if text.strip(" ") else text[:-1])
    if place != len(digits):
        raise DamagedBlock("other message ids than exchanges")
    return found


def _uuid(text: str) -> bytes:
    """Its 16 bytes, if they say everything that the text does."""
    if len(text) != 36 or text.count("-") != 4:
        return b""
    digits = text.replace("-", "")
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        return b""
    dashed = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return found if dashed == text == text.lower() else b""


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # Half a pair of surrogates, or a number beyond 64 bits: no database gives them.
        return json.dumps(value, separators=(",", ":")).encode()


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
