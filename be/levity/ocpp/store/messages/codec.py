"""Many exchanges of one charge point as two pieces of bytes, and back. No Django, no database.

A block has two parts, so that whoever looks for an action or a message id reads a tenth of it:

- *facts*: everything but the frames, column by column as JSON, compressed; behind it message ids
  that are UUIDs, 16 bytes each, which nothing makes smaller.
- *frames*: all requests, then all responses (`alike.py`), compressed. The message id is cut out of
  each, for the facts have it.

What comes out is what went in, character by character: broken JSON, control characters and lone
surrogates included. Times are exact to the microsecond. What is written is of version 2; blocks of
version 1 are read as well (`version_1.py`).
"""

import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any

from levity.ocpp.store.json_bytes import read_json, write_json
from levity.ocpp.store.messages import version_1
from levity.ocpp.store.messages.alike import Alike, alike, pack_texts, unpack_texts
from levity.ocpp.store.messages.message_ids import (
    UUID,
    dashed,
    parted,
    put_together,
    without_space,
)
from levity_ws.frozen import frozen

__all__ = [
    "DamagedBlock",
    "Exchange",
    "Facts",
    "Packed",
    "facts_of",
    "microseconds",
    "pack",
    "unpack",
]

VERSION = 2
LEVEL = 6
"""Of zlib. 9 saves a hundredth and takes twice as long."""
_HEAD = struct.Struct(">BI")
# No text out of a database holds a NUL (`wire.frames.storable`). One that does all the same is
# kept as it is behind two of them.
_CUT, _WHOLE = "\x00", "\x00\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAMED = ("on", "by", "action", "tx", "error", "why")
FEW = 50
# Of these, a block has as many values as exchanges; of the others each value once.
_EVERY_ROW = ("id", "seq", "at", "after")


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

    def __init__(
        self,
        column: dict[str, Any],
        uuids: bytes,
        ids: Alike,
        read_texts: Callable[[bytes], Alike] = unpack_texts,
    ) -> None:
        self._column, self._uuids, self._ids = column, uuids, ids
        self._read_texts = read_texts
        self._count = len(column["id"])
        if {len(self._ids), *(len(column[name]) for name in _EVERY_ROW)} != {self._count}:
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
        try:
            return put_together(self._ids.all(), self._uuids)
        except ValueError as error:
            raise DamagedBlock(str(error)) from error

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

    @property
    def after(self) -> list[int | None]:
        """Microseconds until the answer was known."""
        after: list[int | None] = self._column["after"]
        return after

    def texts_of(self, frames: bytes) -> Alike:
        """All requests, then all responses, without their message ids; raises DamagedBlock."""
        try:
            texts = self._read_texts(frames)
        except ValueError as error:
            raise DamagedBlock(str(error)) from error
        if len(texts) != 2 * self._count:
            raise DamagedBlock(f"{len(texts)} frames of {self._count} exchanges")
        return texts

    def unique_ids_at(self, places: Sequence[int]) -> list[str]:
        """The message ids of these rows, without making those of all."""
        if len(places) >= FEW:
            return [self.unique_ids[place] for place in places]
        found = []
        for place, text in zip(places, self._ids.at(places), strict=True):
            if text:
                found.append(without_space(text))
                continue
            at = UUID * self._places_of_uuids.index(place)
            found.append(dashed(self._uuids[at : at + UUID].hex()))
            if len(found[-1]) != 36:
                raise DamagedBlock("fewer message ids than exchanges")
        return found

    @cached_property
    def _places_of_uuids(self) -> list[int]:
        return [place for place, text in enumerate(self._ids.all()) if not text]

    def named_at(self, places: Sequence[int]) -> list[list[Any]]:
        """Connections, senders, actions, transactions, error codes and descriptions there."""
        found = []
        for name in _NAMED:
            names, rows = self._column[name]
            if not rows:
                found.append(names[:1] * len(places))
            else:
                found.append([names[rows[place]] for place in places])
        return found

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
    uuids, texts = parted([item.unique_id for item in exchanges])
    columns = {
        "v": VERSION,
        "id": _steps([item.id for item in exchanges]),
        "on": _named([item.connection for item in exchanges]),
        "seq": _seqs([item.seq for item in exchanges]),
        "by": _named([item.sender for item in exchanges]),
        "uid": alike(texts),
        "action": _named([item.action for item in exchanges]),
        "tx": _named([item.transaction for item in exchanges]),
        "error": _named([item.error_code for item in exchanges]),
        "why": _named([item.error_description for item in exchanges]),
        "at": _steps(received),
        "after": [
            None if item.answered_at is None else microseconds(item.answered_at) - at
            for item, at in zip(exchanges, received, strict=True)
        ],
    }
    facts = zlib.compress(write_json(columns), LEVEL)
    frames = pack_texts([*requests, *responses])
    return Packed(_HEAD.pack(VERSION, len(facts)) + facts + b"".join(uuids), frames)


def facts_of(packed: bytes) -> Facts:
    """The facts of a block; raises DamagedBlock."""
    try:
        version, size = _HEAD.unpack_from(packed)
        if version not in (version_1.VERSION, VERSION):
            raise DamagedBlock(f"a block of version {version}")
        end = _HEAD.size + size
        column, uuids = read_json(zlib.decompress(packed[_HEAD.size : end])), packed[end:]
        if version == version_1.VERSION:
            return Facts(column, uuids, version_1.ids_of(column), version_1.reader_of(column))
        return Facts(column, uuids, Alike(column["uid"]))
    except (zlib.error, struct.error, KeyError, TypeError, ValueError) as error:
        raise DamagedBlock(str(error)) from error


def unpack(
    facts: Facts, frames: bytes, charge_point_id: int = 0, wanted: Iterable[int] | None = None
) -> list[Exchange]:
    """The exchanges of a block, or those in these places of it; raises DamagedBlock."""
    texts, count = facts.texts_of(frames), len(facts)
    places = list(range(count) if wanted is None else wanted)
    try:
        unique_ids = facts.unique_ids_at(places)
        requests, responses = texts.at(places), texts.at([count + place for place in places])
    except (ValueError, TypeError) as error:
        raise DamagedBlock(str(error)) from error
    ids, seqs, received, after = facts.ids, facts.seqs, facts.received, facts.after
    return [
        Exchange(
            ids[place],
            connection,
            seqs[place],
            sender,
            unique_id,
            action,
            transaction,
            _with_id(request, unique_id),
            _with_id(response, unique_id),
            error_code,
            error_description,
            _moment(received[place]),
            None if after[place] is None else _moment(received[place] + after[place]),
            charge_point_id,
        )
        for (
            place,
            unique_id,
            request,
            response,
            connection,
            sender,
            action,
            transaction,
            error_code,
            error_description,
        ) in zip(places, unique_ids, requests, responses, *facts.named_at(places), strict=True)
    ]


def _without_id(text: str, unique_id: str) -> str:
    if _CUT in text:
        return f"{_WHOLE}{text}"
    if not unique_id:
        return text
    place = text.find(f'"{unique_id}"')
    # Where the id stands there in another spelling (escaped, a bare number), nothing is cut.
    return text if place < 0 else f"{text[: place + 1]}{_CUT}{text[place + 1 + len(unique_id) :]}"


def _with_id(text: str, unique_id: str) -> str:
    # (A frame that is kept whole begins with two.)
    return text.replace(_CUT, unique_id, 1) if text[:2] != _WHOLE else text[2:]


def microseconds(at: datetime) -> int:
    """Since 1970, as the facts have them."""
    return (at - _EPOCH) // _MICROSECOND


def _moment(number: int) -> datetime:
    return _EPOCH + timedelta(0, 0, number)


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
