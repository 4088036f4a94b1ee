"""Samples that name a session which has had its StopTransaction.

Closing samples that arrive late say nothing new. A register that goes on rising does: the charger
charges on under the id of a session that it has ended (an emergency stop that was reset, a start
that was never told). What rose after the stop is in no session; the session says how much it is.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from levity.ocpp.effects import AdjustTransaction, Effect, Sample, UpdateTransaction
from levity.ocpp.request import RecordedSession, Request, TransactionState, with_flags
from levity.ocpp.rules.chain.books import checks_of, own_of, written
from levity.ocpp.rules.checks import CONTRADICTS, SAMPLES, Check
from levity.ocpp.rules.lives import most
from levity.ocpp.rules.readings import registers
from levity.ocpp.rules.sampled import RESET, SAMPLES_IN_KWH, SESSION

__all__ = ["CHARGING_AFTER_STOP", "after_stop"]

CHARGING_AFTER_STOP = "charging-after-stop"
LATE_SAMPLES = "samples-after-stop"
# Registers are rounded, and read a moment apart.
ROUNDED = Decimal(100)
# A register in another unit, or one that began anew, can't be held against the stop.
NOT_COMPARABLE = frozenset({RESET, SAMPLES_IN_KWH, "registers-in-kwh"})


def after_stop(
    transaction: TransactionState, samples: tuple[Sample, ...], request: Request
) -> Iterator[Effect]:
    """What these samples say about a session that is over; its energy stays what it is."""
    if not samples:
        return
    known = transaction.flags.split()
    risen = _risen(transaction, samples, request)
    if risen is None:
        if LATE_SAMPLES not in known and not _told_before(known):
            yield UpdateTransaction(transaction.id, flags=(*known, LATE_SAMPLES))
        return
    if risen <= _told_before(known):
        return
    others = [flag for flag in known if flag.partition(":")[0] != CHARGING_AFTER_STOP]
    flags = with_flags(" ".join(others), (f"{CHARGING_AFTER_STOP}:{risen}",))
    recorded = next((item for item in request.chain if item.id == transaction.id), None)
    if recorded is None or recorded.confidence != "high":
        yield UpdateTransaction(transaction.id, flags=flags)
    else:
        yield _doubted(recorded, risen, flags)


def _risen(
    transaction: TransactionState, samples: tuple[Sample, ...], request: Request
) -> int | None:
    """Wh by which the register has risen since the stop; None where it shows no such thing."""
    charge_point, ended = request.charge_point, transaction.stopped_at
    flags = set(transaction.flags.split())
    readings = registers(samples)
    if ended is None or transaction.meter_stop is None or not readings or flags & NOT_COMPARABLE:
        return None
    if transaction.place in charge_point.active:
        # What flows there now is another session's.
        return None
    newest = readings[-1]
    reached = max(transaction.meter_stop, transaction.newest_register)
    if SESSION in flags or charge_point.quirks.session_register:
        reached = max(transaction.energy or Decimal(0), transaction.meter_last or Decimal(0))
    rise, seconds = newest.value - reached, (newest.at - ended).total_seconds()
    rounded = max(ROUNDED, Decimal(newest.grain))
    if not rounded < rise <= most(seconds, charge_point.max_power) + newest.grain:
        return None
    return int(rise) if seconds > 0 else None


def _told_before(flags: list[str]) -> int:
    """Wh that the flag says already; 0 without it."""
    for flag in flags:
        name, _, number = flag.partition(":")
        if name == CHARGING_AFTER_STOP and number.isdecimal():
            return int(number)
    return 0


def _doubted(session: RecordedSession, risen: int, flags: tuple[str, ...]) -> AdjustTransaction:
    """The same figures, with less confidence, also where the chain is settled again."""
    reason = f"The register rose by {risen} Wh or more after its stop; these are in no session."
    check = Check(SAMPLES, CONTRADICTS, f"the register rose by {risen} Wh after the stop")
    own = replace(own_of(session), confidence="medium")
    return AdjustTransaction(
        transaction_id=session.id,
        energy=session.energy,
        energy_source=session.energy_source,
        confidence="medium",
        flags=flags,
        checks=written(own, (*checks_of(session.checks), check)),
        reason=reason,
        old_energy=session.energy,
        old_confidence=session.confidence,
    )
