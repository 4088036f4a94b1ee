"""MeterValues (OCPP 1.6, 4.7): what the meter shows, in a transaction or outside."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from levity.ocpp.actions.v16.samples import read_samples
from levity.ocpp.believable import most
from levity.ocpp.clocks import BEFORE_OCPP, is_backlog, is_unset
from levity.ocpp.effects import (
    Effect,
    NoteSecurityEvent,
    RecordMeterValues,
    Sample,
    UpdateTransaction,
)
from levity.ocpp.energy import (
    IMPLAUSIBLE,
    SESSION,
    ZERO,
    charged,
    closed,
    counts_from_session_start,
)
from levity.ocpp.fields import MAX_CONNECTOR, integer
from levity.ocpp.frames import OcppError
from levity.ocpp.readings import newest_power, newest_register
from levity.ocpp.request import Request, Response, TransactionState, with_flags, without_flags

__all__ = ["meter_values"]

# The sample that a session begins with may be dated a little before it.
JUST_BEFORE = timedelta(minutes=1)
# What a connector says of itself (7.7) while a session goes on, and while there is none.
CHARGING = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})
IDLE = frozenset({"Available", "Preparing", "Finishing", "Reserved", "Unavailable", "Faulted"})


def meter_values(request: Request) -> Response:
    """Keep every sample, with the transaction it belongs to, and move that one's figures on.

    Without a usable transactionId they belong to the running transaction of the connector, unless
    they are older than it; after a boot to the one that it interrupted, if they continue it.
    """
    samples = read_samples(request, "meterValue")
    charge_point = request.charge_point
    transaction = request.transaction
    connector = _connector(request)
    effects: list[Effect] = []
    if transaction is not None and transaction.charge_point_id != charge_point.id:
        effects.append(
            NoteSecurityEvent(
                "ForeignTransaction",
                f"MeterValues for transaction {transaction.id} of another charge point",
            )
        )
        transaction = None
    elif transaction is None:
        transaction = charge_point.active.get(connector)
        if transaction is None:
            transaction = _interrupted(connector, samples, request)
        elif _all_before(transaction, samples):
            transaction = None
    effects.append(RecordMeterValues(connector, transaction.id if transaction else None, samples))
    if transaction is not None:
        effects += _progress(transaction, samples, request)
    return Response({}, tuple(effects))


def _connector(request: Request) -> int:
    """The connector that is named; else the one of the session that is named; else 0."""
    with suppress(OcppError):
        return integer(request.payload, "connectorId", 0, MAX_CONNECTOR)
    transaction = request.transaction
    if transaction is not None and transaction.charge_point_id == request.charge_point.id:
        return transaction.connector
    return 0


def _all_before(transaction: TransactionState, samples: tuple[Sample, ...]) -> bool:
    """True if these are the samples of an older session, by a clock that can be believed."""
    if not samples or "start-clock" in transaction.flags:
        return False
    newest = max(sample.sampled_at for sample in samples)
    return BEFORE_OCPP <= newest < transaction.started_at - JUST_BEFORE


def _interrupted(
    connector: int, samples: tuple[Sample, ...], request: Request
) -> TransactionState | None:
    """The session that a boot closed on this connector, if these are its samples.

    They are if they were taken in its time, or if they show that it goes on: a register that
    rises from where it was, by no more than can have flowed; or the same register, or power
    alone, while the charger says that it is charging. A connector that shows itself free charges
    nothing, whatever its register says; only what was kept from before is believed then.
    """
    charge_point = request.charge_point
    transaction = charge_point.interrupted.get(connector)
    if transaction is None or not samples:
        return None
    newest = max(sample.sampled_at for sample in samples)
    is_past = is_backlog(newest, request.received_at)
    ended, no_clock = transaction.stopped_at, is_unset(newest, request.received_at)
    if not no_clock and ended is not None and transaction.started_at <= newest <= ended:
        return transaction
    said = charge_point.connectors.get(connector)
    status = said.status if said else ""
    if status in IDLE and not is_past:
        return None
    register = newest_register(samples)
    if register is None:
        power = newest_power(samples)
        return transaction if power is not None and power > 0 and not is_past else None
    limit, by_profile = charge_point.max_power, charge_point.quirks.session_register
    energy, odd = charged(transaction, *register, limit, by_profile)
    rise = energy - (transaction.energy or ZERO)
    if set(odd) - {SESSION} or rise < 0:
        return None
    begun, until = transaction.meter_last_at or transaction.started_at, register[1]
    if no_clock:
        begun, until = transaction.start_received_at or begun, request.received_at
    if rise > most((until - begun).total_seconds(), limit):
        return None
    return transaction if rise > 0 or status in CHARGING else None


def _progress(
    transaction: TransactionState, samples: tuple[Sample, ...], request: Request
) -> Iterable[Effect]:
    """The transaction's new figures; nothing for old news. After its end it is only flagged."""
    if transaction.state == "stopped":
        if samples and "samples-after-stop" not in transaction.flags.split():
            late = with_flags(transaction.flags, ("samples-after-stop",))
            yield UpdateTransaction(transaction.id, flags=late)
        return
    register = newest_register(samples)
    newest = transaction.meter_last_at
    if register is not None and newest is not None and register[1] < newest:
        yield from _older(transaction, register, request)
        return
    ended = transaction.state == "orphaned"
    goes_on = ended and _goes_on(transaction, samples, request)
    power = newest_power(samples)
    if register is None and power is None and not goes_on:
        return
    flags = transaction.flags
    if goes_on:
        flags = " ".join(with_flags(without_flags(flags, "orphaned"), ("continued",)))
    update = UpdateTransaction(
        transaction.id,
        power=None if ended and not goes_on else power,
        reopen_on=transaction.connector if goes_on else None,
        flags=with_flags(flags, ()),
    )
    if register is not None:
        limit = request.charge_point.max_power
        by_profile = request.charge_point.quirks.session_register
        energy, odd = charged(transaction, *register, limit, by_profile)
        update = replace(
            update,
            meter_last=register[0],
            meter_last_at=register[1],
            energy=energy,
            flags=with_flags(without_flags(flags, IMPLAUSIBLE), odd),
        )
        if ended and not goes_on:
            # Our own end was too early: it moves to the newest sample.
            yield closed(
                replace(
                    transaction,
                    meter_last=register[0],
                    meter_last_at=register[1],
                    energy=energy,
                    flags=" ".join(update.flags or ()),
                ),
                transaction.stop_reason,
                "stop-quarantined" if "stop-quarantined" in flags else "orphaned",
            )
    yield update


def _goes_on(transaction: TransactionState, samples: tuple[Sample, ...], request: Request) -> bool:
    """True if it was closed by us (at a boot, say), but the charger goes on with it now.

    A backlog from before says nothing of the kind; nor does what comes after a StopTransaction.
    """
    ended = transaction.stopped_at
    if ended is None or "stop-quarantined" in transaction.flags.split():
        return False
    if transaction.connector in request.charge_point.active:
        return False
    if any(
        sample.sampled_at > ended and not is_backlog(sample.sampled_at, request.received_at)
        for sample in samples
    ):
        return True
    # A clock that stands still says nothing; the register does.
    register, last = newest_register(samples), transaction.meter_last
    return (
        register is not None
        and is_unset(register[1], request.received_at)
        and register[0] > (transaction.meter_start if last is None else last)
    )


def _older(
    transaction: TransactionState, register: tuple[Decimal, datetime], request: Request
) -> Iterable[Effect]:
    """A late sample moves nothing, but it may show what kind of register the newest one is."""
    last, flags = transaction.meter_last, transaction.flags
    if last is None or SESSION in flags.split():
        return
    charge_point = request.charge_point
    if counts_from_session_start(
        transaction, *register, charge_point.max_power, charge_point.quirks.session_register
    ):
        now_known = with_flags(flags, (SESSION,))
        yield UpdateTransaction(transaction.id, energy=max(last, ZERO), flags=now_known)
