"""What Levity asks a charger for, where that is more than a word: values without a version."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from levity_ws.frozen import frozen

__all__ = ["Booking", "KeptProfile"]


@frozen
class Booking:
    """A connector that is to be kept for a tag."""

    number: int
    connector: int
    """0: any of them."""
    id_tag: str
    until: datetime
    parent: str = ""
    """The group whose tags may use it as well."""


@frozen
class KeptProfile:
    """A charging profile as a charger has, or is to have it."""

    connector: int
    """0: the charger as a whole."""
    number: int
    level: int
    purpose: str
    kind: str
    recurrency: str
    valid_from: datetime | None
    valid_to: datetime | None
    schedule: Mapping[str, Any]
    """As it is sent."""
