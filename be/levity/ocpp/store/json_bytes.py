"""JSON for what is kept for long: any text, any integer. No Django, no database."""

import json
from typing import Any

import orjson

__all__ = ["read_json", "write_json"]


def write_json(value: Any) -> bytes:
    """As short as it gets."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # Half a pair of surrogates, which some chargers' JSON escapes may come to, or a number
        # beyond 64 bits.
        return json.dumps(value, separators=(",", ":")).encode()


def read_json(text: bytes) -> Any:
    """What `write_json` was given. ValueError: this is no JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
