"""When something is to end, as a person writes it: a time of day, a date and time, or for how
long."""

from datetime import datetime, time, timedelta, tzinfo

from django.utils import timezone
from django.utils.dateparse import parse_datetime, parse_time

__all__ = ["EXAMPLES", "until_of"]

UNITS = {"m": 60, "h": 3600, "d": 86400}
EXAMPLES = "18:00, 2026-12-24T18:00, 90m, 2h or 1d"


def until_of(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The moment that this means, by clocks in this zone (None: the server's).

    A time of day is the next one to come. ValueError says what can be written.
    """
    bare = text.strip().lower()
    if bare[:-1].isascii() and bare[:-1].isdigit() and bare[-1:] in UNITS and len(bare) < 8:
        return now + timedelta(seconds=int(bare[:-1]) * UNITS[bare[-1]])
    try:
        moment = parse_datetime(text.strip().upper()) if len(bare) > 10 else None
        clock = parse_time(bare) if moment is None and len(bare) <= 8 else None
    except ValueError:
        moment = clock = None
    if clock is not None:
        moment = _next(clock, now, zone)
    if moment is None:
        raise ValueError(f"{text!r} is not a time such as {EXAMPLES}")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment, zone)


def _next(clock: time, now: datetime, zone: tzinfo | None) -> datetime:
    today = timezone.localtime(now, zone).date()
    found = timezone.make_aware(datetime.combine(today, clock.replace(tzinfo=None)), zone)
    if found <= now:
        tomorrow = datetime.combine(today + timedelta(days=1), clock.replace(tzinfo=None))
        found = timezone.make_aware(tomorrow, zone)
    return found
