"""Signed data as chargers wrap it, taken out byte for byte.

OCPP 1.6 has four ways that are met: the JSON text of the OCA application note “Signed Meter Values
in OCPP 1.6” (3.2.1), or the signed data itself: as it is, in hexadecimal digits, or in base64.
"""

import base64
import binascii
import json
from typing import Any

from levity_ws.frozen import frozen

__all__ = ["ALFEN", "LONGEST", "OCMF", "OTHER", "Container", "unwrapped"]

OCMF, ALFEN, OTHER = "OCMF", "ALFEN", "other"
LONGEST = 100_000
"""Signs of a value; what is longer is no signed data of a meter."""
OCMF_START, ALFEN_START = "OCMF|", "AP;"
# Nested values would otherwise be unwrapped for ever.
DEPTH = 3


@frozen
class Container:
    """What one sample says, and how."""

    format: str
    """`OCMF`, `ALFEN`, or `other`: kept and exported, but not verified here."""
    text: str
    """The signed data itself, as it was signed; of a binary format its hexadecimal digits."""
    public_key: str = ""
    """That the charger sent along, as it sent it: a claim."""
    method: str = ""
    """As the charger calls the format, where it is another."""


def unwrapped(raw: str) -> Container | None:
    """The signed data in this value; None if there is none."""
    return _found(raw, DEPTH) if len(raw) <= LONGEST else None


def _found(text: str, depth: int) -> Container | None:
    bare = text.strip()
    if bare.startswith(OCMF_START):
        return Container(OCMF, bare)
    if bare.startswith(ALFEN_START):
        return Container(ALFEN, bare)
    if depth == 0:
        return None
    if bare.startswith("{"):
        return _of_json(bare, depth)
    data = _bytes_of(bare)
    if data is None:
        return None
    if data.startswith((b"\x1b\x1b\x1b\x1b", b"0\x82")):
        # SML (EDL40), and the ASN.1 envelope of some firmware.
        return Container(OTHER, data.hex(), method="binary")
    try:
        return _found(data.decode(), depth - 1)
    except UnicodeDecodeError:
        return None


def _of_json(text: str, depth: int) -> Container | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    data = said.get("signedMeterData") if isinstance(said, dict) else None
    if not isinstance(data, str) or not data:
        return None
    key, method = (_text(said.get(name)) for name in ("publicKey", "encodingMethod"))
    inner = _found(data, depth - 1)
    if inner is None:
        return Container(OTHER, data, key, method[:40])
    return Container(inner.format, inner.text, key or inner.public_key, inner.method or method[:40])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _bytes_of(text: str) -> bytes | None:
    """Of hexadecimal digits or base64; None if it is neither."""
    dense = "".join(text.split())
    try:
        return bytes.fromhex(dense)
    except ValueError:
        pass
    try:
        return base64.b64decode(dense, validate=True)
    except (binascii.Error, ValueError):
        return None
