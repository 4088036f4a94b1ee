"""A trace: the MeterValues of a session, or of a connector and day, as a few bytes each.

Columns of integers as JSON, compressed, and behind it as bits where these are fewer (`bits.py`).
What does not fit its column (a text, a number of another spelling) stands there as it was sent:
everything comes back exactly, in its order. What is written is of version 2; traces of version 1
are read as well (`version_1.py`). Without Django: values in, bytes out.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import Any

from levity.ocpp.store.json_bytes import read_json, write_json
from levity.ocpp.store.samples import version_1
from levity.ocpp.store.samples.bits import Bits, BitsReader
from levity_ws.frozen import frozen

__all__ = [
    "NOTHING",
    "UNCHANGED",
    "Coded",
    "Column",
    "Trace",
    "decode",
    "encode",
    "with_recorded",
]

VERSION = 2
_HEAD = struct.Struct(">BI")
# Longer numbers stay texts: JSON's and the differences' are good to 2**63.
DIGITS = 15
LARGEST = 10**17
# By what all times of a column are divided, in microseconds, the first that divides them all.
STEPS = (1_000_000, 1_000, 1)
UNCHANGED = None
"""In a column of what was recorded otherwise: nothing."""
NOTHING = False
"""And here: that the value is none."""


@frozen
class Coded:
    """One MeterValue in a trace. Times are in microseconds since 1970, UTC."""

    id: int
    place: tuple[int, int]
    """(EVSE, connector)."""
    sampled_at: int
    received_at: int
    shape: int
    values: tuple[str, ...]
    """As sent."""
    recorded: Mapping[int, str | None] = field(default_factory=dict)
    """By the number of the value: what is recorded where that isn't what the rule makes of it."""


@dataclass(slots=True)
class Column:
    """One value of all MeterValues of a shape.

    With `spelling` >= 0 numbers have exactly so many decimals; below it they have up to
    `-1 - spelling`, without zeros at the end.
    """

    spelling: int
    items: list[Any]
    """Integers (in the last decimal) and, as they were sent, texts."""
    is_numbers: bool = False
    """There are no texts, and at least one integer."""

    @property
    def decimals(self) -> int:
        """How many decimals an integer of this column has."""
        return self.spelling if self.spelling >= 0 else -1 - self.spelling

    def texts(self) -> list[Any]:
        """All of them as they were sent."""
        spelling, decimals = self.spelling, self.decimals
        if decimals == 0:
            return [str(item) if type(item) is int else item for item in self.items]
        return [
            _spelled(item, decimals, trimmed=spelling < 0) if type(item) is int else item
            for item in self.items
        ]


@dataclass(slots=True)
class Trace:
    """What `decode` gives: columns, of which only those that are asked for are worked out."""

    shapes: list[tuple[int, int]]
    """Of each MeterValue: its shape, and how many values it has."""
    _ids: Any
    _places: list[Any]
    _sampled: list[Any]
    _lags: list[Any]
    _columns: dict[tuple[int, int], list[Any]]
    _recorded: dict[tuple[int, int], dict[int, Any]]
    _bits: BitsReader

    def ids(self) -> list[int]:
        """Of each MeterValue, its id."""
        return list(accumulate(self._bits.numbers(self._ids)))

    def places(self) -> list[tuple[int, int]]:
        """Of each MeterValue, its EVSE and connector."""
        return [(evse, connector) for evse, connector in _read_runs(self._places)]

    def sampled(self) -> list[int]:
        """Of each MeterValue, the charger's time."""
        step, differences = self._sampled
        return [number * step for number in accumulate(self._bits.numbers(differences))]

    def received(self) -> list[int]:
        """Of each MeterValue, our time."""
        step, said = self._lags
        first, *others = self._bits.numbers(said)
        lags = [first, *[first + other for other in others]]
        return [at + lag * step for at, lag in zip(self.sampled(), lags, strict=True)]

    def rows_of(self, shape: tuple[int, int]) -> list[int]:
        """Where in the trace the MeterValues of this shape are."""
        return [number for number, each in enumerate(self.shapes) if each == shape]

    def column(self, shape: tuple[int, int], position: int) -> Column:
        """This value of all MeterValues of this shape."""
        return _read_column(self._columns[shape][position], self._bits)

    def recorded(self, shape: tuple[int, int]) -> dict[int, list[Any]]:
        """By position, for each MeterValue of this shape: what was recorded (`UNCHANGED` where that
        is what the rule says, `NOTHING` for no value)."""
        found = self._recorded.get(shape, {})
        return {int(at): _read_column(each, self._bits).texts() for at, each in found.items()}

    def coded(self) -> list[Coded]:
        """All of it, as it went in."""
        values: dict[tuple[int, int], Iterator[Any]] = {}
        for shape, columns in self._columns.items():
            texts = [_read_column(each, self._bits).texts() for each in columns]
            values[shape] = iter(zip(*texts, strict=True))
        recorded = {shape: self._recorded_rows(shape) for shape in self._recorded}
        each = zip(
            self.ids(), self.places(), self.sampled(), self.received(), self.shapes, strict=True
        )
        return [
            Coded(
                pk,
                place,
                sampled_at,
                received_at,
                shape[0],
                next(values[shape]) if shape[1] else (),
                next(recorded[shape]) if shape in recorded else {},
            )
            for pk, place, sampled_at, received_at, shape in each
        ]

    def _recorded_rows(self, shape: tuple[int, int]) -> Iterator[dict[int, str | None]]:
        columns = self.recorded(shape)
        for row in zip(*columns.values(), strict=True):
            yield {
                position: None if said is NOTHING else said
                for position, said in zip(columns, row, strict=True)
                if said is not UNCHANGED
            }


def encode(rows: Sequence[Coded]) -> bytes:
    """These MeterValues, at least one, in this order."""
    kinds = [(row.shape, len(row.values)) for row in rows]
    of_kind: dict[tuple[int, int], list[Coded]] = {}
    for kind, row in zip(kinds, rows, strict=True):
        of_kind.setdefault(kind, []).append(row)
    numbers = {kind: number for number, kind in enumerate(of_kind)}
    lags = [row.received_at - row.sampled_at for row in rows]
    bits = Bits()
    whole = [
        bits.put(_differences([row.id for row in rows])),
        _times(_differences([row.sampled_at for row in rows]), bits),
        # Noise: its differences would be longer.
        _times([lags[0], *(lag - lags[0] for lag in lags[1:])], bits),
        _runs(list(row.place) for row in rows),
        _runs(numbers[kind] for kind in kinds),
        [
            [
                kind[0],
                kind[1],
                [_column([row.values[at] for row in found], bits) for at in range(kind[1])],
                _recorded_columns(found),
            ]
            for kind, found in of_kind.items()
        ],
    ]
    return _bytes_of(whole, bytes(bits.data))


def with_recorded(data: bytes, said: Mapping[tuple[int, int], Any]) -> bytes:
    """The same trace, with other values recorded: by a MeterValue's place in it and the position of
    the value, a number as text, `NOTHING` or `UNCHANGED`."""
    whole, tail = _parts_of(data)
    *_, runs, columns = whole
    kinds = _read_runs(runs)
    for (row, position), text in said.items():
        kind = kinds[row]
        recorded = columns[kind][3]
        count = kinds.count(kind)
        known = recorded.get(str(position))
        texts = _read_column(known, BitsReader(tail)).texts() if known else [UNCHANGED] * count
        texts[kinds[:row].count(kind)] = text
        recorded[str(position)] = _column(texts)
        if all(each is UNCHANGED for each in texts):
            del recorded[str(position)]
    return _bytes_of(whole, tail)


def decode(data: bytes) -> Trace:
    """What `encode` was given. ValueError: it is damaged, or of a version that is not known."""
    try:
        whole, tail = _parts_of(data)
        ids, sampled, lags, places, shapes, kinds = whole
        known = [(kind[0], kind[1]) for kind in kinds]
        return Trace(
            shapes=[known[number] for number in _read_runs(shapes)],
            _ids=ids,
            _places=places,
            _sampled=sampled,
            _lags=lags,
            _columns={kind: item[2] for kind, item in zip(known, kinds, strict=True)},
            _recorded={
                kind: {int(at): column for at, column in item[3].items()}
                for kind, item in zip(known, kinds, strict=True)
                if item[3]
            },
            _bits=BitsReader(tail),
        )
    except (TypeError, IndexError, KeyError) as error:
        raise ValueError(f"a damaged trace: {error}") from error


def _bytes_of(whole: list[Any], tail: bytes) -> bytes:
    packed = zlib.compress(write_json([*whole, zlib.crc32(tail)]), 9)
    return _HEAD.pack(VERSION, len(packed)) + packed + tail


def _parts_of(data: bytes) -> tuple[list[Any], bytes]:
    """What `_bytes_of` was given; of a trace of version 1, what it would have been given."""
    try:
        if data[:1] == version_1.FIRST_BYTE:
            return version_1.parts_of(data), b""
        version, size = _HEAD.unpack_from(data)
        if version != VERSION:
            raise ValueError(f"a trace of version {version}")
        end = _HEAD.size + size
        *whole, checksum = read_json(zlib.decompress(data[_HEAD.size : end]))
        tail = data[end:]
    except (zlib.error, struct.error, TypeError) as error:
        raise ValueError(f"a damaged trace: {error}") from error
    if checksum != zlib.crc32(tail):
        raise ValueError("a damaged trace: another checksum")
    return whole, tail


def _column(values: Sequence[Any], bits: Bits | None = None) -> list[Any]:
    """[spelling, differences and texts], or [spelling, integers, 1] where these are shorter."""
    numbers = [_number(value) if type(value) is str else None for value in values]
    spelling = _spelling_of(numbers)
    decimals = spelling if spelling >= 0 else -1 - spelling
    items: list[Any] = []
    wholes: list[int] = []
    last = 0
    for value, number in zip(values, numbers, strict=True):
        if number is None or not _fits(number, spelling):
            items.append(value)
            continue
        digits, given, _ = number
        whole = digits * 10 ** (decimals - given)
        items.append(whole - last)
        wholes.append(whole)
        last = whole
    if bits is None or len(wholes) < len(items):
        return [spelling, items]
    way, said = bits.shortest([items, wholes])
    return [spelling, said, 1] if way else [spelling, said]


def _read_column(said: Sequence[Any], bits: BitsReader) -> Column:
    spelling, items = said[0], said[1]
    if type(items) is dict or set(map(type, items)) == {int}:
        numbers = bits.numbers(items)
        found = list(accumulate(numbers)) if len(said) == 2 else numbers
        return Column(spelling, found, is_numbers=True)
    found = []
    last = 0
    for item in items:
        if type(item) is int:
            last += item
            found.append(last)
        else:
            found.append(item)
    return Column(spelling, found)


_Number = tuple[int, int, bool]
"""All digits, how many of them are decimals, whether the last of these is a zero."""


def _number(text: str) -> _Number | None:
    """What this text says, if it is a number that is spelled as we spell it."""
    is_negative = text[:1] == "-"
    whole, point, part = (text[1:] if is_negative else text).partition(".")
    digits = whole + part
    if len(digits) > DIGITS or not digits.isdigit() or not digits.isascii():
        return None
    if not whole or (whole[0] == "0" and whole != "0") or (point and not part):
        return None
    number = int(digits)
    if is_negative:
        # "-0" is no integer's text.
        return (-number, len(part), part[-1:] == "0") if number else None
    return number, len(part), part[-1:] == "0"


def _spelling_of(numbers: Iterable[_Number | None]) -> int:
    """The spelling that fits most of these numbers."""
    decimals: Counter[int] = Counter()
    trimmed = 0
    for number in numbers:
        if number is not None:
            decimals[number[1]] += 1
            trimmed += not number[2]
    if not decimals:
        return 0
    [(most, times)] = decimals.most_common(1)
    return -1 - max(decimals) if trimmed > times else most


def _fits(number: _Number, spelling: int) -> bool:
    digits, given, ends_with_zero = number
    if spelling >= 0:
        return given == spelling
    decimals = -1 - spelling
    if ends_with_zero or given > decimals:
        return False
    return decimals == given or abs(digits) * 10 ** (decimals - given) < LARGEST


def _spelled(number: int, decimals: int, *, trimmed: bool) -> str:
    if decimals == 0:
        return str(number)
    digits = str(abs(number)).rjust(decimals + 1, "0")
    sign = "-" if number < 0 else ""
    text = f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"
    return text.rstrip("0").removesuffix(".") if trimmed else text


def _recorded_columns(rows: Sequence[Coded]) -> dict[str, Any]:
    positions = sorted({position for row in rows for position in row.recorded})
    return {
        str(position): _column(
            [
                UNCHANGED
                if position not in row.recorded
                else NOTHING
                if (said := row.recorded[position]) is None
                else said
                for row in rows
            ]
        )
        for position in positions
    }


def _differences(numbers: Sequence[int]) -> list[int]:
    return [number - before for number, before in zip(numbers, [0, *numbers], strict=False)]


def _times(numbers: Sequence[int], bits: Bits) -> list[Any]:
    """[step, numbers]."""
    step = next(each for each in STEPS if not any(number % each for number in numbers))
    return [step, bits.put([number // step for number in numbers])]


def _runs(items: Iterable[Any]) -> list[Any]:
    """[item, how often, item, how often, ...]."""
    runs: list[Any] = []
    for item, group in groupby(items):
        runs += [item, sum(1 for _ in group)]
    return runs


def _read_runs(runs: Sequence[Any]) -> list[Any]:
    items: list[Any] = []
    for item, times in zip(runs[::2], runs[1::2], strict=True):
        items += [item] * times
    return items
