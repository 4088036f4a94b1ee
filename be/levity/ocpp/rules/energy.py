"""The billed energy of a session: its start, stop and samples weighed, never without a trail.

What the samples come to by themselves is found in `sampled`. Every figure comes with its source,
how far it can be trusted, and what was odd about it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from levity.ocpp.effects import Sample
from levity.ocpp.request import TransactionState
from levity.ocpp.rules.at_start import FALL
from levity.ocpp.rules.booted import doubted_by_boot
from levity.ocpp.rules.bounds import bounds_of
from levity.ocpp.rules.checked import checks_of
from levity.ocpp.rules.continuous import continuous, has_booted_since
from levity.ocpp.rules.figures import HIGH, MEDIUM, Energy
from levity.ocpp.rules.lasted import DURATION, FULL, Lasted, lasted
from levity.ocpp.rules.lives import (
    FASTEST,
    SLACK,
    Trail,
    ended,
    lies_before_last,
    most,
)
from levity.ocpp.rules.rollover import ROLLOVER
from levity.ocpp.rules.sampled import (
    IMPLAUSIBLE,
    IN_KWH,
    KILO,
    RESET,
    SAMPLES_IN_KWH,
    SESSION,
    START,
    ZERO,
    Charged,
    Meter,
    has_booted,
    lacks_start,
    measured,
    trail_of,
    with_samples,
)
from levity.ocpp.rules.units import in_one_unit, may_be_kwh
from levity.ocpp.rules.weighing import ABOVE_AC, BELOW, FAR_STOP, NEGATIVE, STOP, Ends, by_power

__all__ = [
    "BELOW",
    "FAR_STOP",
    "IN_KWH",
    "NEGATIVE",
    "STOP",
    "Energy",
    "at_stop",
    "of_stop",
]

# W: 6 A of one phase. Less that is told is of a car that waits, or kW without a unit.
LEAST = 1380
# Seconds, and by how much power may fall in a session while something is charged.
LASTING, TAPER = 120, 20
# A register in the unit of meterStop is never so many times as large.
FAR = 100


def _is_far(
    transaction: TransactionState,
    trail: Trail,
    meter_stop: Decimal,
    stopped_at: datetime,
    meter: Meter,
) -> bool:
    """True if no power leads from several samples of the whole register to the stop, by how fast
    they rose."""
    last = trail.lives[-1]
    if last.count < 3 or last.pace <= 0 or trail.phases or meter_stop < last.last:
        return False
    lead = last.first - transaction.register_at_start
    since = last.first_at - transaction.started_at.timestamp()
    could = most(since, max(meter.max_power, trail.power)) + last.grain
    goes_on = -last.grain <= lead <= could
    if (last.last if goes_on else last.first) < meter_stop / FAR:
        # It is another register, or in another unit. (One that goes on from the start is the same,
        # however low it began.)
        return False
    known = max(meter.max_power, trail.power, last.pace * FALL)
    tail = float(meter_stop - last.last)
    return tail > max(KILO, last.grain) + most(stopped_at.timestamp() - last.last_at, known)


def at_stop(
    transaction: TransactionState,
    meter_stop: Decimal,
    stopped_at: datetime,
    meter: Meter,
    received_at: datetime | None = None,
) -> Energy:
    """The energy of a transaction that the charger has stopped; never negative.

    Start and Stop count, unless they contradict each other, samples that agree among themselves, or
    the power that was told. What was compared is told with it. `received_at` is when the stop came,
    where that is known.
    """
    trail, stop = continuous(transaction, meter_stop, stopped_at, meter)
    limit = max(meter.max_power, trail.power)
    sampled = measured(transaction, trail, meter)
    time = lasted(transaction, stopped_at, received_at)
    found = _alone(transaction, trail, sampled, stop, stopped_at, meter, time)
    if found.confidence == HIGH and not time.is_seen(float(found.wh), limit):
        found = replace(found, confidence=MEDIUM, flags=(*found.flags, DURATION))
    if meter.is_lifetime and SESSION in found.flags:
        # It does not count sessions: it began anew, and what it had counted is lost.
        flags = tuple(RESET if flag == SESSION else flag for flag in found.flags)
        found = replace(found, source="samples", confidence="low", flags=flags)
    ends = _ends(transaction, stop, stopped_at)
    bounds = bounds_of(trail, ends.seconds, limit)
    if bounds is not None:
        found = by_power(found, ends, trail, sampled, bounds)
    if stop != meter_stop or (sampled is not None and ROLLOVER in sampled.odd):
        confidence = MEDIUM if found.confidence == HIGH else found.confidence
        flags = tuple(dict.fromkeys((*found.flags, ROLLOVER)))
        found = replace(found, confidence=confidence, flags=flags)
    found = may_be_kwh(transaction, found, trail, sampled, time.at_most, meter)
    checks = checks_of(transaction, found, ends, trail, sampled, bounds, limit)
    found = Energy(found.wh, found.source, found.confidence, found.flags, checks)
    return doubted_by_boot(transaction, found, trail, stop, stopped_at, received_at, meter)


def of_stop(
    transaction: TransactionState,
    meter_stop: Decimal,
    samples: Sequence[Sample],
    stopped_at: datetime,
    received_at: datetime,
    meter: Meter,
) -> Energy:
    """The energy of a transaction by its StopTransaction and the samples that came in it."""
    whole = with_samples(transaction, samples, received_at, meter)
    in_kwh = in_one_unit(transaction, meter_stop, samples, stopped_at, meter.max_power)
    if in_kwh is None:
        return at_stop(whole, meter_stop, stopped_at, meter, received_at)
    trail, ends = trail_of(whole), _ends(transaction, meter_stop, stopped_at)
    sampled = measured(whole, trail, meter)
    limit = max(meter.max_power, trail.power)
    bounds = bounds_of(trail, ends.seconds, limit)
    checks = checks_of(transaction, in_kwh, ends, trail, sampled, bounds, limit)
    return replace(in_kwh, checks=checks)


def _ends(transaction: TransactionState, stop: Decimal | None, stopped_at: datetime) -> Ends:
    return Ends(
        None if lacks_start(transaction) else transaction.meter_start,
        stop,
        transaction.started_at.timestamp(),
        stopped_at.timestamp(),
    )


def _alone(
    transaction: TransactionState,
    trail: Trail,
    sampled: Charged | None,
    meter_stop: Decimal,
    stopped_at: datetime,
    meter: Meter,
    time: Lasted,
) -> Energy:
    """What Start, Stop and the samples of the register come to; `sampled` are those alone."""
    if lacks_start(transaction):
        return _from_first_sample(transaction, trail, meter_stop, stopped_at, meter)
    difference = meter_stop - transaction.register_at_start
    could = time.could(max(meter.max_power, trail.power))
    is_possible = difference >= 0 and (could is None or float(difference) <= could)
    if not is_possible and _may_be_dc(transaction, trail, meter_stop, stopped_at, meter, time):
        return Energy(difference, "registers", "medium", (ABOVE_AC,))
    if sampled is None:
        return _without_samples(transaction, meter_stop, stopped_at, could, meter)
    last = trail.lives[-1]
    whole = ended(trail, meter_stop, stopped_at, meter.max_power)
    start = transaction.register_at_start
    is_same = whole and is_possible and SLACK < start <= last.last + last.grain
    if SESSION in sampled.odd and is_same:
        # The samples are of the same register as Start and Stop, whatever the profile says.
        meter = replace(meter, by_session=False)
        sampled = measured(transaction, trail, meter) or sampled
    is_other = SESSION in sampled.odd and is_possible
    if whole and not is_other:
        sampled = measured(transaction, whole, meter) or sampled
    can_be = IMPLAUSIBLE not in sampled.odd and (could is None or float(sampled.wh) <= could)
    if IMPLAUSIBLE in sampled.odd:
        sampled = replace(sampled, odd=tuple(item for item in sampled.odd if item != IMPLAUSIBLE))
    if is_possible:
        if whole and START in sampled.odd and _is_above(transaction, trail) and can_be:
            # The stop goes on from the samples, and they can't go on from the start.
            return _by_samples(sampled)
        # Start and Stop agree with each other, and with no sample: those are of another meter.
        is_other = not whole and START in sampled.odd and difference > SLACK
        is_other = is_other or lies_before_last(last, meter_stop)
        # A register that is higher than what can have flowed has not begun anew.
        is_old = could is not None and float(meter_stop) > could and difference > SLACK
        is_other = is_other or (is_old and RESET in sampled.odd)
        slack = KILO if SAMPLES_IN_KWH in sampled.odd else last.slack
        found = _at_possible_stop(difference, sampled, slack, can_be=can_be and not is_other)
        if (
            found.confidence == "high"
            and not whole
            and _is_far(transaction, trail, meter_stop, stopped_at, meter)
        ):
            if transaction.register_at_start <= SLACK:
                # It may count each session from 0: then no next start will tell where it ended.
                return _by_samples(sampled, STOP)
            return replace(found, confidence="medium", flags=(*found.flags, FAR_STOP))
        return found
    if difference > 0:
        return _at_impossible_stop(difference, sampled, can_be=can_be, goes_on=bool(whole))
    if SESSION in sampled.odd and whole:
        return Energy(max(meter_stop, ZERO), SESSION, "medium", sampled.odd)
    if RESET in sampled.odd and whole:
        return _by_samples(sampled, *((NEGATIVE,) if len(trail.lives) > 1 else ()))
    return _at_lower_stop(trail, sampled, meter_stop, stopped_at, meter, can_be=can_be)


def _at_lower_stop(
    trail: Trail,
    sampled: Charged,
    meter_stop: Decimal,
    stopped_at: datetime,
    meter: Meter,
    *,
    can_be: bool,
) -> Energy:
    """The stop is below the start, and does not go on from the samples."""
    last = trail.lives[-1]
    if meter_stop > 0 and has_booted_since(last, meter):
        limit = max(meter.max_power, trail.power)
        if meter_stop <= most(stopped_at.timestamp() - last.last_at, limit):
            # The meter began anew, and no sample tells of it.
            return Energy(sampled.wh + meter_stop, "samples", "low", (RESET, NEGATIVE))
    if sampled.wh > 0 and can_be:
        # The register jumped back: what it showed before is the best there is.
        return _by_samples(sampled, NEGATIVE)
    return Energy(ZERO, "none", "low", (*sampled.odd, NEGATIVE))


def _may_be_dc(
    transaction: TransactionState,
    trail: Trail,
    meter_stop: Decimal,
    stopped_at: datetime,
    meter: Meter,
    time: Lasted,
) -> bool:
    """True if nothing speaks against a charger that is stronger than AC allows: no power that was
    told, and no sample that shows that the register jumped."""
    if meter.is_told or LEAST <= trail.power <= meter.max_power or len(trail.lives) > 1:
        return False
    could = min(most(time.seconds or 0, FASTEST), FULL)
    if not 0 <= meter_stop - transaction.register_at_start <= could:
        return False
    if not trail.lives:
        return True
    [life] = trail.lives
    if life.count > 2 and life.jumps == 1 and float(life.jump) > 0.8 * float(life.rise):
        return False
    begun = transaction.started_at.timestamp()
    steps = (
        (life.first - transaction.register_at_start, life.first_at - begun),
        (life.last - life.first, life.last_at - life.first_at),
        (meter_stop - life.last, stopped_at.timestamp() - life.last_at),
    )
    grain = life.grain
    if any(not -life.off <= rise <= most(lasted, FASTEST) + grain for rise, lasted in steps):
        return False
    lasting = [(float(rise), lasted) for rise, lasted in steps if lasted >= LASTING]
    lowest = min([(rise + grain) / lasted for rise, lasted in lasting], default=0.0)
    highest = max([(rise - grain) / lasted for rise, lasted in lasting], default=0.0)
    return lowest * TAPER >= highest


def _is_above(transaction: TransactionState, trail: Trail) -> bool:
    """True if the samples begin higher than the start, and rise as meters do."""
    first = trail.lives[0]
    return first.first > transaction.register_at_start and 0 < first.pace <= FASTEST


def _from_first_sample(
    transaction: TransactionState,
    trail: Trail,
    meter_stop: Decimal,
    stopped_at: datetime,
    meter: Meter,
) -> Energy:
    """Without a meterStart: from the first sample to the stop; nothing where there is none."""
    whole = ended(trail, meter_stop, stopped_at, meter.max_power) if trail.lives else None
    sampled = measured(transaction, whole or trail, meter)
    return _by_samples(sampled) if sampled else Energy(ZERO, "none", "low")


def _at_possible_stop(difference: Decimal, sampled: Charged, slack: int, *, can_be: bool) -> Energy:
    """What Start and Stop say can be true; but do the samples say the same, to so many Wh?"""
    if difference + slack >= sampled.wh:
        doubted = {RESET, START} & set(sampled.odd)
        return Energy(difference, "registers", "medium" if doubted else "high", sampled.odd)
    # meterStart once more, as Wattpilots say it in each stop.
    is_start = difference <= SLACK
    if can_be and (sampled.count > 2 or RESET in sampled.odd or (sampled.is_steady and is_start)):
        # Several samples that rise are more than one end.
        return _by_samples(sampled, BELOW)
    confidence = "low" if is_start else "medium"
    return Energy(difference, "registers", confidence, (*sampled.odd, BELOW))


def _at_impossible_stop(
    difference: Decimal, sampled: Charged, *, can_be: bool, goes_on: bool
) -> Energy:
    """More than can have flowed: which of both ends is wrong, or are both?"""
    wrong = []
    if not {START, RESET}.isdisjoint(sampled.odd):
        wrong.append(START)
    if not goes_on:
        wrong.append(STOP)
    if can_be and sampled.is_steady and wrong:
        return _by_samples(sampled, *wrong)
    return Energy(difference, "registers", "low", (*sampled.odd, IMPLAUSIBLE))


def _by_samples(sampled: Charged, *flags: str) -> Energy:
    return Energy(sampled.wh, "samples", "low", tuple(dict.fromkeys((*sampled.odd, *flags))))


def _without_samples(
    transaction: TransactionState,
    meter_stop: Decimal,
    stopped_at: datetime,
    could: float | None,
    meter: Meter,
) -> Energy:
    difference = meter_stop - transaction.register_at_start
    if difference >= 0:
        if could is not None and difference > could:
            return Energy(difference, "registers", "low", (IMPLAUSIBLE,))
        power = trail_of(transaction).power
        told = power * (stopped_at - transaction.started_at).total_seconds() / 3600
        if power >= LEAST and 0 < difference * FAR < told and difference * KILO < 2 * told:
            # A thousand times as much is what flowed, or what was offered.
            return Energy(difference, "registers", "low", (IN_KWH,))
        return Energy(difference, "registers", "high")
    has_begun_anew = difference < -SLACK and has_booted(transaction, meter)
    if has_begun_anew and meter_stop > 0 and (could is None or meter_stop <= could):
        return Energy(meter_stop, "registers", "low", (RESET,))
    return Energy(ZERO, "none", "low", (NEGATIVE,))
