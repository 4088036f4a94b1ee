"""What the meters say about the energy: from registers and samples to Wh, never without a trail.

Every figure comes with its source, how far it can be trusted, and what was odd about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from levity.ocpp.effects import Sample, StopTransaction
from levity.ocpp.readings import newest_register
from levity.ocpp.request import TransactionState, with_flags

__all__ = [
    "IMPLAUSIBLE",
    "SESSION",
    "ZERO",
    "Energy",
    "at_stop",
    "charged",
    "closed",
    "counts_from_session_start",
    "in_one_unit",
    "with_samples",
    "without_stop",
]

SESSION = "session-register"
RESET = "register-reset"
FELL = "register-fell"
IMPLAUSIBLE = "implausible-energy"
IN_KWH = "registers-in-kwh"
ZERO = Decimal(0)
SECONDS_PER_HOUR = Decimal(3600)
# A meter may be ten per cent and 100 Wh beyond what the maximum power allows, for clocks and
# rounding, before its word is doubted.
TOLERANCE, SLACK = Decimal("1.1"), Decimal(100)
# A sample is doubted at ten times as much only: its clock may be minutes away from the start's.
WILD = 10
KILO = 1000
# Whole kWh and a sample that is a little older may be so many Wh apart.
NEAR = Decimal(2000)
# A register in the unit of meterStop is never so many times as large.
FAR = 100


@dataclass(frozen=True, slots=True)
class Energy:
    """Wh of a transaction, and why we think so."""

    wh: Decimal
    source: str
    """`registers` (meterStop - meterStart), `session-register` (one that counts from the
    session's start), `samples` (the newest meter value), `none`."""
    confidence: str
    """`high`, `medium` or `low`."""
    flags: tuple[str, ...] = ()


def at_stop(
    transaction: TransactionState, meter_stop: Decimal, stopped_at: datetime, max_power: int
) -> Energy:
    """The energy of a transaction that the charger has stopped; never negative.

    `max_power` is the W that the connector can deliver.
    """
    difference = meter_stop - transaction.meter_start
    sampled, last = transaction.energy, transaction.meter_last
    most = _most(transaction.started_at, stopped_at, max_power)
    is_below = sampled is not None and difference + SLACK < sampled
    if is_below and RESET in transaction.flags.split():
        rises = (sampled or ZERO) + max(meter_stop - (last or ZERO), ZERO)
        # (A single wild sample looks like a register that began anew, too.)
        if most is not None and rises <= most:
            # Start and Stop are of two lives of the meter: it rose in both.
            odd = "below-samples" if difference >= 0 else "negative-energy"
            return Energy(rises, "samples", "low", (odd,))
    if difference >= 0:
        if most is not None and difference > most:
            return Energy(difference, "registers", "low", (IMPLAUSIBLE,))
        if is_below:
            return Energy(difference, "registers", "medium", ("below-samples",))
        return Energy(difference, "registers", "high")
    in_session = SESSION in transaction.flags.split()
    if in_session and meter_stop >= 0:
        return Energy(meter_stop, SESSION, "medium", (SESSION,))
    if sampled is not None and sampled > 0:
        # The register jumped back: what it showed before is the best there is.
        return Energy(sampled, "samples", "low", ("negative-energy",))
    return Energy(ZERO, "none", "low", ("negative-energy",))


def with_samples(
    transaction: TransactionState,
    samples: Sequence[Sample],
    stopped_at: datetime,
    max_power: int,
    by_profile: bool = False,
) -> TransactionState:
    """The transaction with the most energy that the samples of its StopTransaction speak of.

    The order of their times is not relied on: Grizzl-E (5.6) dates the last before the first.
    More than can have flowed is no energy.
    """
    most = _most(transaction.started_at, stopped_at, max_power)
    for at in sorted({sample.sampled_at for sample in samples}):
        register = newest_register(sample for sample in samples if sample.sampled_at == at)
        if register is None or most is None:
            continue
        wh, odd = charged(transaction, *register, max_power, by_profile)
        if RESET not in odd and (transaction.energy or ZERO) < wh <= most:
            transaction = replace(
                transaction, energy=wh, meter_last=register[0], meter_last_at=register[1]
            )
    return transaction


def in_one_unit(
    found: Energy,
    transaction: TransactionState,
    meter_stop: Decimal,
    samples: Sequence[Sample],
    stopped_at: datetime,
    max_power: int,
) -> Energy:
    """The energy where Start and Stop may have told kWh for Wh: doubted, and flagged for a person.

    It shows in a register between a thousand times meterStart and a thousand times meterStop. Not
    so where a thousand times the difference can't have flowed: there it is the samples that have
    the wrong unit. Near zero it shows nothing.
    """
    difference = meter_stop - transaction.meter_start
    if found.source != "registers" or meter_stop * KILO <= 2 * NEAR:
        return found
    most = _most(transaction.started_at, stopped_at, max_power)
    if most is not None and difference * KILO - NEAR > most:
        return found
    times = {sample.sampled_at for sample in samples}
    by_time = (newest_register(item for item in samples if item.sampled_at == at) for at in times)
    readings = [item[0] for item in by_time if item is not None]
    known = readings if transaction.meter_last is None else [*readings, transaction.meter_last]
    lowest, highest = transaction.meter_start * KILO - NEAR, meter_stop * KILO + NEAR
    lowest = max(lowest, meter_stop * FAR)
    if not any(lowest <= register <= highest for register in known):
        return found
    doubted = Energy(found.wh, "registers", "low", (IN_KWH,))
    first = [item for item in readings if abs(item - transaction.meter_start * KILO) <= NEAR]
    last = [item for item in readings if abs(item - meter_stop * KILO) <= NEAR]
    if most is None or len(readings) < 2 or not first or not last:
        return doubted
    rise = max(last) - min(first)
    return Energy(rise, "samples", "low", (IN_KWH,)) if found.wh < rise <= most else doubted


def without_stop(transaction: TransactionState) -> Energy:
    """The energy of a transaction that got no StopTransaction: what its samples said last."""
    if transaction.energy is None:
        return Energy(ZERO, "none", "low")
    flags = transaction.flags.split()
    source = SESSION if SESSION in flags else "samples"
    return Energy(transaction.energy, source, "low" if IMPLAUSIBLE in flags else "medium")


def closed(
    transaction: TransactionState,
    reason: str,
    flag: str = "orphaned",
    stopped_at: datetime | None = None,
) -> StopTransaction:
    """The end as far as it is known: the last sample, or the start where there was none."""
    found = without_stop(transaction)
    return StopTransaction(
        transaction_id=transaction.id,
        # A register that counts from the session's start says nothing of the lifetime one.
        meter_stop=(
            transaction.meter_start + found.wh
            if found.source == SESSION
            else transaction.meter_last
        ),
        stopped_at=stopped_at or transaction.meter_last_at or transaction.started_at,
        energy=found.wh,
        reason=reason,
        orphaned=True,
        flags=with_flags(transaction.flags, (flag,)),
        energy_source=found.source,
        confidence=found.confidence,
    )


def charged(
    transaction: TransactionState,
    register: Decimal,
    sampled_at: datetime,
    max_power: int,
    by_profile: bool = False,
) -> tuple[Decimal, tuple[str, ...]]:
    """Wh of a session whose newest register value is this one, and what was odd about it.

    `implausible-energy` is about this value only: it goes when a later one can be true.
    """
    wh, odd = _charged(transaction, register, sampled_at, max_power, by_profile)
    most = _most(transaction.started_at, sampled_at, max_power)
    return wh, odd if most is None or wh <= most * WILD else (*odd, IMPLAUSIBLE)


def _charged(
    transaction: TransactionState,
    register: Decimal,
    sampled_at: datetime,
    max_power: int,
    by_profile: bool,
) -> tuple[Decimal, tuple[str, ...]]:
    flags = transaction.flags.split()
    if counts_from_session_start(transaction, register, sampled_at, max_power, by_profile):
        return max(register, ZERO), (SESSION,)
    last, so_far = transaction.meter_last, transaction.energy
    since_start = register - transaction.meter_start
    if last is not None and so_far is not None and (register < last or RESET in flags):
        if since_start >= 0 and IMPLAUSIBLE in flags:
            # The one before was wrong, not this one.
            return since_start, ()
        if since_start >= so_far and RESET in flags:
            # It is back where it was: the fall was a wrong sample, such as the 0 of a meter that
            # did not answer. (A meter that began anew has the fall to make up for first.)
            return since_start, ()
        # The meter began anew: only what it rises from now on is added.
        return so_far + max(register - last, ZERO), (RESET,)
    if since_start < 0:
        return ZERO, (FELL,)
    return since_start, ()


def counts_from_session_start(
    transaction: TransactionState,
    register: Decimal,
    sampled_at: datetime,
    max_power: int,
    by_profile: bool = False,
) -> bool:
    """True if MeterValues count from the session's start, Start and Stop the meter's whole life.

    Grizzl-E (5.x) does so. It shows in a value below meterStart (or the quirk profile says it)
    that can have been charged since: a Huawei that falls 1 Wh below a long life has not charged
    all of it in this session. Not so where the register had been above meterStart before.
    """
    flags = transaction.flags.split()
    if SESSION in flags:
        return True
    if RESET in flags or register < 0:
        return False
    if register >= transaction.meter_start and not by_profile:
        return False
    last, last_at = transaction.meter_last, transaction.meter_last_at
    if last is not None and last_at is not None and last_at < sampled_at and register < last:
        return False
    most = _most(transaction.started_at, sampled_at, max_power)
    return most is None or register <= most


def _most(started_at: datetime, stopped_at: datetime, max_power: int) -> Decimal | None:
    """The Wh that can have flowed; None where the charger's clock makes no sense."""
    seconds = (stopped_at - started_at).total_seconds()
    if seconds <= 0:
        return None
    return Decimal(seconds) / SECONDS_PER_HOUR * max_power * TOLERANCE + SLACK
