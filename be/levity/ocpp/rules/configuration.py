"""What a configuration key means, and whether a value fits it: pure, for every OCPP version."""

from collections.abc import Iterable, Mapping
from typing import Literal

from levity_ws.frozen import frozen

__all__ = ["KeyInfo", "Kind", "entries", "is_true", "same_value", "wrong_with"]

Kind = Literal["switch", "number", "choice", "list", "text"]
TRUE, FALSE = frozenset({"true", "1", "on", "yes"}), frozenset({"false", "0", "off", "no"})
LONGEST = 500
"""Characters of a value (OCPP 1.6, 5.3: CiString500Type)."""


@frozen
class KeyInfo:
    """A configuration key of the standard, in our own words."""

    key: str
    kind: Kind
    meaning: str
    group: str = ""
    """The feature profile that it belongs to."""
    unit: str = ""
    choices: tuple[str, ...] = ()
    """What a choice can be, and what a list can contain; empty: anything."""
    least: int | None = None
    most: int | None = None
    readonly: bool = False
    limit_key: str = ""
    """The key that tells how many entries the list can have."""
    danger: str = ""
    """What can go wrong when it is changed; empty: nothing much."""
    secret: bool = False
    has_page: bool = False
    """It is changed on the page “Security” only, where what Levity knows changes with it."""


def entries(value: str | None) -> tuple[str, ...]:
    """The entries of a list."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def is_true(value: str | None) -> bool | None:
    """What a switch says; None: neither true nor false."""
    word = (value or "").strip().lower()
    return True if word in TRUE else False if word in FALSE else None


def same_value(info: KeyInfo | None, one: str | None, other: str | None) -> bool:
    """True if these texts mean the same for this key: `True` is `true`, 300.0 is 300, and the
    order of a list makes no difference."""
    if one is None or other is None:
        return one is None and other is None
    if one.strip() == other.strip():
        return True
    if info is None:
        return False
    if info.kind == "switch":
        return is_true(one) is not None and is_true(one) == is_true(other)
    if info.kind == "number":
        return _number(one) is not None and _number(one) == _number(other)
    if info.kind == "list":
        return _lower(entries(one)) == _lower(entries(other))
    if info.kind == "choice":
        return one.strip().lower() == other.strip().lower()
    return False


def wrong_with(info: KeyInfo | None, value: str, values: Mapping[str, str | None]) -> str:
    """Why this value does not fit the key, for people; empty if it does.

    `values`: those of the charger, by key in lower case; they say how long a list can be.
    """
    if len(value) > LONGEST:
        return f"a value has at most {LONGEST} characters, and this one has {len(value)}"
    if info is None or info.kind == "text":
        return ""
    if info.kind == "switch":
        return "" if is_true(value) is not None else "it is true or false"
    if info.kind == "number":
        return _wrong_number(info, value)
    if info.kind == "choice":
        known = {word.lower() for word in info.choices}
        return "" if value.strip().lower() in known else f"it is one of {', '.join(info.choices)}"
    most = _number(values.get(info.limit_key.lower()) or "") if info.limit_key else None
    if most is not None and len(entries(value)) > most:
        return (
            f"this charger accepts at most {most:g} entries ({info.limit_key}), not "
            f"{len(entries(value))}"
        )
    return ""


def _wrong_number(info: KeyInfo, value: str) -> str:
    unit = f" {info.unit}" if info.unit else ""
    number = _number(value)
    if number is None or number != int(number):
        return "it is a whole number" + (f" of {info.unit}" if info.unit else "")
    if info.least is not None and number < info.least:
        return f"it is at least {info.least}{unit}"
    if info.most is not None and number > info.most:
        return f"it is at most {info.most}{unit}"
    return ""


def _number(value: str) -> float | None:
    text = value.strip()
    whole = text.removeprefix("-").replace(".", "", 1)
    if not whole.isascii() or not whole.isdigit() or len(text) > 15:
        return None
    return float(text)


def _lower(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.lower() for word in words)
