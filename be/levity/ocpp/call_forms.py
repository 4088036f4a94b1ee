"""How a form for a Call is described: data of a version, drawn by pages and read by the API's docs.

A field names its place in the payload (`firmware.location`), so that what a person fills in becomes
the payload, and a payload fills the form.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from levity_ws.frozen import frozen

__all__ = ["GROUPS", "CallForm", "Choice", "Field", "Kind", "Preset"]

Choice = tuple[str, str]
"""(word of the protocol, what it means)."""

GROUPS = (
    "Charging",
    "Access",
    "Limits",
    "Configuration",
    "Diagnostics and firmware",
    "Security",
    "Expert",
)
"""What people want to do, in the order of the menu."""


class Kind(StrEnum):
    """What is asked for; a page chooses how."""

    TEXT = "text"
    LONG_TEXT = "long text"
    WHOLE = "whole number"
    DECIMAL = "number"
    CHOICE = "one of these"
    CONNECTOR = "connector"
    TAG = "id tag"
    SESSION = "running session"
    MOMENT = "moment"
    WORDS = "words, separated by commas"
    ROWS = "rows"


@frozen
class Field:
    """One field: `at` is its place in the payload, with dots where it is within an object."""

    at: str
    label: str
    kind: Kind = Kind.TEXT
    help: str = ""
    required: bool = True
    may_be_empty: bool = False
    """It is always sent, also as an empty text."""
    choices: tuple[Choice, ...] = ()
    """For `CHOICE`; a field that is not required offers none of them, too."""
    nothing: str = ""
    """What it means to leave it empty, for choices and connectors."""
    whole: str = ""
    """For `CONNECTOR`: what 0 means, where it may be chosen."""
    unit: str = ""
    least: float | None = None
    most: float | None = None
    longest: int | None = None
    default: Any = None
    """What stands there at first; of a `MOMENT`: minutes from now."""
    example: Any = None
    """A value for an example; fields without one are left out of it, unless they are required."""
    fields: tuple["Field", ...] = ()
    """Of each row; their places are within the row."""


@frozen
class Preset:
    """What stands in some fields at first, by their places in the payload.

    For a moment: `midnight`, the last one at the site.
    """

    slug: str
    title: str
    values: Mapping[str, Any]


@frozen
class CallForm:
    """One thing that a charger can be asked to do."""

    slug: str
    title: str
    group: str
    action: str
    explanation: str
    fields: tuple[Field, ...] = ()
    fixed: Mapping[str, Any] | None = None
    """What of the payload is the same each time."""
    fixed_with: Mapping[str, Mapping[str, Any]] | None = None
    """What is sent as well, by place, where the field at this place was filled in."""
    is_dangerous: bool = False
    """The page asks whether it is meant."""
    for_many: bool = True
    """It makes sense for several charge points at once."""
    all_if_empty: str = ""
    """What happens if no field is filled in, where that must be confirmed."""
    words: str = ""
    """By which it is found, too."""
    presets: tuple["Preset", ...] = ()
    """Ways in which it is often filled in."""
