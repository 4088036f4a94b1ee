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
from collections.abc import Collection, Iterable, Sequence
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
_COLUMNS = {
    "on": "connections",
    "by": "senders",
    "action": "actions",
    "tx": "transactions",
    "error": "error_codes",
    "why": "error_descriptions",
}
FEW = 50
_UUID = 16
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

    def answered_at(self, place: int) -> datetime | None:
        """When the answer was known."""
        after = self._column["after"][place]
        return None if after is None else _moment(self.received[place] + after)

    def unique_ids_at(self, places: Sequence[int]) -> list[str]:
        """The message ids of these rows, without making those of all."""
        if len(places) >= FEW:
            return [self.unique_ids[place] for place in places]
        texts = self._column["uid"]
        found = []
        for place in places:
            text = texts[place]
            if not text:
                at = _UUID * texts[:place].count("")
                text = _dashed(self._uuids[at : at + _UUID].hex())
                if len(text) != 36:
                    raise DamagedBlock("fewer message ids than exchanges")
                found.append(text)
            else:
                found.append(_without_space(text))
        return found

    def named_at(self, name: str, place: int) -> Any:
        """What this column has there."""
        names, rows = self._column[name]
        return names[rows[place] if rows else 0]

    def named_in_column(self, name: str, place: int) -> Any:
        """The same, out of the whole column."""
        return getattr(self, _COLUMNS[name])[place]

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
    places = list(range(len(facts)) if wanted is None else wanted)
    unique_ids = facts.unique_ids_at(places)
    # Of a few, the columns are not made for all.
    named = facts.named_at if len(places) < FEW else facts.named_in_column
    return [
        Exchange(
            id=facts.ids[place],
            connection=named("on", place),
            seq=facts.seqs[place],
            sender=named("by", place),
            unique_id=unique_id,
            action=named("action", place),
            transaction=named("tx", place),
            request=_with_id(text[asked[place] : asked[place + 1]], unique_id),
            response=_with_id(text[said[place] : said[place + 1]], unique_id),
            error_code=named("error", place),
            error_description=named("why", place),
            received_at=_moment(facts.received[place]),
            answered_at=facts.answered_at(place),
            charge_point_id=charge_point_id,
        )
        for place, unique_id in zip(places, unique_ids, strict=True)
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
            found.append(_dashed(digits[place:end]))
            place = end
        else:
            found.append(_without_space(text))
    if place != len(digits):
        raise DamagedBlock("other message ids than exchanges")
    return found


def _without_space(text: str) -> str:
    """As it was before `_parted`."""
    return text if text.strip(" ") else text[:-1]


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _uuid(text: str) -> bytes:
    """Its 16 bytes, if they say everything that the text does."""
    if len(text) != 36 or text.count("-") != 4:
        return b""
    digits = text.replace("-", "")
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        return b""
    return found if _dashed(digits) == text == text.lower() else b""


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
