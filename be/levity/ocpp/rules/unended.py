"""The energy of a session that got no StopTransaction: what is proven of it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from levity.ocpp.effects import StopTransaction
from levity.ocpp.request import TransactionState, with_flags
from levity.ocpp.rules.bounds import bounds_of
from levity.ocpp.rules.checked import checks_of
from levity.ocpp.rules.checks import as_text
from levity.ocpp.rules.figures import LOW, Energy
from levity.ocpp.rules.lives import FASTEST, without_wild_end
from levity.ocpp.rules.sampled import (
    IMPLAUSIBLE,
    POWER,
    RESET,
    SAMPLES_IN_KWH,
    SESSION,
    START,
    ZERO,
    Charged,
    lacks_start,
    trail_of,
)
from levity.ocpp.rules.weighing import Ends

__all__ = ["closed", "last_of", "without_stop"]


def without_stop(transaction: TransactionState) -> Energy:
    """The energy of a transaction that got no StopTransaction: what its samples said last."""
    if transaction.energy is None:
        return Energy(ZERO, "none", "low")
    flags = transaction.flags.split()
    source = SESSION if SESSION in flags else "samples"
    doubted = {IMPLAUSIBLE, RESET, START, POWER} & set(flags) or lacks_start(transaction)
    found = Energy(transaction.energy, source, "low" if doubted else "medium")
    told = trail_of(transaction)
    trail = without_wild_end(told)
    if not trail.lives:
        return found
    if trail is not told and found.confidence != LOW:
        # No next value shows what it was: what is proven counts.
        wild = told.lives[-1].last - trail.lives[-1].last
        found = replace(found, wh=max(found.wh - wild, ZERO), confidence=LOW)
    ended = datetime.fromtimestamp(trail.lives[-1].last_at, UTC)
    start = None if lacks_start(transaction) else transaction.meter_start
    ends = Ends(start, None, transaction.started_at.timestamp(), ended.timestamp())
    sampled = Charged(found.wh, (), trail.lives[-1].count)
    bounds = bounds_of(trail, ends.seconds, FASTEST)
    checks = checks_of(transaction, found, ends, trail, sampled, bounds, 0)
    return replace(found, checks=checks)


def last_of(transaction: TransactionState, found: Energy) -> Decimal | None:
    """What the lifetime register showed last, in Wh, as far as that is known.

    One that counts from the session's start says nothing of it.
    """
    if found.source == SESSION or SAMPLES_IN_KWH in transaction.flags.split():
        start = transaction.meter_start
        return None if start is None else start + found.wh
    trail = trail_of(transaction)
    proven = without_wild_end(trail)
    return transaction.meter_last if proven is trail else proven.lives[-1].last


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
        meter_stop=last_of(transaction, found),
        stopped_at=stopped_at or transaction.meter_last_at or transaction.started_at,
        energy=found.wh,
        reason=reason,
        orphaned=True,
        flags=with_flags(transaction.flags, (flag,)),
        energy_source=found.source,
        confidence=found.confidence,
        checks=as_text(found.checks),
    )
