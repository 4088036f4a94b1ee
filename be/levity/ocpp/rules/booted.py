"""A session in whose middle the charger restarted: did its meter go on?

A volatile meter begins anew at each power-on, and what it had counted is lost. That shows where the
register fell; where it did not, only meter values on both sides of the restart show that it went
on, or a register that is higher than what can have flowed since, or a connector that said at once
that it charges (some send BootNotification at each reconnect).

A session that comes out of a queue after a boot may have been interrupted or not: where its
register is so low that it may have begun anew within, nothing that the charger tells decides it.
But the first boot that is heard of a charge point is that of its coming, and says nothing of its
power: what it brings along is doubted only where a register of it has begun anew before.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from levity.ocpp.request import TransactionState
from levity.ocpp.rules.checks import MISSING, SAMPLES, Check
from levity.ocpp.rules.figures import HIGH, LOW, MEDIUM, Energy
from levity.ocpp.rules.lives import ROUNDING, SLACK, Trail, most
from levity.ocpp.rules.readings import Reading
from levity.ocpp.rules.sampled import Meter
from levity.ocpp.rules.trail import SECONDS_PER_HOUR

__all__ = ["BOOTED", "doubted_by_boot", "may_be_anew"]

BOOTED = "booted-within"
# A start and a stop that came as long after each other as they say were told as they happened.
SLOW = timedelta(minutes=5)
# Seconds. Meter values so near to both ends of a session leave no room for a restart.
NEAR = 1800
# One before the restart and one after it.
BOTH = 2
_SAID = Check(
    SAMPLES,
    MISSING,
    "the charger restarted in between, and no meter value shows that its meter went on",
)


def doubted_by_boot(
    transaction: TransactionState,
    found: Energy,
    trail: Trail,
    meter_stop: Decimal,
    stopped_at: datetime,
    received_at: datetime | None,
    meter: Meter,
) -> Energy:
    """The same, and not `high`, where the charger may have booted within and no samples bridge it.

    `received_at` is when the stop came; None where that is not known.
    """
    boot = meter.booted_at
    if boot is None or found.confidence == LOW:
        return found
    if BOOTED in transaction.flags.split():
        return _doubted(found)
    if not _may_be_within(transaction, boot, stopped_at, received_at, meter):
        return found
    seconds = (stopped_at - transaction.started_at).total_seconds()
    if meter_stop > most(seconds, max(meter.max_power, trail.power)):
        # It can't have begun anew within.
        return found
    if _is_bridged(transaction, trail, boot, stopped_at):
        return found
    return _doubted(found)


def may_be_anew(reading: Reading, meter: Meter) -> bool:
    """True if this first value after a restart can have flowed since: whether the register went on,
    or began anew at 0 and is above where it was, nothing tells.

    At the power that the connector delivers; for clocks and rounding, `SLACK`. The tolerance of
    `lives.most` is for how meters differ: one that began anew would have to have run at full power
    since the very boot.
    """
    if meter.booted_at is None or reading.value <= ROUNDING:
        return False
    since = (reading.at - meter.booted_at).total_seconds()
    flowed = since / SECONDS_PER_HOUR * meter.max_power
    return since > 0 and float(reading.value) <= flowed + SLACK


def _doubted(found: Energy) -> Energy:
    confidence = MEDIUM if found.confidence == HIGH else found.confidence
    return replace(
        found,
        confidence=confidence,
        flags=(*found.flags, BOOTED),
        checks=(*found.checks, _SAID),
    )


def _may_be_within(
    transaction: TransactionState,
    boot: datetime,
    stopped_at: datetime,
    received_at: datetime | None,
    meter: Meter,
) -> bool:
    """True if it booted between start and stop, and its power may have been gone.

    By our clock where both were told as they happened. What comes out of a queue after the boot may
    be from before it or not: a BootNotification says nothing of when the power was gone.
    """
    started_at, begun = transaction.started_at, transaction.start_received_at
    if "continued" in transaction.flags.split():
        return False
    if received_at is None or begun is None:
        return started_at < boot < (received_at or stopped_at)
    is_live = abs((received_at - begun) - (stopped_at - started_at)) <= SLOW
    if is_live or "start-clock" in transaction.flags:
        return begun < boot <= received_at
    may_be = meter.is_volatile or meter.was_known
    return may_be and min(started_at, begun) < boot <= received_at


def _is_bridged(
    transaction: TransactionState, trail: Trail, boot: datetime, stopped_at: datetime
) -> bool:
    """True if samples of one life of the register lead over the boot."""
    if not trail.lives:
        return False
    life, at, ended = trail.lives[-1], boot.timestamp(), stopped_at.timestamp()
    begun = transaction.started_at.timestamp()
    # Those of the very ends say what Start and Stop say.
    within = life.count - (life.first_at <= begun + 1) - (life.last_at >= ended - 1)
    if at >= ended:
        # Told afterwards. Where several samples only rise, its register fell nowhere in between.
        if within >= BOTH and len(trail.lives) == 1:
            return True
        return within > 0 and life.first_seen < at and ended - life.last_at <= NEAR
    spans = life.first_at < at < life.last_at or life.first_seen < at < life.seen
    return within >= BOTH and spans
