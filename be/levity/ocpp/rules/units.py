"""Start and Stop that tell kWh where OCPP means Wh, seen in samples of the same register."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from levity.ocpp.effects import Sample
from levity.ocpp.request import TransactionState
from levity.ocpp.rules.bounds import KILO, Bounds, bounds_of
from levity.ocpp.rules.figures import HIGH, LOW, MEDIUM, REGISTERS, SAMPLES, Energy
from levity.ocpp.rules.lives import FASTEST, Life, Trail, most
from levity.ocpp.rules.readings import registers
from levity.ocpp.rules.sampled import IN_KWH, Charged, Meter, lacks_start, trail_of

__all__ = ["MAY_BE_KWH", "in_one_unit", "may_be_kwh"]

# All registers may be in kWh, and nothing proves it.
MAY_BE_KWH = "may-be-kwh"
# W. No car charges so slowly, and a thousand times as much is what a charger delivers.
SLOW = 60
# Seconds after which this shows: in several samples that rise, or in Start and Stop alone.
A_WHILE, LONG = 600, 1800
# Whole kWh and a sample that is a little older may be so many Wh apart.
NEAR = Decimal(2000)
# A register in the unit of meterStop is never so many times as large.
FAR = 100
HALF = Decimal(500)
ZERO = Decimal(0)


def in_one_unit(
    transaction: TransactionState,
    meter_stop: Decimal,
    samples: Sequence[Sample],
    stopped_at: datetime,
    max_power: int,
) -> Energy | None:
    """The energy where Start and Stop may have told kWh for Wh: by the samples, and flagged.

    It shows in a register between a thousand times meterStart and a thousand times meterStop. Not
    so where a thousand times the difference can't have flowed, or the power says that it did not:
    there it is the samples that have the wrong unit. Near zero it shows nothing. None where nothing
    of the kind shows.
    """
    start = transaction.register_at_start
    difference = meter_stop - start
    if difference < 0 or meter_stop * KILO <= 2 * NEAR or lacks_start(transaction):
        return None
    seconds = (stopped_at - transaction.started_at).total_seconds()
    could = most(seconds, max_power) if seconds > 0 else None
    if could is not None and float(max(difference * KILO - NEAR, difference)) > could:
        return None
    readings = [item.value for item in registers(samples)]
    known = readings if transaction.meter_last is None else [*readings, transaction.meter_last]
    lowest, highest = start * KILO - NEAR, meter_stop * KILO + NEAR
    lowest = max(lowest, meter_stop * FAR)
    if not any(lowest <= register <= highest for register in known):
        return None
    trail = trail_of(transaction)
    bounds = bounds_of(trail, seconds, max_power)
    if bounds is not None and bounds.speaks and bounds.allow(difference):
        return None
    first = [item for item in readings if abs(item - start * KILO) <= NEAR]
    last = [item for item in readings if abs(item - meter_stop * KILO) <= NEAR]
    if could is not None and len(readings) > 1 and first and last:
        rise = max(last) - min(first)
        if difference < rise <= could:
            return _by_samples(rise, bounds)
    if len(trail.lives) == 1 and trail.lives[0].count > 2 and seconds > 0:
        [life] = trail.lives
        if lowest <= life.first <= life.last <= highest:
            return _by_samples(_with_ends(life, start, meter_stop), bounds)
    if bounds is not None and bounds.is_thousandth(difference):
        return Energy(difference * KILO, REGISTERS, MEDIUM, (IN_KWH,))
    return Energy(difference, REGISTERS, LOW, (IN_KWH,))


def may_be_kwh(
    transaction: TransactionState,
    found: Energy,
    trail: Trail,
    sampled: Charged | None,
    seconds: float,
    meter: Meter,
) -> Energy:
    """The same, doubted where it may be kWh: it rose for a while at a pace at which no car charges,
    and a thousand times as much can have flowed.

    Not so where any power was told, which says it better, where nothing was charged, or where the
    clock was wrong at the start.
    """
    wh = max(found.wh, sampled.wh) if sampled else found.wh
    if found.confidence == LOW or wh <= 0 or trail.work.at > 0 or IN_KWH in found.flags:
        return found
    if "start-clock" in transaction.flags:
        return found
    rises = sampled is not None and sampled.count > 2
    limit = max(meter.max_power, trail.power) if meter.is_told else FASTEST
    is_slow = float(wh) * 3600 < SLOW * seconds and float(wh * KILO) <= most(seconds, limit)
    if not is_slow or seconds < (A_WHILE if rises else LONG):
        return found
    confidence = MEDIUM if found.confidence == HIGH else found.confidence
    return replace(found, confidence=confidence, flags=(*found.flags, MAY_BE_KWH))


def _by_samples(wh: Decimal, bounds: Bounds | None) -> Energy:
    agrees = bounds is not None and bounds.speaks and bounds.allow(wh)
    return Energy(wh, SAMPLES, MEDIUM if agrees else LOW, (IN_KWH,))


def _with_ends(life: Life, start: Decimal, stop: Decimal) -> Decimal:
    """What the samples rise by, and what Start and Stop prove beyond it: they are whole kWh, cut
    off or rounded."""
    lead = life.first - (start + 1) * KILO
    tail = stop * KILO - HALF - life.last
    return life.rise + max(lead, ZERO) + max(tail, ZERO)
