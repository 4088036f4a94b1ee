"""A charging schedule, whichever version of OCPP has told it: what a plot and a table show."""

from datetime import datetime
from decimal import Decimal

from levity_ws.frozen import frozen

__all__ = ["Period", "Schedule"]


@frozen
class Period:
    """From so many seconds after the begin, until the next one."""

    start: int
    limit: Decimal
    phases: int | None = None


@frozen
class Schedule:
    """Its periods by their starts; `begins` is None where it counts from the start of a session."""

    unit: str
    periods: tuple[Period, ...]
    begins: datetime | None = None
    duration: int | None = None
    """Seconds; None: without an end."""
    every: int | None = None
    """It begins anew after so many seconds; None: never."""
    facts: tuple[tuple[str, str], ...] = ()
    """(what, value) about the whole of it, for people."""
