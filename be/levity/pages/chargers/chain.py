"""The chain of a connector in some days: its register, the sessions on it, and what lies between.

Read with a fixed number of statements, and with as many sessions and samples as a page can show.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal

from levity.ocpp.chargers.clocks import BEFORE_OCPP
from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint, Connector, Transaction
from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.registers import interval_of
from levity.ocpp.rules.chain.unassigned import Interval, Point, Unassigned, unassigned
from levity.ocpp.rules.lives import FASTEST, NO_TRAIL, ROUNDING, Trail, most, read
from levity.ocpp.rules.sampled import KILO, SAMPLES_IN_KWH
from levity.ocpp.store.samples.outside_sessions import newest_outside
from levity.pages.chargers.filters import started_within
from levity.pages.kit.periods import Period
from levity_ws.frozen import frozen

__all__ = [
    "Chain",
    "Claimed",
    "Overlap",
    "chain_of",
    "claimed",
    "most_power",
    "overlaps_of",
]

SESSIONS, SAMPLES = 300, 10_000
"""At most so many are shown, the newest."""
# Sessions before the first day, which may reach into it, and from which the register goes on.
BEFORE = 3
OVERLAPPING = frozenset({"overlaps-next", "overlaps-previous", "neighbours-disagree"})


@frozen
class Claimed:
    """What a session has of the register. Wh; times by the charger's clock, or by ours where that
    was never set."""

    item: Transaction
    interval: Interval
    """What the rules take it for."""
    since: datetime
    until: datetime
    """Now, while it runs."""
    pieces: tuple[tuple[Point, ...], ...]
    """What the register showed, in stretches on which it rose as it can."""
    low: Decimal | None
    """Where it began. None: not known."""
    high: Decimal | None
    """Where it ended. None: not known, or it does not go on from where it began."""
    anew: bool
    """The register began anew since the session before."""


@frozen
class Overlap:
    """The same Wh in two sessions."""

    first: Claimed
    second: Claimed
    low: Decimal
    high: Decimal

    @property
    def wh(self) -> Decimal:
        """How much both have."""
        return self.high - self.low


@frozen
class Chain:
    """What is drawn and listed."""

    sessions: tuple[Claimed, ...]
    """In the order in which they began."""
    gaps: tuple[Unassigned, ...]
    """What lies in no session."""
    overlaps: tuple[Overlap, ...]
    samples: tuple[Point, ...]
    """Outside of sessions."""
    is_cut: bool = False
    """There are more sessions or samples than are shown: only the newest."""


def chain_of(connector: Connector, period: Period, now: datetime) -> Chain:
    """The chain of this connector in these days."""
    there = Transaction.objects.filter(
        charge_point=connector.charge_point_id, evse=connector.evse, connector=connector.number
    )
    within = list(
        there.filter(started_within(period.since, period.until)).order_by("-started_at", "-id")[
            : SESSIONS + 1
        ]
    )
    earlier = there.filter(started_at__gte=BEFORE_OCPP, started_at__lt=period.since)
    before = list(earlier.order_by("-started_at", "-id")[:BEFORE])
    samples, is_cut = newest_outside(connector, period.since, min(period.until, now), SAMPLES)
    found = _in_order([*before, *within[:SESSIONS]], now)
    power = max(most_power(connector.charge_point), FASTEST)
    gaps = unassigned((each.interval for each in found), samples, power)
    shown = tuple(each for each in found if each.until >= period.since)
    return Chain(
        shown,
        tuple(gap for gap in gaps if gap.until > period.since and gap.since < period.until),
        overlaps_of(shown),
        tuple(samples),
        is_cut or len(within) > SESSIONS,
    )


def most_power(charge_point: ChargePoint) -> int:
    """W that one of its connectors can deliver, as far as that is known."""
    return charge_point.max_power or max(setting("OCPP_MAX_POWER"), charge_point.learned_power or 0)


def claimed(item: Transaction, now: datetime) -> Claimed:
    """What this session has of the register, by the rules that find what lies in none."""
    interval = interval_of(_recorded(item))
    flags = set(item.flags.split())
    since, until = interval.since, max(interval.until or now, interval.since)
    low, high, base = interval.wh_from, interval.wh_until, Decimal(0)
    if interval.by_session:
        # Drawn from where the meter stood at the start, as far as that is known.
        low = base = item.meter_start or Decimal(0)
        high = None if item.energy is None else low + item.energy
    elif item.state == Transaction.State.ACTIVE and high is None:
        high = low
    shown = [] if low is None else [Point(since, low)]
    shown += _readings(item, since, until, base, KILO if SAMPLES_IN_KWH in flags else 1)
    if high is not None:
        shown.append(Point(until, high))
    is_whole = low is not None and high is not None and high >= low - ROUNDING
    return Claimed(
        item, interval, since, until, _pieces(shown), low, high if is_whole else None, anew=False
    )


def overlaps_of(sessions: Sequence[Claimed]) -> tuple[Overlap, ...]:
    """Where two of these, in their order, have the same Wh of one register: at the same time, or
    flagged as such. (A register that begins anew shows the same values again.)"""
    found = []
    reach: Claimed | None = None
    for each in sessions:
        if each.interval.by_session or each.low is None or each.high is None:
            continue
        if reach is not None:
            assert reach.low is not None
            assert reach.high is not None
            low, high = max(each.low, reach.low), min(each.high, reach.high)
            flags = {*each.item.flags.split(), *reach.item.flags.split()}
            if high - low > ROUNDING and (each.since < reach.until or flags & OVERLAPPING):
                found.append(Overlap(reach, each, low, high))
                if each.high < reach.high:
                    continue
        reach = each
    return tuple(found)


def _in_order(items: Iterable[Transaction], now: datetime) -> list[Claimed]:
    each = sorted((claimed(item, now) for item in items), key=lambda one: (one.since, one.item.pk))
    return list(_with_breaks(each))


def _with_breaks(sessions: Sequence[Claimed]) -> Iterator[Claimed]:
    level: Decimal | None = None
    until: datetime | None = None
    for each in sessions:
        start = each.pieces[0][0].wh if each.pieces else None
        fell = start is not None and level is not None and start < level - ROUNDING
        is_anew = fell and until is not None and each.since >= until
        yield replace(each, anew=is_anew)
        if each.pieces:
            level, until = each.pieces[-1][-1].wh, each.until


def _recorded(item: Transaction) -> RecordedSession:
    return RecordedSession(
        **{each.name: getattr(item, each.name) for each in fields(RecordedSession)}
    )


def _trail(item: Transaction) -> Trail:
    try:
        return read(item.lives)
    except ValueError:
        # Another release wrote it: what is drawn is less exact.
        return NO_TRAIL


def _readings(
    item: Transaction, since: datetime, until: datetime, base: Decimal, factor: Decimal | int
) -> list[Point]:
    """What its samples showed, as far as it is kept with the session: none is read again."""
    found = []
    for life in _trail(item).lives:
        for at, wh in ((life.first_at, life.first), (life.last_at, life.last)):
            moment = min(max(datetime.fromtimestamp(at, UTC), since), until)
            found.append(Point(moment, wh * factor + base))
    return found


def _pieces(points: Sequence[Point]) -> tuple[tuple[Point, ...], ...]:
    """Cut where it falls, or rises faster than any charger can."""
    found: list[list[Point]] = []
    for point in points:
        if found:
            last = found[-1][-1]
            rise, seconds = point.wh - last.wh, (point.at - last.at).total_seconds()
            if -ROUNDING <= rise <= most(seconds, FASTEST):
                if point != last:
                    found[-1].append(point)
                continue
        found.append([point])
    return tuple(tuple(piece) for piece in found)
