"""The days that a page is about: seven, thirty, or a month, and the ones before and after."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.http import QueryDict
from django.utils import timezone
from django.utils.http import urlencode

from levity_ws.frozen import frozen

__all__ = ["KINDS", "Period", "period_of"]

KINDS = {"7": "7 days", "30": "30 days", "month": "Month"}
"""What can be chosen, by the word in the address."""
DAY = timedelta(days=1)


@frozen
class Period:
    """From the first moment of one day to the last of another, in a time zone."""

    kind: str
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

    @property
    def days(self) -> list[tuple[date, datetime]]:
        """Each of its days, and when it begins."""
        count = (self.last - self.first).days + 1
        each = [self.first + DAY * number for number in range(count)]
        return [(day, _midnight(day, self.zone)) for day in each]

    @property
    def text(self) -> str:
        """For people: 24 to 30 November 2026."""
        first, last = self.first, self.last
        if self.kind == "month":
            return f"{first:%B %Y}"
        begin = f"{first.day}"
        if (first.year, first.month) != (last.year, last.month):
            begin += f" {first:%B}"
        if first.year != last.year:
            begin += f" {first.year}"
        return f"{begin} to {last.day} {last:%B %Y}"

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


def _around(kind: str, day: date, zone: tzinfo) -> Period:
    if kind == "month":
        first = day.replace(day=1)
        last = (first + 32 * DAY).replace(day=1) - DAY
        return Period(kind, first, last, zone)
    return Period(kind, day - (int(kind) - 1) * DAY, day, zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    # In UTC: Python subtracts two times of one zone as they stand on the wall.
    return timezone.make_aware(datetime.combine(day, time()), zone).astimezone(UTC)
