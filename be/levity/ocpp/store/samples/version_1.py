"""Traces of version 1, which were written until November 2026: they are read, never written.

They are nothing but columns as JSON, compressed: no head, no bits, no checksum. Each column is one
that a trace of today may have, too (`coding.py`). No Django, no database.
"""

import zlib
from typing import Any

from levity.ocpp.store.json_bytes import read_json

__all__ = ["FIRST_BYTE", "parts_of"]

VERSION = 1
FIRST_BYTE = b"\x78"
"""With it each of them begins, as zlib does (RFC 1950, 2.2: CMF); it is no version that we have."""


def parts_of(data: bytes) -> list[Any]:
    """Ids, times, lags, places, kinds and the columns of each kind.

    ValueError: this is something else. zlib.error, TypeError: it is damaged.
    """
    version, *parts = read_json(zlib.decompress(data))
    if version != VERSION:
        raise ValueError(f"a trace of version {version}")
    return parts
