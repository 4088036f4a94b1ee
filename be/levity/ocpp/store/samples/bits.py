"""Integers of a narrow range, each in as many bits as the largest of them needs.

What a meter shows flickers: of that, JSON makes twice as much, and no compression makes it less. No
Django, no database: values in, bytes out.
"""

import zlib
from collections.abc import Sequence
from typing import Any

import orjson

__all__ = ["Bits", "BitsReader"]

LEAST = 32
"""Fewer integers stay JSON."""
WIDEST = 32
"""Bits of an integer; what is wider stays JSON."""
# What a reference takes in JSON, and what zlib adds to a text of its own.
REFERENCE, OF_ZLIB = 12, 8


class Bits:
    """Takes lists of integers, and keeps as bits (`data`) what is shorter so."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)

    def put(self, numbers: list[int]) -> Any:
        """How these are written in JSON: as they are, or as where they are in the bits."""
        return self.shortest([numbers])[1]

    def shortest(self, ways: Sequence[list[int]]) -> tuple[int, Any]:
        """The same of the shortest of these ways to say it, with the number of that way."""
        found = [self._size(numbers) for numbers in ways]
        number = min(range(len(ways)), key=lambda way: found[way][0])
        _, width, least = found[number]
        numbers = ways[number]
        if not width:
            return number, numbers
        place = len(self.data)
        first, *others = numbers
        text = "".join([format(each - least, f"0{width}b") for each in others])
        self.data += int(text, 2).to_bytes((len(text) + 7) // 8, "big")
        return number, {"b": [place, len(others), first, least, width]}

    @staticmethod
    def _size(numbers: list[int]) -> tuple[int, int, int]:
        """(bytes, width, least); with width 0 as JSON, compressed."""
        if len(numbers) < LEAST:
            return len(orjson.dumps(numbers)), 0, 0
        as_json = len(zlib.compress(orjson.dumps(numbers), 9)) - OF_ZLIB
        # (The first may be far from all others: a register, a time.)
        least = min(numbers[1:])
        width = (max(numbers[1:]) - least).bit_length()
        as_bits = (len(numbers) * width + 7) // 8 + REFERENCE
        return (
            (as_bits, width, least)
            if 0 < width <= WIDEST and as_bits < as_json
            else (as_json, 0, 0)
        )


class BitsReader:
    """Reads what `Bits` has written. ValueError: the bits are not all there."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def numbers(self, said: Any) -> list[int]:
        """The integers that are written so."""
        if type(said) is list:
            return said
        place, count, first, least, width = said["b"]
        data = self.data[place : place + (count * width + 7) // 8]
        text = format(int.from_bytes(data, "big"), f"0{count * width}b")
        found = [int(text[at : at + width], 2) for at in range(0, count * width, width)]
        return [first, *(least + number for number in found)] if least else [first, *found]
