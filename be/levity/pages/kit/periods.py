"""The days that a page is about: seven, thirty, or a month, and the ones before and after."""

from datetime import date, datetime, tzinfo

from django.http import QueryDict
from django.utils import timezone
from django.utils.dates import MONTHS, MONTHS_3, WEEKDAYS_ABBR
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, gettext_noop, pgettext

from levity.days import DAY, Days, midnight, month_of
from levity.writing import language_or_english
from levity_ws.frozen import frozen

__all__ = ["KINDS", "Period", "day_and_month", "period_of", "weekday_and_day"]

KINDS = {
    "7": gettext_noop("7 days"),
    "30": gettext_noop("30 days"),
    "month": gettext_noop("Month"),
}
"""What can be chosen, by the word in the address."""


@frozen
class Period(Days):
    """What a page is about, and how that was chosen: a word of `KINDS`."""

    kind: str

    @property
    def days(self) -> list[tuple[date, datetime]]:
        """Each of its days, and when it begins."""
        count = (self.last - self.first).days + 1
        each = [self.first + DAY * number for number in range(count)]
        return [(day, midnight(day, self.zone)) for day in each]

    @property
    def text(self) -> str:
        """For people: 24 to 30 November 2026."""
        first, last = self.first, self.last
        if self.kind == "month":
            return f"{MONTHS[first.month]} {first.year}"
        begin = _number(first)
        if (first.year, first.month) != (last.year, last.month):
            begin += f" {MONTHS[first.month]}"
        if first.year != last.year:
            begin += f" {first.year}"
        end = f"{_number(last)} {MONTHS[last.month]} {last.year}"
        return gettext("%(first)s to %(last)s") % {"first": begin, "last": end}

    @property
    def query(self) -> str:
        """What an address says to ask for it."""
        return urlencode({"period": self.kind, "day": self.last.isoformat()})

    @property
    def before(self) -> "Period":
        """The one that ends where this begins."""
        return _around(self.kind, self.first - DAY, self.zone)

    @property
    def after(self) -> "Period":
        """The one that begins where this ends."""
        length = self.last - self.first
        day = self.last + (DAY if self.kind == "month" else length + DAY)
        return _around(self.kind, day, self.zone)

    def of_kind(self, kind: str) -> "Period":
        """One of another length that ends on the same day, or the month around that."""
        return _around(kind, self.last, self.zone)


def period_of(asked: QueryDict, zone: tzinfo | None, now: datetime) -> Period:
    """The period that the address asks for; what is no day, or no kind, is today's seven days."""
    where = zone or timezone.get_current_timezone()
    today = timezone.localtime(now, where).date()
    kind = asked.get("period", "")
    try:
        day = date.fromisoformat(asked.get("day", ""))
    except ValueError:
        day = today
    # Years that some time zone pushes out of the calendar are nobody's wish.
    if not 1970 <= day.year <= 9000:
        day = today
    return _around(kind if kind in KINDS else "7", day, where)


def weekday_and_day(day: date) -> str:
    """Such as: Tue 24."""
    return f"{WEEKDAYS_ABBR[day.weekday()]} {_number(day)}"


def day_and_month(day: date) -> str:
    """Such as: 24 Nov."""
    month = str(MONTHS_3[day.month])
    # Django writes English ones small, too.
    is_english = language_or_english(get_language()) == "en"
    return f"{_number(day)} {capfirst(month) if is_english else month}"


def _number(day: date) -> str:
    return pgettext("day of a month", "%(day)s") % {"day": day.day}


def _around(kind: str, day: date, zone: tzinfo) -> Period:
    if kind == "month":
        return Period(*month_of(day), zone, kind)
    return Period(day - (int(kind) - 1) * DAY, day, zone, kind)
