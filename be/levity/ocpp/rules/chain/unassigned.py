"""What the register of a connector moved in no session.

The sessions of the connector and its samples outside of sessions are laid along its register, in
the order of their time. A register that begins anew opens another *segment*: within a segment
everything that the register moved is either in a session or unassigned, to the Wh; between two
segments nothing is known, and nothing is made up.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from levity.ocpp.rules.lives import FASTEST, ROUNDING, most
from levity.writing import gettext_noop
from levity_ws.frozen import frozen

__all__ = [
    "BETWEEN",
    "SAMPLES",
    "TO_SAMPLE",
    "TO_START",
    "Interval",
    "Point",
    "Segment",
    "Unassigned",
    "segments",
    "unassigned",
]

ZERO = Decimal(0)
# A register that stands still for so long tells two stretches from each other: one is over.
PAUSE = timedelta(hours=1)
# Wh. Some chargers tell whole kWh at the start and the stop, and samples to the Wh: it shows in so
# many sessions after each other.
COARSE, IN_A_ROW = Decimal(1000), 3

SAMPLES, TO_SAMPLE, TO_START, BETWEEN = "samples", "to-sample", "to-start", "between"
"""What shows a stretch: samples outside of sessions; the end of a session and the next sample; the
last sample and the start of a session; the end of a session and the start of the next."""
TEXTS = {
    SAMPLES: gettext_noop("samples outside sessions"),
    TO_SAMPLE: gettext_noop("from the end of a session to the next sample"),
    TO_START: gettext_noop("from the last sample to the start of a session"),
    BETWEEN: gettext_noop("from the end of a session to the start of the next"),
}


@frozen
class Interval:
    """What one session has of its connector's register. Wh; the charger's clock."""

    id: int
    since: datetime
    until: datetime | None
    """None: it runs."""
    wh_from: Decimal | None
    """None: it is not known at which value it began."""
    wh_until: Decimal | None
    """None: it is not known at which value it ended, or how far it has come."""
    by_session: bool = False
    """Its values count from its own start, so they say nothing of the meter's register."""
    anew: bool = False
    """The register began anew within it: `wh_until` belongs to another segment."""


@frozen
class Point:
    """The register in a sample outside of sessions. Wh; the charger's clock."""

    at: datetime
    wh: Decimal


@frozen
class Unassigned:
    """A stretch of the register that lies in no session."""

    since: datetime
    """The last time at which the register showed `wh_from`."""
    until: datetime
    """The first time at which it showed `wh_until`."""
    wh_from: Decimal
    wh_until: Decimal
    before: int | None = None
    """The session that ended before it; None: there is none in this segment."""
    after: int | None = None
    """The session that began after it; None: none has yet."""
    shown_by: str = SAMPLES

    @property
    def wh(self) -> Decimal:
        """How much that is."""
        return self.wh_until - self.wh_from

    @property
    def words(self) -> str:
        """What shows it, for people."""
        return TEXTS[self.shown_by]

    @property
    def evidence(self) -> str:
        """The same with the values of the register."""
        return f"{self.words}: {_plain(self.wh_from)} to {_plain(self.wh_until)} Wh"


@dataclass(slots=True)
class Segment:
    """What a register that rises without a break moved, and whose that is."""

    lowest: Decimal
    level: Decimal
    """The highest value so far."""
    at: datetime
    """The last time at which it showed that."""
    in_sessions: Decimal = ZERO
    rounding: Decimal = ZERO
    """Rises that are too small to be anything, and of no session."""
    stretches: list[Unassigned] = field(default_factory=list)
    session: int | None = None
    """The session that ended last."""
    by_sample: bool = False
    """Its level was shown by a sample last, not by a session."""
    known: int = 0
    """So many of the stretches have their session behind them."""

    @property
    def moved(self) -> Decimal:
        """Wh from its lowest value to its highest."""
        return self.level - self.lowest

    def sample(self, wh: Decimal, at: datetime) -> None:
        """A sample outside of sessions shows this."""
        self._rise(wh, at, SAMPLES if self.by_sample else TO_SAMPLE)
        self.by_sample = True

    def start(self, wh: Decimal, at: datetime) -> None:
        """A session begins here."""
        self._rise(wh, at, TO_START if self.by_sample else BETWEEN)

    def claim(self, session: int, wh: Decimal, at: datetime) -> None:
        """This session has everything up to this value."""
        self.in_sessions += max(wh - self.level, ZERO)
        self.level, self.at = max(self.level, wh), max(self.at, at)
        self.session, self.by_sample = session, False
        followed = [replace(item, after=session) for item in self.stretches[self.known :]]
        self.stretches[self.known :] = followed
        self.known = len(self.stretches)

    def _rise(self, wh: Decimal, at: datetime, shown_by: str) -> None:
        if wh > self.level:
            self.stretches.append(
                Unassigned(self.at, max(at, self.at), self.level, wh, self.session, None, shown_by)
            )
            self.level = wh
        self.at = max(self.at, at)


def unassigned(
    sessions: Iterable[Interval], points: Iterable[Point], max_power: int = FASTEST
) -> list[Unassigned]:
    """The stretches of the register of one connector that lie in no session, in their order.

    `points` may be of any time: those within a session belong to it. `max_power` (W) is what the
    connector can deliver: a register that rises faster than that has jumped.
    """
    return [
        stretch
        for segment in segments(sessions, points, max_power)
        for stretch in segment.stretches
    ]


def segments(
    sessions: Iterable[Interval], points: Iterable[Point], max_power: int = FASTEST
) -> list[Segment]:
    """The same with all that the register moved: in each segment `moved` is `in_sessions`, its
    stretches and `rounding`, exactly."""
    walk = _Walk(max_power)
    ordered = sorted(sessions, key=lambda item: (item.since, item.id))
    outside = _outside(ordered, sorted(points, key=lambda point: point.at))
    waiting = next(outside, None)
    run: list[Point] = []
    for interval in ordered:
        while waiting is not None and waiting.at <= interval.since:
            run.append(waiting)
            waiting = next(outside, None)
        walk.take(run, None if interval.by_session else interval.wh_from)
        run = []
        walk.session(interval)
    while waiting is not None:
        run.append(waiting)
        waiting = next(outside, None)
    walk.take(run, None)
    for segment in walk.found:
        segment.stretches = list(_sorted_out(segment))
    return walk.found


class _Walk:
    """Along the register, in the order of time."""

    def __init__(self, max_power: int) -> None:
        self.max_power = max_power
        self.coarse = 0
        """How many sessions after each other told whole kWh."""
        self.found: list[Segment] = []
        self.here: Segment | None = None
        self.before: Segment | None = None
        """Which the register may go back to: what it showed in between were slips."""

    def take(self, points: Sequence[Point], following: Decimal | None) -> None:
        """Samples outside of sessions, up to a session that begins at `following`."""
        for point in self._without_slips(points, following):
            if self._is_slip(point.wh, point.at):
                self._go_back()
            if self.here is None or not self._fits(self.here, point.wh, point.at):
                self._begin(point.wh, point.at)
            here = self.here
            assert here is not None
            is_coarse = self.coarse >= IN_A_ROW and not here.by_sample
            if is_coarse and ZERO < point.wh - here.level < COARSE:
                # The rest of a kWh, which the session did not tell.
                here = self._begin(point.wh, point.at)
            here.sample(point.wh, point.at)

    def session(self, item: Interval) -> None:
        """A session: what the register moved up to its start is of nobody."""
        if item.by_session:
            # What it drew shows in the meter's own register as well: nobody knows how much.
            self._end()
            return
        start = item.wh_from
        if start is None:
            self._end()
        else:
            here = self._at_start(start, item.since)
            here.start(start, item.since)
            here.claim(item.id, start, item.since)
        if item.wh_until is None:
            self._end()
            return
        until = item.until or item.since
        if start is None or item.anew or item.wh_until < start - ROUNDING:
            here = self._begin(item.wh_until, until)
        here.claim(item.id, item.wh_until, until)
        ends = [wh for wh in (start, item.wh_until) if wh is not None]
        is_whole = all(wh > 0 and wh % COARSE == 0 for wh in ends)
        self.coarse = self.coarse + 1 if is_whole else 0

    def _at_start(self, start: Decimal, since: datetime) -> Segment:
        """The segment in which a session begins at this value."""
        if self._is_slip(start, since):
            self._go_back()
        here = self.here
        if here is None:
            return self._begin(start, since)
        overlaps = here.lowest - ROUNDING <= start <= here.level and since < here.at
        return here if overlaps or self._fits(here, start, since) else self._begin(start, since)

    def _fits(self, segment: Segment, wh: Decimal, at: datetime) -> bool:
        rise = wh - segment.level
        seconds = (at - segment.at).total_seconds()
        return -ROUNDING <= rise <= most(seconds, self.max_power)

    def _is_slip(self, wh: Decimal, at: datetime) -> bool:
        """True if the register goes on from the segment before, and not from this one."""
        here, before = self.here, self.before
        if here is None or before is None or here.session is not None:
            return False
        if not self._fits(before, wh, at):
            return False
        # What shows the very same value again has not begun anew in between.
        is_same = wh <= before.level + ROUNDING and wh > here.level + ROUNDING
        return is_same or not self._fits(here, wh, at)

    def _go_back(self) -> None:
        self.found.pop()
        self.here, self.before = self.before, None

    def _begin(self, wh: Decimal, at: datetime) -> Segment:
        self.before = self.here
        self.here = Segment(wh, wh, at)
        self.found.append(self.here)
        return self.here

    def _end(self) -> None:
        self.here = self.before = None

    def _without_slips(self, points: Sequence[Point], following: Decimal | None) -> Iterator[Point]:
        """Without values that nothing goes on from: neither the next, nor the session behind."""
        known = None if self.here is None else self.here.level
        begun = known
        for place, point in enumerate(points):
            after = following if place + 1 == len(points) else points[place + 1].wh
            if _is_off(known, point.wh, after) or _is_off(begun, point.wh, following):
                continue
            known = point.wh
            yield point


def _is_off(before: Decimal | None, wh: Decimal, after: Decimal | None) -> bool:
    """True where the register goes on from the one to the other, and this value is not between."""
    if before is None or after is None or after < before - ROUNDING:
        return False
    return not before - ROUNDING <= wh <= after + ROUNDING


def _outside(sessions: Sequence[Interval], points: Iterable[Point]) -> Iterator[Point]:
    """The points that lie in the time of no session; one that runs lasts until the next begins."""
    ends: list[datetime | None] = [item.until for item in sessions]
    for place, item in enumerate(sessions[:-1]):
        if item.until is None:
            ends[place] = sessions[place + 1].since
    place, until = 0, None
    for point in points:
        while place < len(sessions) and sessions[place].since < point.at:
            end = ends[place]
            if end is None:
                return
            until = end if until is None else max(until, end)
            place += 1
        if until is None or point.at > until:
            yield point


def _sorted_out(segment: Segment) -> Iterator[Unassigned]:
    """Rises that follow from each other as one stretch; what is rounding goes to the segment."""
    kept: Unassigned | None = None
    for rise in (*segment.stretches, None):
        if kept is not None and rise is not None and _is_one(kept, rise):
            is_small = kept.wh <= ROUNDING
            kept = replace(
                kept,
                until=rise.until,
                wh_until=rise.wh_until,
                after=rise.after,
                shown_by=rise.shown_by if is_small else kept.shown_by,
            )
            continue
        if kept is not None and kept.wh <= ROUNDING:
            segment.rounding += kept.wh
        elif kept is not None:
            yield kept
        kept = rise


def _is_one(first: Unassigned, second: Unassigned) -> bool:
    """True if the second goes on from the first: shown in the same way, without a long pause."""
    if first.wh_until != second.wh_from or first.before != second.before:
        return False
    if min(first.wh, second.wh) <= ROUNDING:
        return True
    return first.shown_by == second.shown_by and second.since - first.until < PAUSE


def _plain(wh: Decimal) -> str:
    text = f"{wh:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
