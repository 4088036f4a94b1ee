"""What a session used: its register through time, and when it only stood there."""

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from levity_ws.frozen import frozen

__all__ = ["STAY", "BadUsage", "Point", "Span", "Usage", "checked"]

ONE_WH = Decimal(1)
LONGEST = timedelta(days=366)
STAY = timedelta(days=14)
"""So long after a session a car that keeps the place is looked at, at most."""
YEARS = 1970, 9000


class BadUsage(ValueError):
    """These figures are no session; the text says why, for people."""


@frozen
class Point:
    """A reading of the meter's register."""

    at: datetime
    wh: Decimal


@frozen
class Span:
    """A time, its end excluded."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> Decimal:
        return _seconds(self.end - self.start)

    def within(self, start: datetime, end: datetime) -> "Span | None":
        """The part of it that lies there; None if none does."""
        first, last = max(self.start, start), min(self.end, end)
        return Span(first, last) if first < last else None


@frozen
class Usage:
    """A session as it is priced; `checked` makes one of readings as they came."""

    start: datetime
    end: datetime
    points: tuple[Point, ...]
    """Register readings in order of time, the first at the start, the last at the end."""
    full: tuple[Span, ...] = ()
    """When the car took no energy though it could: SuspendedEV, or Finishing with the plug in; also
    after the session's end, until the plug is out. Never SuspendedEVSE, never a pause of our own.
    """

    @property
    def wh(self) -> Decimal:
        """Energy of the session, Wh."""
        return self.points[-1].wh - self.points[0].wh

    def wh_between(self, start: datetime, end: datetime) -> Decimal:
        """Wh in this part of it: linear between two readings, in whole Wh at the edges.

        Neighbouring parts add up to the session exactly, for each edge has one register value.
        """
        return self._register(end) - self._register(start)

    def last_energy(self, until: datetime) -> datetime:
        """The end of the last time in which the register moved, as far as it is known by then; the
        start if it never did."""
        for before, after in zip(self.points[-2::-1], self.points[:0:-1], strict=False):
            if after.at <= until and after.wh > before.wh:
                return after.at
        return self.start

    def reaches(self, wh: Decimal) -> datetime | None:
        """When the session has used that much, linear between two readings; None: never."""
        wanted = self.points[0].wh + wh
        for before, after in itertools.pairwise(self.points):
            if before.wh < wanted <= after.wh:
                share = (wanted - before.wh) / (after.wh - before.wh)
                return before.at + (after.at - before.at) * float(share)
        return None

    def _register(self, moment: datetime) -> Decimal:
        if moment <= self.points[0].at:
            return self.points[0].wh
        at = bisect_right(self.points, moment, key=lambda point: point.at)
        if at == len(self.points):
            return self.points[-1].wh
        before, after = self.points[at - 1], self.points[at]
        if moment == before.at:
            return before.wh
        share = _seconds(moment - before.at) / _seconds(after.at - before.at)
        between = before.wh + (after.wh - before.wh) * share
        return between.quantize(ONE_WH, ROUND_HALF_UP)


def checked(
    start: datetime, end: datetime, points: Sequence[Point], full: Sequence[Span] = ()
) -> Usage:
    """A `Usage` of readings as they came: put in order, with one at each end.

    Readings outside of the session are left out; the register at its start and its end is then
    that of the nearest reading inside. Raises `BadUsage` if the session ends before it begins or
    more than a year later, a time has no zone, there is no reading, or the register falls (settle
    that first: a bill is no place to guess what a register did).
    """
    moments = [start, end, *(point.at for point in points)]
    if any(moment.tzinfo is None for moment in moments):
        raise BadUsage("a time has no time zone: write it as 2026-11-30T18:00:00+01:00")
    if end < start:
        raise BadUsage("the session ends before it begins")
    # Each day of it costs computing time.
    if end - start > LONGEST:
        raise BadUsage("the session lasts longer than a year")
    if not YEARS[0] <= start.year <= end.year <= YEARS[1]:
        raise BadUsage(f"the session is not between the years {YEARS[0]} and {YEARS[1]}")
    inside = sorted((p for p in points if start <= p.at <= end), key=lambda point: point.at)
    if not inside:
        raise BadUsage("the session has no register reading")
    if any(after.wh < before.wh for before, after in itertools.pairwise(inside)):
        raise BadUsage("the register falls within the session")
    if inside[0].at > start:
        inside.insert(0, Point(start, inside[0].wh))
    if inside[-1].at < end or len(inside) == 1:
        inside.append(Point(end, inside[-1].wh))
    kept = (span.within(start, end + STAY) for span in full)
    spans = sorted((span for span in kept if span), key=lambda span: span.start)
    return Usage(start, end, tuple(inside), tuple(spans))


def _seconds(duration: timedelta) -> Decimal:
    micro = duration // timedelta(microseconds=1)
    return Decimal(micro) / 1_000_000
