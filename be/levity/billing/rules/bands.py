"""Wall-clock times of a site: when a time band begins and ends, daylight saving included.

Bands are in the site's wall-clock time, durations in real seconds: in spring the hour from 02:00
does not exist in most of Europe, in autumn it comes twice.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from levity_ws.frozen import frozen

__all__ = ["ALWAYS", "Band", "instants"]

DAY = timedelta(days=1)


@frozen
class Band:
    """Hours of the week and days of the year in which a price holds; what is None sets no bound."""

    begins: time | None = None
    """Wall-clock time, included."""
    ends: time | None = None
    """Wall-clock time, excluded; one before `begins` is on the next day, 00:00 is midnight."""
    weekdays: frozenset[int] | None = None
    """0 is Monday. A band over midnight belongs to the day on which each of its hours lies."""
    season: tuple[tuple[int, int], tuple[int, int]] | None = None
    """First and last (month, day), both included; the first may be later in the year."""
    on_holidays: bool | None = None
    """True: only on holidays; False: never on them."""

    @property
    def has_bounds(self) -> bool:
        """True if there are times at which it does not hold."""
        return self != ALWAYS

    def holds_at(self, moment: datetime, holidays: Collection[date]) -> bool:
        """True if the band holds at this wall-clock moment."""
        return (
            self._in_hours(moment.time())
            and (self.weekdays is None or moment.weekday() in self.weekdays)
            and self._in_season(moment.date())
            and (self.on_holidays is None or self.on_holidays == (moment.date() in holidays))
        )

    def _in_hours(self, clock: time) -> bool:
        begins, ends = self.begins or time(), self.ends or time()
        if ends == time():
            return clock >= begins
        if begins < ends:
            return begins <= clock < ends
        return clock >= begins or clock < ends

    def _in_season(self, day: date) -> bool:
        if self.season is None:
            return True
        first, last = self.season
        today = day.month, day.day
        return first <= today <= last if first <= last else today >= first or today <= last


ALWAYS = Band()


def instants(
    start: datetime, end: datetime, clocks: Iterable[time], zone: ZoneInfo
) -> list[datetime]:
    """The instants (UTC) after start and before end at which one of these wall-clock times comes,
    or the clocks are changed; sorted."""
    wanted = set(clocks)
    found = set(_changes_of_clock(start, end, zone))
    day, last = (start - DAY).astimezone(zone).date(), (end + DAY).astimezone(zone).date()
    while day <= last:
        for clock in wanted:
            for fold in (0, 1):
                moment = datetime.combine(day, clock, zone).replace(fold=fold)
                found.add(moment.astimezone(UTC))
        day += DAY
    return sorted(instant for instant in found if start < instant < end)


def _changes_of_clock(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    moment = start.astimezone(UTC)
    while moment < end:
        later = min(moment + DAY, end.astimezone(UTC))
        if _offset(moment, zone) != _offset(later, zone):
            yield _change_between(moment, later, zone)
        moment = later


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    old = _offset(before, zone)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if _offset(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
