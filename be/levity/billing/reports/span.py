"""The days that a report is about, in one time zone."""

from datetime import date, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext_noop

from levity.days import DAY, Days, month_of
from levity.writing import Worded
from levity_ws.frozen import frozen

__all__ = ["MOST_DAYS", "TOO_LONG", "BadSpan", "Span", "span_of", "zone_named"]

MOST_DAYS = 3 * 366
"""So that a question takes a known time."""
TOO_LONG = gettext_noop("these are more than %(days)s days: ask for a part of them at a time")


class BadSpan(Worded, ValueError):
    """Days that no report can be about; the text says why."""


@frozen
class Span(Days):
    """What a report is about."""

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def span_of(first: Any, last: Any, zone: tzinfo, today: date) -> Span:
    """These days (dates or texts such as 2026-11-01). Without both, the month of `today`; without
    one of them, the month of the other. Raises `BadSpan`."""
    begin, end = (_day(each) for each in (first, last))
    if begin is None:
        begin = month_of(end or today)[0]
    if end is None:
        end = month_of(begin)[1]
    if end < begin:
        raise BadSpan(
            gettext_noop("the last day, %(last)s, is before the first, %(first)s"),
            last=end,
            first=begin,
        )
    if end - begin >= MOST_DAYS * DAY:
        raise BadSpan(TOO_LONG, days=MOST_DAYS)
    return Span(begin, end, zone)


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
