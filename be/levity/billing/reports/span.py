"""The days that a report is about, in one time zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.ocpp.deciding import Worded
from levity_ws.frozen import frozen

__all__ = ["MOST_DAYS", "TOO_LONG", "BadSpan", "Span", "month_before", "span_of", "zone_named"]

MOST_DAYS = 3 * 366
"""So that a question takes a known time."""
TOO_LONG = gettext_noop("these are more than %(days)s days: ask for a part of them at a time")
DAY = timedelta(days=1)


class BadSpan(Worded, ValueError):
    """Days that no report can be about; the text says why."""


@frozen
class Span:
    """From the first moment of one day to the last of another, both included."""

    first: date
    last: date
    zone: tzinfo

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return _midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The moment after its last."""
        return _midnight(self.last + DAY, self.zone)

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def span_of(first: Any, last: Any, zone: tzinfo, today: date) -> Span:
    """These days (dates or texts such as 2026-11-01). Without both, the month of `today`; without
    one of them, the month of the other. Raises `BadSpan`."""
    begin, end = (_day(each) for each in (first, last))
    if begin is None:
        begin = (end or today).replace(day=1)
    if end is None:
        end = (begin.replace(day=1) + 32 * DAY).replace(day=1) - DAY
    if end < begin:
        raise BadSpan(
            gettext_noop("the last day, %(last)s, is before the first, %(first)s"),
            last=end,
            first=begin,
        )
    if end - begin >= MOST_DAYS * DAY:
        raise BadSpan(TOO_LONG, days=MOST_DAYS)
    return Span(begin, end, zone)


def month_before(day: date) -> tuple[date, date]:
    """The first and the last day of the month before that of this day."""
    last = day.replace(day=1) - DAY
    return last.replace(day=1), last


def zone_named(name: str) -> tzinfo:
    """The time zone of this name; raises `BadSpan`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSpan(
            gettext_noop("%(name)s is no time zone: give one like Europe/Berlin"), name=repr(name)
        ) from None


def _day(given: Any) -> date | None:
    if given is None or given == "":
        return None
    try:
        found = given if isinstance(given, date) else date.fromisoformat(str(given))
    except ValueError:
        raise BadSpan(
            gettext_noop("%(day)s is no day: give one like 2026-11-01"), day=repr(str(given)[:40])
        ) from None
    # Years that some time zone pushes out of the calendar.
    if not 1970 <= found.year <= 9000:
        raise BadSpan(gettext_noop("%(day)s is outside of the calendar of chargers"), day=found)
    return found


def _midnight(day: date, zone: tzinfo) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()), zone).astimezone(UTC)
