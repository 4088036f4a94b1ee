"""Many texts that differ in their numbers only, as columns of numbers; and back, exactly.

A charger says the same sentences all day with other figures in them: times, registers, message ids.
So a sentence is kept once (a *form*), and its figures column by column: as differences where they
rise, else as how much they are above the least. A text that is like no other is kept as it is. No
Django, no database, nothing of OCPP: every text comes back character by character.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise, repeat
from typing import Any

import orjson

__all__ = ["Alike", "alike", "pack_texts", "unpack_texts"]

LEVEL = 9
"""Of zlib: what is left to compress is little."""
LEAST = 3
"""Fewer texts have no form in common."""
LONGEST, MOST = 8192, 200
"""Texts of more characters, or with more numbers than this, are not looked into, nor are those in
which not all is ASCII: whoever sends them could make it slow."""
# Longer numbers stay texts: JSON's and the differences' are good to 2**63.
DIGITS = 15
# Of more texts, columns are read as a whole.
FEW = 200
_DIGITS, _MARK = "0123456789", "\x01"
_TO_MARKS = dict.fromkeys(map(ord, _DIGITS), _MARK)
_TO_SPACES = {code: " " for code in range(128) if chr(code) not in _DIGITS}
_HEAD = struct.Struct(">I")


def alike(texts: Sequence[str]) -> list[Any]:
    """These texts as JSON has them: forms, which one each text has (-1: none), texts without."""
    forms: dict[tuple[str, ...], int] = {}
    # By a text with marks in the places of its digits, for half of all are the same but for these.
    known: dict[str, int] = {}
    rows: list[list[Sequence[str]]] = []
    which: list[int] = []
    for text in texts:
        if len(text) > LONGEST or not text.isascii() or _MARK in text:
            which.append(-1)
            continue
        marked = text.translate(_TO_MARKS)
        number = known.get(marked)
        if number is None:
            number = known[marked] = _number_of(marked, forms)
            if number == len(rows):
                rows.append([])
        if number >= 0:
            rows[number].append(text.translate(_TO_SPACES).split())
        which.append(number)
    kept = [number for number, found in enumerate(rows) if len(found) >= LEAST]
    renumbered = dict.fromkeys([-1, *range(len(rows))], -1)
    renumbered |= {number: place for place, number in enumerate(kept)}
    which = [renumbered[number] for number in which]
    pieces = list(forms)
    return [
        [_form(pieces[number], rows[number]) for number in kept],
        which,
        [text for text, number in zip(texts, which, strict=True) if number < 0],
    ]


def _number_of(marked: str, forms: dict[tuple[str, ...], int]) -> int:
    """The number of the form of such a text; -1 if it has too many numbers."""
    pieces = [piece for piece in marked.split(_MARK) if piece]
    # Nothing stands before a number that is the beginning, and behind one that is the end.
    if marked.startswith(_MARK):
        pieces.insert(0, "")
    if marked.endswith(_MARK):
        pieces.append("")
    return forms.setdefault(tuple(pieces or [""]), len(forms)) if len(pieces) <= MOST else -1


def _form(pieces: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Any]:
    """[what stands between the columns, columns]."""
    between, columns = [pieces[0]], []
    for piece, column in zip(pieces[1:], zip(*rows, strict=True), strict=True):
        if column.count(column[0]) == len(column):
            between[-1] += column[0] + piece
        else:
            between.append(piece)
            columns.append(_column(column))
    return [between, columns]


def _column(texts: Sequence[str]) -> list[Any]:
    """[width, null, differences], or [width, least, how much above it each is], or these texts.

    Numbers of a width have zeros before them; with width 0 they have none.
    """
    if max(map(len, texts)) > DIGITS:
        return list(texts)
    numbers = [int(text) for text in texts]
    width = 0
    if list(map(str, numbers)) != list(texts):
        width = len(texts[0])
        if len(set(map(len, texts))) > 1:
            return list(texts)
    least = min(numbers)
    steps = [number - before for number, before in zip(numbers, [0, *numbers], strict=False)]
    above = [number - least for number in numbers]
    # Noise is shorter so: it has no signs, and one digit less.
    if len(orjson.dumps(above)) < len(orjson.dumps(steps)):
        return [width, least, above]
    return [width, None, steps]


class Alike:
    """What `alike` was given, read back as far as somebody asks. ValueError: it is damaged."""

    @classmethod
    def of_texts(cls, texts: Sequence[str]) -> "Alike":
        """Texts that are kept as they are, without any form."""
        return cls([[], [-1] * len(texts), texts])

    def __init__(self, said: Sequence[Any]) -> None:
        forms, self._which, self._others = said
        self._forms = [_Form(*form) for form in forms]

    def __len__(self) -> int:
        return len(self._which)

    def all(self) -> list[str]:
        """All texts, in their order."""
        # (The last one is that of -1.)
        ways = [form.all(self._which.count(place)) for place, form in enumerate(self._forms)]
        ways.append(iter(self._others))
        try:
            found = [next(ways[number]) for number in self._which]
        except (StopIteration, IndexError) as error:
            raise ValueError("fewer texts than there should be") from error
        if any(next(way, None) is not None for way in ways):
            raise ValueError("more texts than there should be")
        return found

    def at(self, places: Sequence[int]) -> list[str]:
        """The texts in these places."""
        if len(places) >= FEW:
            texts = self.all()
            return [texts[place] for place in places]
        found = []
        for place in places:
            number = self._which[place]
            row = self._which[:place].count(number)
            try:
                found.append(self._others[row] if number < 0 else self._forms[number].at(row))
            except IndexError as error:
                raise ValueError("fewer texts than there should be") from error
        return found

    def may_have(self, text: str) -> bool:
        """False if none of them has this text in it, case ignored; without numbers in it, forms are
        all that is looked at."""
        lower = text.lower()
        if not set(_DIGITS).isdisjoint(lower):
            return lower in "\n".join(self.all()).lower()
        pieces = (piece for form in self._forms for piece in form.pieces)
        return any(lower in piece.lower() for piece in (*pieces, *self._others))


class _Form:
    """What stands between its columns, and these."""

    def __init__(self, pieces: Sequence[str], columns: Sequence[Sequence[Any]]) -> None:
        self.pieces, self._said = pieces, columns
        if len(pieces) != len(columns) + 1:
            raise ValueError("not as many columns as places for them")

    @cached_property
    def _text(self) -> str:
        """For `%`."""
        text = self.pieces[0].replace("%", "%%")
        for piece, said in zip(self.pieces[1:], self._said, strict=True):
            width = said[0]
            kind = "%s" if type(width) is str else f"%0{width}d" if width else "%d"
            text += kind + piece.replace("%", "%%")
        return text

    @cached_property
    def _columns(self) -> list[Sequence[Any]]:
        return [_read_column(said) for said in self._said]

    def all(self, count: int) -> Iterator[str]:
        """One after the other; `count` of them, if it has no columns that tell how many."""
        if not self._said:
            return repeat(self._text % (), count)
        text = self._text
        return (text % row for row in zip(*self._columns, strict=True))

    def at(self, row: int) -> str:
        """That of this row."""
        return self._text % tuple([column[row] for column in self._columns])


def _read_column(said: Sequence[Any]) -> Sequence[Any]:
    if type(said[0]) is str:
        return said
    _, least, numbers = said
    if least is None:
        return list(accumulate(numbers))
    return [least + number for number in numbers]


def pack_texts(texts: Sequence[str]) -> bytes:
    """These texts as bytes."""
    forms, which, others = alike(texts)
    try:
        head = orjson.dumps([forms, which, list(map(len, others))])
    except TypeError:
        # Half a pair of surrogates in them: as they are, for JSON may join two of these.
        others = list(texts)
        head = orjson.dumps([[], [-1] * len(others), list(map(len, others))])
    tail = "".join(others).encode("utf-8", "surrogatepass")
    return zlib.compress(_HEAD.pack(len(head)) + head + tail, LEVEL)


def unpack_texts(packed: bytes) -> Alike:
    """What `pack_texts` was given. ValueError: this is something else, or not all of it."""
    try:
        data = zlib.decompress(packed)
        end = _HEAD.size + _HEAD.unpack_from(data)[0]
        forms, which, lengths = orjson.loads(data[_HEAD.size : end])
        tail = data[end:].decode("utf-8", "surrogatepass")
        ends = list(accumulate(lengths, initial=0))
        if ends[-1] != len(tail):
            raise ValueError(f"{len(tail)} characters, and not {ends[-1]}")
        others = [tail[begin:end] for begin, end in pairwise(ends)]
        return Alike([forms, which, others])
    except (zlib.error, struct.error, TypeError, IndexError) as error:
        raise ValueError(f"damaged texts: {error}") from error
