"""What the power that a charger tells comes to over time: the second opinion on its register.

Only power that flows counts: what is active and imported, else the current of the phases times
their voltage. What is offered says nothing of what was taken.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from levity.ocpp.effects import Sample
from levity.ocpp.rules.readings import BEGIN, ELSEWHERE, OFFERED, POWER, Reading, powers, total
from levity_ws.frozen import frozen

__all__ = ["GAP", "NO_WORK", "Flow", "Work", "mean_of", "power_of", "work_on"]

# Seconds. Two samples that are further apart say nothing of the time between them.
GAP = 5400
# Seconds. A sample that is dated further ahead of our clock is of a clock that is wrong.
AHEAD = 300
# V of a phase, where the charger tells none, and as much as one can have at most.
VOLTS, MOST_VOLTS = Decimal(230), 300
ROOT_OF_3 = Decimal("1.732")
CURRENT = "Current.Import"
# What tells of power, and in which unit.
POWERFUL = {POWER: "W", OFFERED: "W", "Voltage": "V", CURRENT: "A"}
WATTS = (POWER, OFFERED)
ZERO = Decimal(0)
# Where a flow comes from. One with the name of a phase is of this phase alone, as far as we know.
TOTAL, BY_CURRENT, BY_ONE_CURRENT, IN_PARTS = "", "A", "A1", "?"
# The better ones first; a phase by its name comes in between.
RANKS = {TOTAL: 0, BY_CURRENT: 1, BY_ONE_CURRENT: 3}
OF_A_PHASE = 2


class Flow(NamedTuple):
    """Power that flows at a moment."""

    at: int
    """The charger's time, seconds since 1970."""
    watts: int
    source: str = TOTAL
    is_inlet: bool = False
    """What the station draws."""


@frozen
class Work:
    """Power times time, as far as the samples of a session tell of it."""

    joules: int = 0
    """The mean power of each two samples that follow each other, times the time between them."""
    spread: int = 0
    """Joules by which it may be off: half the difference of these two, times the time."""
    seconds: int = 0
    """Time that it covers, by the charger's clock."""
    steps: int = 0
    """Between so many samples power flowed at both."""
    peak: int = 0
    """W; the most that flowed."""
    flow: int = 0
    """W, by the last sample."""
    at: int = -GAP
    """The charger's time of the last sample, seconds since 1970."""
    source: str = TOTAL

    @property
    def wh(self) -> float:
        """Wh by power."""
        return self.joules / 3600

    @property
    def certain(self) -> float:
        """Wh if of each two samples the lower one is true of the time between them."""
        return (self.joules - self.spread) / 3600

    @property
    def possible(self) -> float:
        """Wh if of each two samples the higher one is true."""
        return (self.joules + self.spread) / 3600

    @property
    def is_rough(self) -> bool:
        """It may be one phase's part of it only."""
        return self.source not in (TOTAL, BY_CURRENT)


NO_WORK = Work()


def power_of(
    samples: Sequence[Sample], told: Sequence[Reading] | None = None
) -> tuple[int, Sequence[Flow]]:
    """The most power, W, that these samples speak of, flowing or offered; and what flows at each
    moment of them, in their order.

    `told` is `readings.powers` of them, where that is known.
    """
    if told is None:
        told = powers(samples)
    said = volts = between = ZERO
    if told:
        for item in samples:
            value = item.value
            if item.measurand in WATTS and value is not None and item.location not in ELSEWHERE:
                said = max(said, value)
        return int(said), [_flow(item) for item in told if not item.is_begin]
    amperes: dict[str, Decimal] = {}
    for item in samples:
        kind = POWERFUL.get(item.measurand)
        value = item.value
        if kind is None or value is None or value < 0 or item.location in ELSEWHERE:
            continue
        if kind == "W":
            said = max(said, value)
        elif kind == "A":
            if item.context != BEGIN:
                amperes[item.phase] = value
        elif value > MOST_VOLTS and "-L" in item.phase:
            between = max(between, value)
        else:
            volts = max(volts, value)
    if not amperes:
        return int(said), ()
    # Between two lines there is the root of three times as much.
    phase = volts or between / ROOT_OF_3
    watts = int((phase or VOLTS) * total(amperes))
    known = said or (volts or between) * total(amperes)
    if samples[0].sampled_at != samples[-1].sampled_at:
        return int(known), _by_currents(samples, phase or VOLTS)
    source = BY_CURRENT if len(amperes) > 1 else BY_ONE_CURRENT
    return int(known), (Flow(int(samples[0].sampled_at.timestamp()), watts, source),)


def _flow(item: Reading) -> Flow:
    source = item.phases[0][0] if len(item.phases) == 1 else TOTAL
    return Flow(int(item.at.timestamp()), int(item.value), source, item.is_inlet)


def _by_currents(samples: Sequence[Sample], volts: Decimal) -> Sequence[Flow]:
    """Current times voltage at each moment."""
    amperes: dict[datetime, dict[str, Decimal]] = {}
    for item in samples:
        if item.measurand != CURRENT or item.value is None or item.location in ELSEWHERE:
            continue
        if item.value >= 0 and item.context != BEGIN:
            amperes.setdefault(item.sampled_at, {})[item.phase] = item.value
    return [
        Flow(
            int(at.timestamp()),
            int(total(phases) * volts),
            BY_CURRENT if len(phases) > 1 else BY_ONE_CURRENT,
        )
        for at, phases in amperes.items()
    ]


def work_on(work: Work, told: Iterable[Flow], seen: float) -> Work:
    """The work with these flows more, which came at `seen` (our clock, seconds since 1970).

    What is late or told again says nothing, nor does a time over which the clock was set.
    """
    for at, flow, source, _ in told:
        if source != work.source:
            work = _of_source(work, source)
            if source != work.source:
                continue
        seconds = at - work.at
        if seconds <= 0 and work.at <= seen + AHEAD:
            continue
        watts = max(0, flow)
        joules, spread, covered, steps = work.joules, work.spread, work.seconds, work.steps
        if 0 < seconds < GAP:
            joules += (work.flow + watts) * seconds // 2
            spread += abs(work.flow - watts) * seconds // 2
            covered += seconds
            steps += work.flow > 0 < watts
        peak = max(work.peak, watts)
        work = Work(joules, spread, covered, steps, peak, watts, at, source)
    return work


def _of_source(work: Work, source: str) -> Work:
    """The work that goes on with flows of this source: a new one if that is better."""
    known, rank = RANKS.get(work.source, OF_A_PHASE), RANKS.get(source, OF_A_PHASE)
    if rank < known or (work.at == -GAP and work.source != IN_PARTS):
        return Work(source=source)
    # One phase in a message and another in the next: neither is what flows.
    return Work(source=IN_PARTS) if rank == known else work


def mean_of(before: Work, now: Work) -> int:
    """W that flowed on average between what is known before a message and after it; 0 where it
    tells of none."""
    if now.seconds > before.seconds:
        return (now.joules - before.joules) // (now.seconds - before.seconds)
    if now.at != before.at and before.at != -GAP:
        return (before.flow + now.flow) // 2
    return 0
