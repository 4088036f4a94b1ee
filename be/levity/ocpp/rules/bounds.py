"""How much a session can have charged, by the power that was told, and by how far it is off."""

from decimal import Decimal

from levity.ocpp.rules.lives import FASTEST, SLACK, Trail
from levity.ocpp.rules.powered import GAP, Work
from levity_ws.frozen import frozen

__all__ = ["KILO", "Bounds", "bounds_of", "seems"]

KILO = 1000
# Power is measured a moment at a time, and less exactly than energy.
LESS, MORE = 0.7, 1.3
# By how much power may have been higher before the first sample, and after the last.
FALL, RISE = 4, 2
# Where the samples tell of all but such a part of the time, the rest was like it.
SELDOM = 20
# A charger that tells one phase only may deliver on three.
PARTS = 3
# W. No car charges with less: what never tells more is power in kW, or of a car that waits.
LEAST_FLOW = 500
# Wh by power, between two samples at least, before a register is thought to be in kWh.
ENOUGH, STEPS = 200, 2


@frozen
class Bounds:
    """Wh of a session by its power; W and seconds."""

    worked: float
    """The mean power of each two samples times the time between them."""
    certain: float
    possible: float
    covered: int
    """Seconds of which the samples tell."""
    uncovered: float
    """Seconds of the session of which they don't."""
    told: int
    """W that it spoke of at most, flowing or offered."""
    elsewhere: int
    """W that can have flowed at most in the time of which the samples don't tell."""
    steps: int
    parts: int
    """It may be so many times as much, since it may be one phase of several."""
    speaks: bool
    """It can contradict: it is in W, and of all phases."""
    grain: int = 0
    """Wh by which the samples of the register may be off, since they have few digits."""

    @property
    def least(self) -> float:
        """Wh that have flowed at least."""
        return self.certain * LESS - SLACK

    @property
    def most(self) -> float:
        """Wh that can have flowed at most."""
        unseen = self.uncovered / 3600 * self.elsewhere * MORE
        return self.possible * self.parts * MORE + unseen + SLACK

    @property
    def says(self) -> str:
        """What it comes to, for people."""
        hours, minutes = divmod(round(self.covered / 60), 60)
        return f"power x time says {self.worked:,.0f} Wh in {hours} h {minutes:02} min"

    # (A Decimal that is compared with a float costs fifty times as much as two floats.)

    def leads_to(self, wh: Decimal, seconds: float) -> bool:
        """True if so many Wh can have flowed before the first sample, in this time."""
        # (Start and Stop may tell whole kWh.)
        could = max(seconds, 0) / 3600 * self.told * FALL
        return float(wh) <= could + SLACK + max(KILO, self.grain)

    def leads_from(self, wh: Decimal, seconds: float) -> bool:
        """True if so many Wh can have flowed after the last sample, in this time."""
        could = max(seconds, 0) / 3600 * self.told * RISE
        return float(wh) <= could + SLACK + max(KILO, self.grain)

    def allow(self, wh: Decimal, off: int = 0) -> bool:
        """True if this can have flowed, and nothing says that it was more; it may be so much
        off, Wh."""
        # (A register may count whole kWh.)
        slack = max(off, KILO if wh % KILO == 0 else 0)
        return self.least - slack <= float(wh) <= self.most + slack

    def are_of(self, life: float) -> bool:
        """True if they tell of nearly all of these seconds, in which the register was sampled."""
        return self.covered * SELDOM >= life * (SELDOM - 1)

    def cover(self, wh: Decimal) -> bool:
        """True if this can have flowed in the time that the samples cover."""
        most = self.possible * self.parts * MORE + SLACK
        return self.least - self.grain <= float(wh) <= most + self.grain

    def is_far(self, wh: Decimal, off: int = 0) -> bool:
        """True if it is less than half of what flowed, or more than twice of what can have; it may
        be so much off, Wh."""
        return self.speaks and not self.least / 2 - off <= wh <= self.most * 2 + off

    def is_thousandth(self, wh: Decimal) -> bool:
        """True if a thousand times as much is what flowed, by power that proves it."""
        if not LEAST_FLOW <= self.told <= FASTEST:
            # (More than any charger delivers: it is the power that is in another unit.)
            return False
        if self.certain < ENOUGH or self.steps < STEPS:
            return False
        most = self.worked * self.parts + self.uncovered / 3600 * self.told
        return self.worked / 2 <= wh * KILO <= most * 2


def seems(work: Work, wh: float) -> bool:
    """True if this is what flowed while the samples told of it: then the bounds allow it, whatever
    flowed besides. (Asked for each message, so it is reckoned in joules.)"""
    joules, off, slack = work.joules, work.spread, SLACK * 3600
    return LESS * (joules - off) - slack <= wh * 3600 <= MORE * (joules + off) + slack


def bounds_of(trail: Trail, seconds: float, limit: int) -> Bounds | None:
    """What the power of this session says, which lasted so long; None where it says nothing.

    `limit` is what the connector can deliver, W: power may have been higher while nothing was told.

    So where none ever flowed, or where it tells of more time than the session lasted.
    """
    work = trail.work
    if not work.peak or not work.seconds or seconds <= 0 or work.seconds > seconds + GAP:
        return None
    parts = PARTS if work.is_rough else 1
    uncovered = max(seconds - work.seconds, 0)
    told = max(work.peak * parts, trail.power)
    return Bounds(
        work.wh,
        work.certain,
        work.possible,
        work.seconds,
        uncovered,
        told,
        told if uncovered * SELDOM < seconds else max(told, limit),
        work.steps,
        parts,
        speaks=work.peak >= LEAST_FLOW and not work.is_rough,
        grain=max([life.grain for life in trail.lives], default=0),
    )
