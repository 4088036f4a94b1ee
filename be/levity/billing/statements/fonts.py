"""The letters of statements' PDF files: the standard fonts where they have all of them, else DejaVu
Sans, of which the letters that are used are embedded.

Names no reportlab: pages ask which letters a PDF can't have.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from levity_ws.frozen import frozen

__all__ = ["DEJAVU", "STANDARD", "Face", "face_for", "unprintable"]

FOLDER = Path(__file__).parent / "fonts"
# Spaces and hyphens that the standard fonts lack, and letters that are none with an accent.
ALIKE = str.maketrans({"\u202f": "\u00a0", "\u2011": "-"})
# What the font files have: `fonts/README.md` says how they were made. Latin, Greek, Cyrillic.
RANGES = (
    *((0x20, 0x7E), (0xA0, 0x24F), (0x259, 0x259), (0x2BB, 0x2BC), (0x2C6, 0x2DD)),
    *((0x370, 0x3FF), (0x400, 0x525), (0x1E00, 0x1EFB), (0x1F00, 0x1FFF), (0x2010, 0x2027)),
    *((0x2030, 0x203A), (0x20A0, 0x20B5), (0x2116, 0x2116), (0x2122, 0x2122), (0x2190, 0x2193)),
    *((0x2212, 0x2212), (0x2248, 0x2248), (0x2260, 0x2260), (0x2264, 0x2265)),
)


@frozen
class Face:
    """A family of fonts."""

    regular: str
    bold: str
    scale: float
    """Of sizes: as wide as the standard fonts."""

    def write(self, text: str) -> str:
        """As these fonts can write it: other letters lose their accent, or are “?”."""
        return "".join(_letter(letter, self) for letter in text.translate(ALIKE))


STANDARD = Face("Helvetica", "Helvetica-Bold", 1.0)
DEJAVU = Face("DejaVuSans", "DejaVuSans-Bold", 0.87)


def face_for(document: Mapping[str, Any]) -> Face:
    """The standard fonts, if they can write all that this statement says."""
    texts = "".join(_texts(document)).translate(ALIKE)
    return STANDARD if all(map(_is_standard, set(texts))) else DEJAVU


def unprintable(*texts: str) -> str:
    """The letters of these texts that no PDF can have, each once."""
    found = set("".join(texts).translate(ALIKE))
    return "".join(sorted(each for each in found if _letter(each, DEJAVU) == "?" != each))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from _texts(each)


def _letter(letter: str, face: Face) -> str:
    if ord(letter) < ord(" "):
        return " "
    has = _is_standard if face is STANDARD else _is_in_dejavu
    for each in (letter, unicodedata.normalize("NFKD", letter)[0]):
        if has(each):
            return each
    return "?"


@lru_cache(maxsize=4096)
def _is_standard(letter: str) -> bool:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        # A line's end is none of a letter.
        return ord(letter) < ord(" ")
    return True


def _is_in_dejavu(letter: str) -> bool:
    # Of the blocks of old Greek some places are empty.
    return unicodedata.category(letter) != "Cn" and any(
        first <= ord(letter) <= last for first, last in RANGES
    )
