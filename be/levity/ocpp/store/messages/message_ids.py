"""Message ids in a block: UUIDs as 16 bytes each, all others as texts. No Django, no database."""

from collections.abc import Sequence

__all__ = ["UUID", "dashed", "parted", "put_together", "without_space"]

UUID = 16
"""Bytes of one."""


def parted(unique_ids: Sequence[str]) -> tuple[list[bytes], list[str]]:
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


def put_together(texts: Sequence[str], uuids: bytes) -> list[str]:
    """The ids that `parted` was given. ValueError: there are other UUIDs than places for them."""
    found: list[str] = []
    digits, place = uuids.hex(), 0
    for text in texts:
        if not text:
            end = place + 32
            found.append(dashed(digits[place:end]))
            place = end
        else:
            found.append(without_space(text))
    if place != len(digits):
        raise ValueError("other message ids than exchanges")
    return found


def without_space(text: str) -> str:
    """An id that is no UUID, as it was before `parted`."""
    return text if text.strip(" ") else text[:-1]


def dashed(digits: str) -> str:
    """A UUID of these 32 digits, as it is written."""
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
    return found if dashed(digits) == text == text.lower() else b""
