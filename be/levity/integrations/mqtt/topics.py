"""Names as parts of MQTT topics, whatever somebody has called a site or a charger.

MQTT 5, 4.7: `+` and `#` are wildcards, `/` separates levels, NUL is forbidden; control characters
and Unicode's non-characters may make a broker or Home Assistant close the connection.
"""

import hashlib

__all__ = ["NO_SITE", "level", "slug"]

NO_SITE = "no-site"
LONGEST = 64
FORBIDDEN = frozenset("+#/$")


def level(name: str) -> str:
    """This name as one level of a topic. What had to be changed has a digest at its end, so that
    two names never share a topic."""
    text = "".join(letter if _is_allowed(letter) else "_" for letter in name.strip())
    if text == name and 0 < len(text) <= LONGEST and text != NO_SITE:
        return text
    return f"{text[:LONGEST]}-{_digest(name)}" if text else f"_-{_digest(name)}"


def slug(name: str) -> str:
    """Letters, digits, `_` and `-` only, as Home Assistant wants for ids."""
    text = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    return text[:LONGEST] if text == name else f"{text[:LONGEST]}_{_digest(name)}"


def _is_allowed(letter: str) -> bool:
    code = ord(letter)
    return (
        letter not in FORBIDDEN
        and code >= 0x20
        and not 0x7F <= code <= 0x9F
        and not 0xD800 <= code <= 0xDFFF
        and not 0xFDD0 <= code <= 0xFDEF
        and code & 0xFFFF not in (0xFFFE, 0xFFFF)
    )


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
