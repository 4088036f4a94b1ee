"""What signed data says, whichever the format."""

from datetime import datetime
from decimal import Decimal

from levity_ws.frozen import frozen

__all__ = ["BadData", "Signed", "SignedReading"]


class BadData(ValueError):
    """Signed data that can't be read; the text says why, for people."""


@frozen
class SignedReading:
    """One reading of a register."""

    at: datetime | None
    """None: not told, or no time."""
    is_synchronised: bool
    """The meter's clock was set by a source that it trusts."""
    kind: str
    """OCMF's TX: B begin, E end, L R A P S T ends of other kinds, C X others; empty."""
    obis: str
    """Which register."""
    wh: Decimal | None
    """None: no energy."""
    is_good: bool
    """The meter says that it works."""


@frozen
class Signed:
    """All that one piece of signed data says."""

    meter: str
    """Its serial number; empty: not told."""
    pagination: str
    """Counts what the meter has signed."""
    id_tag: str
    readings: tuple[SignedReading, ...]
