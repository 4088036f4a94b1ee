"""Days on the clock of a place: when they begin, and stretches of them."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.utils import timezone

from levity_ws.frozen import frozen

__all__ = ["DAY", "Days", "midnight", "month_before", "month_of"]

DAY = timedelta(days=1)


@frozen
class Days:
    """From the first moment of one day to the last of another, both included, in a time zone."""

    first: date
    last: date
    zone: tzinfo

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The moment after its last."""
        return midnight(self.last + DAY, self.zone)


def midnight(day: date, zone: tzinfo) -> datetime:
    """The moment at which a day begins there, in UTC: Python subtracts two times of one zone as
    they stand on the wall."""
    return timezone.make_aware(datetime.combine(day, time()), zone).astimezone(UTC)


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of the month that a day is in."""
    first = day.replace(day=1)
    return first, (first + 32 * DAY).replace(day=1) - DAY


def month_before(day: date) -> tuple[date, date]:
    """The first and the last day of the month before that of a day."""
    last = day.replace(day=1) - DAY
    return last.replace(day=1), last
