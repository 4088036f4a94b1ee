"""A session by the hour: its energy, its greatest power, and how long it lasted in each.

Energy is divided by what the register showed, linear between two samples. The hours add up to the
session's energy exactly, whatever that was derived from: the samples say only how it was spread.
Without Django: values in, values out. Hours are those of UTC.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from levity.ocpp.rules.readings import STRONGEST
from levity_ws.frozen import frozen

__all__ = ["HOUR", "MOST_HOURS", "HourOfSession", "Metered", "hour_of", "hours_of"]

HOUR = timedelta(hours=1)
MOST_HOURS = 1_000
"""Of a session; what lies before them counts for the first of them. A charger whose clock was never
set may say that a session has lasted since 1970."""
ONE_WH, ZERO = Decimal(1), Decimal(0)
MICROSECOND = timedelta(microseconds=1)
# A rise within seconds says nothing of the power: the register moves in steps.
SHORTEST = timedelta(seconds=50)

Sample = tuple[datetime, Decimal]


@frozen
class Metered:
    """A session as it is divided."""

    start: datetime
    end: datetime
    """Of a session that runs: now. Not before the start."""
    wh: Decimal
    """What it came to, in Wh."""
    meter_start: Decimal | None = None
    meter_stop: Decimal | None = None
    registers: Sequence[Sample] = ()
    """Wh by the charger's clock, in any order."""
    powers: Sequence[Sample] = ()
    """W, the same."""


@frozen
class HourOfSession:
    """What one hour has of a session."""

    hour: datetime
    wh: Decimal
    seconds: int
    power: int | None
    """The greatest in W, as told, or else by the register; None: neither tells."""


def hour_of(moment: datetime) -> datetime:
    """When the hour of this moment began."""
    return moment.replace(minute=0, second=0, microsecond=0)


def hours_of(session: Metered) -> list[HourOfSession]:
    """The hours of this session in their order, at least one; their energies add up to `wh`."""
    curve = _curve(session)
    edges = _edges(session)
    told = _strongest(session.powers, session)
    by_register = {} if told else _strongest(list(_by_register(curve, edges)), session)
    found, before = [], ZERO
    for start, end in pairwise(edges):
        is_last = end == edges[-1]
        so_far = session.wh if is_last else _at(curve, end)
        hour = hour_of(start)
        power = told.get(hour, by_register.get(hour))
        found.append(HourOfSession(hour, so_far - before, _seconds(end - start), power))
        before = so_far
    return found


def _edges(session: Metered) -> list[datetime]:
    """The start, each full hour within, and the end."""
    end = max(session.end, session.start)
    first = max(hour_of(session.start), hour_of(end) - (MOST_HOURS - 1) * HOUR)
    edges = [max(session.start, first)]
    edge = first + HOUR
    while edge < end:
        edges.append(edge)
        edge += HOUR
    return [*edges, end]


def _curve(session: Metered) -> list[Sample]:
    """Wh since the start at each moment of which something is known, never falling; the last is
    all of the session's energy."""
    rises = list(_rises(session))
    total = sum((rise for _, rise in rises), ZERO)
    if not total:
        # Taken evenly where nothing says when.
        return [(session.start, ZERO), (max(session.end, session.start), session.wh)]
    curve, so_far = [(session.start, ZERO)], ZERO
    for at, rise in rises:
        so_far += rise
        curve.append((at, session.wh * so_far / total))
    return curve


def _rises(session: Metered) -> Iterator[Sample]:
    """By how much the register rose until each moment, since the one before.

    A register that counts from the session's start, or that begins anew, goes on from 0. What is
    more than the whole session is no value of it.
    """
    last, before_fall = session.meter_start, None
    for at, value in sorted(session.registers):
        if not session.start <= at <= session.end:
            continue
        since = ZERO if last is None else value - last
        if before_fall is not None and 0 <= value - before_fall <= session.wh < since:
            # One value was off: it is where it was.
            since = value - before_fall
        elif since < 0 or since > session.wh:
            since = value
        if not 0 <= since <= session.wh:
            continue
        if last is not None and value < last:
            before_fall = last
        last = value
        yield at, since
    stop = session.meter_stop
    if stop is not None and last is not None and 0 <= stop - last <= session.wh:
        yield session.end, stop - last


def _at(curve: Sequence[Sample], moment: datetime) -> Decimal:
    """Wh since the start, in whole ones, as two neighbours share one value."""
    place = bisect_right(curve, moment, key=lambda item: item[0])
    if place == len(curve):
        return curve[-1][1]
    (before, low), (after, high) = curve[place - 1], curve[place]
    share = Decimal((moment - before) // MICROSECOND) / Decimal((after - before) // MICROSECOND)
    return (low + (high - low) * share).quantize(ONE_WH, ROUND_HALF_UP)


def _by_register(curve: Sequence[Sample], edges: Sequence[datetime]) -> Iterator[Sample]:
    """The mean power between two values of the register, in each hour that they touch."""
    for (before, low), (after, high) in pairwise(curve):
        lasted = after - before
        if lasted < SHORTEST or high == low:
            continue
        watts = (high - low) * 3600 / Decimal(lasted.total_seconds())
        first, last = bisect_right(edges, before), bisect_right(edges, after)
        for moment in (before, *edges[first:last]):
            if moment < after:
                yield moment, watts


def _strongest(values: Sequence[Sample], session: Metered) -> dict[datetime, int]:
    found: dict[datetime, int] = {}
    for at, value in values:
        if session.start <= at <= session.end and 0 <= value <= STRONGEST:
            hour = hour_of(at)
            found[hour] = max(found.get(hour, 0), round(value))
    return found


def _seconds(lasted: timedelta) -> int:
    return round(lasted.total_seconds())
