"""The raw values of a MeterValue as one text, and back: the same values are the same text."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

import orjson

__all__ = ["read_recorded", "read_values", "recorded_json", "recorded_text", "values_text"]


def values_text(values: Sequence[str]) -> str:
    """With spaces between them, as nearly all allow; else as JSON."""
    text = " ".join(values)
    if text[:1] != "[" and text.isprintable() and text.count(" ") == len(values) - 1:
        return text
    # (Escaped, so that a database takes whatever a charger makes up.)
    return json.dumps(list(values), separators=(",", ":"))


def read_values(text: str) -> tuple[str, ...]:
    """What `values_text` was given."""
    if text[:1] != "[":
        return tuple(text.split(" "))
    return tuple(json.loads(text))


def recorded_json(recorded: Mapping[int, Decimal | None]) -> dict[str, str | None] | None:
    """By position what was recorded; None for nothing."""
    if not recorded:
        return None
    return {
        str(at): None if value is None else format(value, "f")
        for at, value in sorted(recorded.items())
    }


def recorded_text(recorded: Mapping[int, Decimal | None]) -> str | None:
    """The same as JSON."""
    return orjson.dumps(recorded_json(recorded)).decode() if recorded else None


def read_recorded(said: Mapping[str, str | None] | None) -> dict[int, Decimal | None]:
    """What `recorded_json` was given."""
    if not said:
        return {}
    return {
        int(at): None if value is None else Decimal(value)
        for at, value in said.items()
        if at.isdigit()
    }
