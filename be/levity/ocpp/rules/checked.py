"""What was compared for the figures of one session, in words for people."""

from collections.abc import Iterator
from datetime import UTC, datetime

from levity.ocpp.request import TransactionState
from levity.ocpp.rules.bounds import KILO, Bounds
from levity.ocpp.rules.checks import (
    AGREES,
    BOUNDS,
    CLOCK,
    CONTRADICTS,
    LIMIT,
    MISSING,
    POWER,
    SAMPLES,
    SILENT,
    START_STOP,
    Check,
)
from levity.ocpp.rules.figures import Energy
from levity.ocpp.rules.lives import SLACK, Trail, most
from levity.ocpp.rules.sampled import Charged
from levity.ocpp.rules.weighing import Ends

__all__ = ["checks_of"]

# Figures that differ by no more than that, or 100 Wh, say the same.
PART = 100
# Seconds: 90 days. What lasts longer is a clock that was set meanwhile.
LONG = 90 * 86_400


def checks_of(
    transaction: TransactionState,
    found: Energy,
    ends: Ends,
    trail: Trail,
    sampled: Charged | None,
    bounds: Bounds | None,
    limit: int,
) -> tuple[Check, ...]:
    """What the figures that were found agree with, and what they don't.

    `sampled` are the samples alone; `limit` is what the connector can deliver, W, 0 where that is
    not known.
    """
    return (
        _start_and_stop(found, ends),
        _samples(found, ends, trail, sampled, limit),
        _power(found, trail, bounds),
        *_limit(found, ends, limit),
        _clock(transaction, ends),
    )


def _start_and_stop(found: Energy, ends: Ends) -> Check:
    if ends.stop is None:
        return Check(START_STOP, MISSING, "no StopTransaction arrived")
    if ends.difference is None:
        return Check(START_STOP, MISSING, "StartTransaction told no meterStart that can be read")
    difference = ends.difference
    verdict = AGREES if _is_same(float(difference), float(found.wh)) else CONTRADICTS
    return Check(START_STOP, verdict, f"meterStop - meterStart is {difference:,.0f} Wh")


def _samples(found: Energy, ends: Ends, trail: Trail, sampled: Charged | None, limit: int) -> Check:
    if sampled is None:
        return Check(SAMPLES, SILENT, "no meter value reports the register")
    count, last = sum(life.count for life in trail.lives), trail.lives[-1]
    # (A jump of less at the end is none: Stop may tell whole kWh.)
    after = max(KILO, last.grain) + most(ends.ended - last.last_at, limit) if limit else last.slack
    rest = float(found.wh - sampled.wh)
    is_same = _is_same(float(found.wh), float(sampled.wh)) or -last.grain <= rest <= after
    said = "1 meter value shows" if count == 1 else f"{count} meter values show"
    at = datetime.fromtimestamp(last.last_at, UTC)
    until = at.isoformat(" ", "minutes")[:16]
    detail = f"{said} {sampled.wh:,.0f} Wh until {until} UTC"
    return Check(SAMPLES, AGREES if is_same else CONTRADICTS, detail)


def _power(found: Energy, trail: Trail, bounds: Bounds | None) -> Check:
    if bounds is None:
        said = (
            "power was reported, but not over any length of time"
            if trail.work.peak
            else "no power flowed"
        )
        return Check(POWER, SILENT, said if trail.work.at > 0 else "no power was reported")
    if bounds.allow(found.wh):
        is_most = bounds.covered >= bounds.uncovered
        return Check(POWER, AGREES if is_most else BOUNDS, bounds.says)
    return Check(POWER, CONTRADICTS if bounds.speaks else SILENT, bounds.says)


def _limit(found: Energy, ends: Ends, limit: int) -> Iterator[Check]:
    if limit and 0 < ends.seconds < LONG:
        could = most(ends.seconds, limit)
        verdict = BOUNDS if float(found.wh) <= could else CONTRADICTS
        yield Check(LIMIT, verdict, f"at {limit:,} W at most {could:,.0f} Wh can have flowed")


def _clock(transaction: TransactionState, ends: Ends) -> Check:
    flags = transaction.flags.split()
    if "start-clock-unset" in flags or "no-start-time" in flags:
        return Check(CLOCK, MISSING, "the charger's clock was not set at the start")
    if "start-clock-ahead" in flags:
        return Check(CLOCK, CONTRADICTS, "the charger's clock was ahead at the start")
    if ends.seconds >= LONG:
        return Check(CLOCK, CONTRADICTS, "the charger's clock was set in between")
    if ends.seconds < 0:
        return Check(CLOCK, CONTRADICTS, f"it ended {_lasting(-ends.seconds)} before it began")
    return Check(CLOCK, AGREES, f"it lasted {_lasting(ends.seconds)}")


def _is_same(one: float, other: float) -> bool:
    return abs(one - other) <= max(SLACK, one / PART)


def _lasting(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min"
