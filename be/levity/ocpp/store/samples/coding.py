"""A trace: the MeterValues of a session, or of a connector and day, as a few bytes each.

Columns of integer differences as JSON, compressed. What does not fit its column (a text, a number
of another spelling) stands there as it was sent: everything comes back exactly, in its order.
Without Django: values in, bytes out.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import Any

import orjson

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

VERSION = 1
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
    _ids: list[int]
    _places: list[Any]
    _sampled: list[Any]
    _lags: list[Any]
    _columns: dict[tuple[int, int], list[Any]]
    _recorded: dict[tuple[int, int], dict[int, Any]]

    def ids(self) -> list[int]:
        """Of each MeterValue, its id."""
        return list(accumulate(self._ids))

    def places(self) -> list[tuple[int, int]]:
        """Of each MeterValue, its EVSE and connector."""
        return [(evse, connector) for evse, connector in _read_runs(self._places)]

    def sampled(self) -> list[int]:
        """Of each MeterValue, the charger's time."""
        step, differences = self._sampled
        return [number * step for number in accumulate(differences)]

    def received(self) -> list[int]:
        """Of each MeterValue, our time."""
        step, (first, *others) = self._lags
        lags = [first, *[first + other for other in others]]
        return [at + lag * step for at, lag in zip(self.sampled(), lags, strict=True)]

    def rows_of(self, shape: tuple[int, int]) -> list[int]:
        """Where in the trace the MeterValues of this shape are."""
        return [number for number, each in enumerate(self.shapes) if each == shape]

    def column(self, shape: tuple[int, int], position: int) -> Column:
        """This value of all MeterValues of this shape."""
        return _read_column(self._columns[shape][position])

    def recorded(self, shape: tuple[int, int]) -> dict[int, list[Any]]:
        """By position, for each MeterValue of this shape: what was recorded (`UNCHANGED` where that
        is what the rule says, `NOTHING` for no value)."""
        found = self._recorded.get(shape, {})
        return {int(position): _read_column(each).texts() for position, each in found.items()}

    def coded(self) -> list[Coded]:
        """All of it, as it went in."""
        values: dict[tuple[int, int], Iterator[Any]] = {}
        for shape, columns in self._columns.items():
            texts = [_read_column(each).texts() for each in columns]
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
    whole = [
        VERSION,
        _differences([row.id for row in rows]),
        _times([row.sampled_at for row in rows], _differences),
        _times(lags, _from_first),
        _runs(list(row.place) for row in rows),
        _runs(numbers[kind] for kind in kinds),
        [
            [
                kind[0],
                kind[1],
                [_column([row.values[at] for row in found]) for at in range(kind[1])],
                _recorded_columns(found),
            ]
            for kind, found in of_kind.items()
        ],
    ]
    return zlib.compress(_json(whole), 9)


def with_recorded(data: bytes, said: Mapping[tuple[int, int], Any]) -> bytes:
    """The same trace, with other values recorded: by a MeterValue's place in it and the position of
    the value, a number as text, `NOTHING` or `UNCHANGED`."""
    whole = _read_json(zlib.decompress(data))
    kinds = _read_runs(whole[5])
    for (row, position), text in said.items():
        kind = kinds[row]
        recorded = whole[6][kind][3]
        count = kinds.count(kind)
        known = recorded.get(str(position))
        texts = _read_column(known).texts() if known else [UNCHANGED] * count
        texts[kinds[:row].count(kind)] = text
        recorded[str(position)] = _column(texts)
        if all(each is UNCHANGED for each in texts):
            del recorded[str(position)]
    return zlib.compress(_json(whole), 9)


def decode(data: bytes) -> Trace:
    """What `encode` was given. ValueError: it is damaged, or of a version that is not known."""
    try:
        whole = _read_json(zlib.decompress(data))
        if whole[0] != VERSION:
            raise ValueError(f"a trace of version {whole[0]}")
        _, ids, sampled, lags, places, shapes, kinds = whole
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
        )
    except (zlib.error, TypeError, IndexError, KeyError) as error:
        raise ValueError(f"a damaged trace: {error}") from error


def _column(values: Sequence[Any]) -> list[Any]:
    """[spelling, differences and texts]."""
    numbers = [_number(value) if type(value) is str else None for value in values]
    spelling = _spelling_of(numbers)
    decimals = spelling if spelling >= 0 else -1 - spelling
    items: list[Any] = []
    last = 0
    for value, number in zip(values, numbers, strict=True):
        if number is None or not _fits(number, spelling):
            items.append(value)
            continue
        digits, given, _ = number
        whole = digits * 10 ** (decimals - given)
        items.append(whole - last)
        last = whole
    return [spelling, items]


def _read_column(said: Sequence[Any]) -> Column:
    spelling, differences = said
    items: list[Any] = []
    last = 0
    for item in differences:
        if type(item) is int:
            last += item
            items.append(last)
        else:
            items.append(item)
    return Column(spelling, items)


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


def _from_first(numbers: Sequence[int]) -> list[int]:
    """Noise is shorter so than as its differences."""
    first = numbers[0]
    return [first, *(number - first for number in numbers[1:])]


def _times(numbers: Sequence[int], coded: Any) -> list[Any]:
    """[step, numbers]."""
    said = coded(numbers)
    step = next(each for each in STEPS if not any(number % each for number in said))
    return [step, [number // step for number in said]]


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


def _json(whole: Any) -> bytes:
    try:
        return orjson.dumps(whole)
    except (TypeError, orjson.JSONEncodeError):
        # A lone surrogate, which some chargers' JSON escapes may come to.
        return json.dumps(whole, separators=(",", ":")).encode()


def _read_json(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
