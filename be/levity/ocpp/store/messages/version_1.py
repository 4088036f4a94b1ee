"""Blocks of version 1, which were written until November 2026: they are read, never written.

Their facts have the message ids that are no UUIDs as plain texts, and how many characters each
request and each response has. Their frames are nothing but all requests, then all responses, one
after the other, compressed. All else is as in `codec.py`. No Django, no database.
"""

import zlib
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any

from levity.ocpp.store.messages.alike import Alike

__all__ = ["VERSION", "ids_of", "reader_of"]

VERSION = 1


def ids_of(column: dict[str, Any]) -> Alike:
    """The message ids, from the facts' columns; an empty text stands where a UUID is."""
    return Alike.of_texts(column["uid"])


def reader_of(column: dict[str, Any]) -> Callable[[bytes], Alike]:
    """What reads the frames that belong to these facts; ValueError: the lengths are not all there.

    It raises ValueError itself where the frames are damaged, or those of another block.
    """
    asked, said = column["asked"], column["said"]
    if {len(asked), len(said)} != {len(column["id"])}:
        raise ValueError("columns of different lengths")
    ends = list(accumulate([*asked, *said], initial=0))

    def read(frames: bytes) -> Alike:
        try:
            text = zlib.decompress(frames).decode("utf-8", "surrogatepass")
        except zlib.error as error:
            raise ValueError(f"damaged frames: {error}") from error
        if ends[-1] != len(text):
            raise ValueError(f"frames of {len(text)} characters, and not of {ends[-1]}")
        return Alike.of_texts([text[begin:end] for begin, end in pairwise(ends)])

    return read
