"""Until when a card is good, as people say it: a day counts to its end, in the site's time zone.

The database holds the moment from which on it is refused: of 2026-12-31 the midnight after it.
"""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

__all__ = ["FIRST_YEAR", "LAST_YEAR", "end_of", "expiry_text", "last_day"]

FIRST_YEAR, LAST_YEAR = 1900, 9000
"""Years that no time zone pushes out of the calendar."""


def end_of(day: date) -> datetime:
    """The moment at which this day is over; ValueError for a year that is none of ours."""
    if not FIRST_YEAR <= day.year < LAST_YEAR:
        raise ValueError(f"{day} is too far from now")
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


def last_day(expires_at: datetime) -> date | None:
    """The last day on which such a card is good; None if it ends within a day."""
    try:
        day = timezone.localdate(expires_at) - timedelta(days=1)
        # Compared as moments: where clocks go forward at midnight, the day begins at one.
        return day if end_of(day).timestamp() == expires_at.timestamp() else None
    except (OverflowError, ValueError):
        return None


def expiry_text(expires_at: datetime | None) -> str:
    """2026-12-31, or 2026-12-31T16:00:00+01:00 if it ends within a day; empty: never."""
    if expires_at is None:
        return ""
    if day := last_day(expires_at):
        return day.isoformat()
    try:
        return timezone.localtime(expires_at).isoformat()
    except (OverflowError, ValueError):
        return expires_at.isoformat()
