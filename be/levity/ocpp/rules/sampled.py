"""What the samples of a session come to in Wh, and what was odd about the meter.

What a register means is decided by all of its values, and anew with each sample. `energy` weighs
this against the session's start and stop.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from levity.ocpp.effects import Sample
from levity.ocpp.request import ChargePointState, TransactionState, with_flags, without_flags
from levity.ocpp.rules.at_start import is_another_register, is_of_start, is_stale
from levity.ocpp.rules.bounds import KILO, Bounds, bounds_of, seems
from levity.ocpp.rules.lives import (
    SLACK,
    Life,
    Trail,
    follow,
    most,
    written,
)
from levity.ocpp.rules.powered import Flow, power_of
from levity.ocpp.rules.readings import Reading, registers
from levity.ocpp.rules.rollover import ROLLOVER, unrolled
from levity.ocpp.rules.trail import read_or_none
from levity_ws.frozen import frozen

__all__ = [
    "IMPLAUSIBLE",
    "IN_KWH",
    "KILO",
    "NO_START",
    "OF_THE_METER",
    "POWER",
    "RESET",
    "ROLLOVER",
    "SAMPLES_IN_KWH",
    "SESSION",
    "START",
    "ZERO",
    "Charged",
    "Meter",
    "charged",
    "grown",
    "has_booted",
    "lacks_start",
    "measured",
    "meter_of",
    "trail_of",
    "with_odd",
    "with_samples",
]

SESSION = "session-register"
RESET = "register-reset"
FELL = "register-fell"
IMPLAUSIBLE = "implausible-energy"
# Start and Stop, or all registers, in kWh that say Wh.
IN_KWH = "registers-in-kwh"
# The energy does not fit the power that was told, by its time.
POWER = "power-contradicts"
SAMPLES_IN_KWH = "samples-in-kwh"
START = "start-contradicted"
# The charger said no meterStart that can be read.
NO_START = "no-meter-start"
# What is found anew with each sample.
OF_THE_METER = (
    SESSION,
    RESET,
    ROLLOVER,
    FELL,
    IMPLAUSIBLE,
    START,
    SAMPLES_IN_KWH,
    IN_KWH,
    POWER,
)
ZERO = Decimal(0)
# A sample is doubted at ten times as much only: its clock may be minutes away from the start's.
WILD = 10
# Wh. Below that a register in kWh looks like one that has just begun to count the session.
LONG_LIFE = 100_000


@frozen
class Meter:
    """What is known of the meter before a session says anything."""

    max_power: int
    """W that the connector can deliver."""
    by_session: bool = False
    """The charger's samples are known to count from the session's start."""
    booted_at: datetime | None = None
    """When the charger booted last."""
    is_told: bool = True
    """Somebody has said how much the connector can deliver; else it may deliver DC."""
    is_volatile: bool = False
    """A register of its charge point has begun anew between sessions before."""
    is_lifetime: bool = False
    """The samples of sessions before on its connector were of the meter's total."""
    was_known: bool = False
    """Its charge point was known before the session began: the boot is not that of its coming."""


@frozen
class Charged:
    """What the samples of a session come to."""

    wh: Decimal
    odd: tuple[str, ...]
    """`OF_THE_METER`, as far as it holds."""
    count: int
    """So many values rise, each from the one before it."""
    lead: Decimal = ZERO
    """Wh of it before the first of them."""

    @property
    def is_steady(self) -> bool:
        """They are several."""
        return self.count > 1


def meter_of(charge_point: ChargePointState) -> Meter:
    """What is known of the meters of this charge point."""
    by_session = charge_point.quirks.session_register
    return Meter(
        charge_point.max_power, by_session, charge_point.booted_at, charge_point.power_is_told
    )


def lacks_start(transaction: TransactionState) -> bool:
    """True if the charger told no register at the session's start that can be read."""
    return transaction.meter_start is None or NO_START in transaction.flags


def trail_of(transaction: TransactionState) -> Trail:
    """What the samples of this session have shown; the last, where this was not kept or is
    damaged: a row must not stop the messages that may mean its session."""
    trail = read_or_none(transaction.lives) if transaction.lives else None
    if trail is not None:
        return trail
    if transaction.meter_last is None:
        return Trail()
    at = transaction.meter_last_at or transaction.started_at
    return follow(Trail(), [Reading(at, transaction.meter_last)], at, 0)


def grown(
    transaction: TransactionState,
    trail: Trail,
    readings: Sequence[Reading],
    received_at: datetime,
    meter: Meter,
    power: int = 0,
    told: Sequence[Flow] = (),
) -> Trail:
    """The trail of this session with the readings of a message more (see `lives.follow`)."""
    if readings and not trail.lives and has_booted(transaction, meter):
        trail = replace(trail, anew=True)
    start = Reading(transaction.started_at, transaction.register_at_start)
    return follow(trail, readings, received_at, meter.max_power, power, start, told)


def charged(transaction: TransactionState, trail: Trail, meter: Meter) -> Charged | None:
    """Wh of a session of which these are the samples, and what was odd about it, by all of them.

    None where there is no sample of the register. What it shows is held against the power that
    the samples tell of.
    """
    found = measured(transaction, trail, meter)
    work = trail.work
    if found is None or not work.seconds:
        return found
    if found.lead <= KILO and seems(work, float(found.wh)):
        return found
    last, begun = trail.lives[-1], transaction.started_at.timestamp()
    bounds = bounds_of(trail, last.last_at - begun, meter.max_power)
    return found if bounds is None else _by_power(transaction, trail, found, bounds)


def _by_power(
    transaction: TransactionState, trail: Trail, found: Charged, bounds: Bounds
) -> Charged:
    """The same where power agrees; else what agrees with it, or a doubt."""
    total, first = found.wh, trail.lives[0]
    before = first.first_at - transaction.started_at.timestamp()
    is_stale = found.count > 2 and not bounds.leads_to(found.lead, before)
    if is_stale and bounds.cover(total - found.lead):
        # Several samples agree with the power, and meterStart with neither.
        odd = tuple(dict.fromkeys((*found.odd, START)))
        return replace(found, wh=total - found.lead, lead=ZERO, odd=odd)
    if bounds.allow(total, bounds.grain):
        return found
    start = transaction.register_at_start
    of_samples = first.last * KILO - start
    if SESSION in found.odd and first.first * KILO >= start - KILO and bounds.allow(of_samples):
        return replace(found, wh=max(of_samples, ZERO), odd=(SAMPLES_IN_KWH,))
    if total > bounds.grain and bounds.is_thousandth(total):
        return replace(found, wh=total * KILO, lead=found.lead * KILO, odd=(*found.odd, IN_KWH))
    is_far = bounds.is_far(total, bounds.grain)
    return replace(found, odd=(*found.odd, POWER)) if is_far else found


def measured(transaction: TransactionState, trail: Trail, meter: Meter) -> Charged | None:
    """Wh of a session of which these are the samples, and what was odd about it, by the register.

    None where there is no sample of it. What a register means is decided by all of its
    values, and anew with each: one that begins below meterStart and can have been charged since
    counts from the session's start (Grizzl-E 5.x), or has begun anew where the charger booted in
    between; one that is nowhere near meterStart makes meterStart doubtful, and what it rises by
    counts.
    """
    lives = trail.lives
    if not lives:
        return None
    if lacks_start(transaction):
        # Where the charger gave no meterStart, it is what the meter showed first.
        transaction = replace(transaction, meter_start=lives[0].first)
    limit = max(meter.max_power, trail.power)
    higher = ZERO
    # (Nearly all have one life, which goes on from the start: nothing to look for.)
    if len(lives) > 1 or lives[0].first < transaction.register_at_start:
        if not meter.by_session:
            trail, higher = unrolled(transaction, trail, limit, _boot_of(meter))
        lives = _believable(transaction, trail, meter)
        in_kwh = None if meter.by_session else _in_kwh(transaction, lives, limit)
        if in_kwh is not None:
            return in_kwh
    first = lives[0]
    count = max([life.count for life in lives if life.last > life.first], default=1)
    begun = transaction.started_at.timestamp()
    received = transaction.start_received_at
    since = received.timestamp() if received else first.first_seen
    seconds = max(first.first_at - begun, first.first_seen - since)
    lead, odd = _lead(transaction, first, trail, meter, seconds, count)
    flags = [odd] if odd else []
    wh = first.rise
    if len(lives) > 1:
        for before, life in pairwise(lives):
            wh += life.rise + _between(before, life, limit, meter)
        if RESET not in flags:
            flags.append(RESET)
    if higher:
        flags.append(ROLLOVER)
    total = lead + wh
    last = lives[-1]
    could = most(max(last.last_at - begun, last.seen - since), limit)
    if float(total) > could + last.grain:
        jump = sum((life.jump for life in lives if life.jumps == 1), ZERO)
        if jump and count > 1 and float(total - jump) <= could + last.grain:
            total -= jump
            if START not in flags and RESET not in flags:
                flags.append(RESET)
        if float(total) > could * WILD + last.grain:
            flags.append(IMPLAUSIBLE)
    return Charged(max(total, ZERO), tuple(flags), count, lead)


def _boot_of(meter: Meter) -> float:
    return meter.booted_at.timestamp() if meter.booted_at else 0.0


def _between(before: Life, life: Life, limit: int, meter: Meter) -> Decimal:
    """Wh between two lives of the register, which has begun anew at 0, or jumped.

    What it shows since, or more where power says so: it may have risen before it fell. After a
    loss of power nothing flowed until it counted again.
    """
    most_between = _most_between(before, life, limit)
    if most_between < life.first < before.last <= life.last + life.off:
        # It can't have begun anew, for then it would be lower: one value was off, and what it rises
        # by until it is where it was has been counted.
        return life.first - before.last
    since = life.first if ZERO < life.first < before.last else ZERO
    if before.seen < _boot_of(meter) <= life.first_seen:
        return since if since <= most_between else ZERO
    gap = max(since, Decimal(life.gap)) if life.first < before.last else ZERO
    return gap if gap <= most_between else ZERO


def _in_kwh(transaction: TransactionState, lives: tuple[Life, ...], limit: int) -> Charged | None:
    """Wh of samples in kWh that say Wh, or nothing: a thousand times as much goes on from
    meterStart. None where that is not so, from the first to the last."""
    first, last, start = lives[0], lives[-1], transaction.register_at_start
    if first.first >= start or start < LONG_LIFE or len(lives) > 1:
        return None
    begun, received = transaction.started_at.timestamp(), transaction.start_received_at
    since = received.timestamp() if received else first.first_seen
    could = most(max(last.last_at - begun, last.seen - since), limit)
    # (They may be whole kWh.)
    if first.first * KILO < start - KILO or float(last.last * KILO - start) > could + KILO:
        return None
    return Charged(max(last.last * KILO - start, ZERO), (SAMPLES_IN_KWH,), first.count)


def _lead(
    transaction: TransactionState,
    first: Life,
    trail: Trail,
    meter: Meter,
    seconds: float,
    count: int,
) -> tuple[Decimal, str]:
    """Wh before the first sample, and what was odd about the meter there.

    So many seconds after the start; so many values rise from there.
    """
    could = most(seconds, max(meter.max_power, trail.power))
    since_start = first.first - transaction.register_at_start
    told = float(since_start)
    # (Start tells to the Wh what the first sample may show in whole kWh.)
    off, grain = first.off, first.grain
    if is_of_start(transaction, first) and is_another_register(transaction, first):
        # What the meter showed at the start was told with the stop.
        return ZERO, START
    if (
        told > KILO
        and first.count > 2
        and is_stale(transaction, first, seconds, trail, meter.max_power, is_told=meter.is_told)
    ):
        return ZERO, START
    fell = FELL if told < -grain else ""
    if -off <= told <= could * WILD + grain and not meter.by_session:
        # (1 Wh below a long life is rounding; the last value says whether it is made up for.)
        return since_start, fell
    is_of_session = 0 <= float(first.first) <= could + grain
    is_above = told >= -off or (told >= -SLACK and not is_of_session)
    if is_above and told <= could * WILD + grain:
        if is_of_session and meter.by_session and not _is_lifetime(first, told, seconds):
            return first.first, SESSION
        return since_start, fell
    if told < 0 and is_of_session:
        return first.first, RESET if trail.anew and not meter.by_session else SESSION
    if count > 1:
        return ZERO, START
    return (ZERO, FELL) if told < 0 else (since_start, "")


def _is_lifetime(first: Life, since_start: float, seconds: float) -> bool:
    """True if the register fits meterStart better than 0, by how fast it rises from then on."""
    if first.pace <= 0:
        return False
    expected = first.pace * max(seconds, 0) / 3600
    return abs(since_start - expected) < abs(float(first.first) - expected)


def has_booted(transaction: TransactionState, meter: Meter) -> bool:
    """True if the charger booted since the session began: its meter may have begun anew."""
    begun = transaction.started_at
    if "start-clock" in transaction.flags and transaction.start_received_at:
        begun = transaction.start_received_at
    return meter.booted_at is not None and meter.booted_at > begun


def _most_between(before: Life, life: Life, limit: int) -> float:
    return most(max(life.first_at - before.last_at, life.first_seen - before.seen), limit)


def _believable(transaction: TransactionState, trail: Trail, meter: Meter) -> tuple[Life, ...]:
    """The lives without a first one that is alone and far off: the 0 of a meter that did not
    answer yet, or a wild value, where the next goes on from meterStart."""
    lives = trail.lives
    if len(lives) < 2 or lives[0].count > 1:
        return lives
    first, second = lives[:2]
    limit = max(meter.max_power, trail.power)
    rise = second.first - transaction.register_at_start
    could = most(second.first_at - transaction.started_at.timestamp(), limit)
    goes_on = -second.off <= rise <= could + second.grain
    is_off = first.first > second.first
    is_off = is_off or first.first < transaction.register_at_start - second.slack
    return lives[1:] if goes_on and is_off else lives


def with_odd(flags: str, odd: tuple[str, ...]) -> tuple[str, ...]:
    """The flags with what is odd about the meter now, and without what no longer is."""
    if not odd and not flags:
        return ()
    gone = [item for item in OF_THE_METER if item not in odd]
    return with_flags(without_flags(flags, *gone), odd)


def with_samples(
    transaction: TransactionState, samples: Sequence[Sample], received_at: datetime, meter: Meter
) -> TransactionState:
    """The transaction with what the samples of its StopTransaction show.

    In the order of their times, or as they came where that is the order of their values: Grizzl-E
    (5.6) dates the last before the first.
    """
    if not samples:
        return transaction
    readings, told = registers(samples), power_of(samples)[1]
    if not readings and not told:
        return transaction
    values = [item.value for item in readings]
    if values == sorted(values):
        newest = readings[0].at
        for number, item in enumerate(readings):
            newest = max(newest, item.at)
            readings[number] = replace(item, at=newest)
    else:
        readings.sort(key=lambda item: item.at)
    told = sorted(told, key=lambda item: item.at)
    trail = grown(transaction, trail_of(transaction), readings, received_at, meter, told=told)
    return replace(transaction, lives=written(trail))
