"""MeterValues (OCPP 1.6, 4.7): what the meter shows, in a transaction or outside."""

from levity.ocpp.actions.v16.samples import read_samples
from levity.ocpp.effects import (
    Effect,
    NoteSecurityEvent,
    RecordMeterValues,
    Sample,
    UpdateTransaction,
)
from levity.ocpp.energy import charged, newest_power, newest_register
from levity.ocpp.fields import MAX_CONNECTOR, integer
from levity.ocpp.request import Request, Response, TransactionState, with_flags

__all__ = ["meter_values"]


def meter_values(request: Request) -> Response:
    """Keep every sample, with the transaction it belongs to, and move that one's figures on.

    Without a usable transactionId they belong to the running transaction of the connector.
    """
    connector = integer(request.payload, "connectorId", 0, MAX_CONNECTOR)
    samples = read_samples(request, "meterValue")
    charge_point = request.charge_point
    transaction = request.transaction
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
    effects.append(RecordMeterValues(connector, transaction.id if transaction else None, samples))
    if transaction is not None and (update := _progress(transaction, samples, request)):
        effects.append(update)
    return Response({}, tuple(effects))


def _progress(
    transaction: TransactionState, samples: tuple[Sample, ...], request: Request
) -> UpdateTransaction | None:
    """The transaction's new figures; None for old news. After its end it is only flagged."""
    if transaction.state == "stopped":
        if not samples or "samples-after-stop" in transaction.flags.split():
            return None
        late = with_flags(transaction.flags, ("samples-after-stop",))
        return UpdateTransaction(transaction.id, flags=late)
    register = newest_register(samples)
    newest = transaction.meter_last_at
    if register is not None and newest is not None and register[1] < newest:
        return None
    reopen_on = None
    if transaction.state == "orphaned":
        # Closed by us at a boot, but the charger goes on with it: then it was never over.
        # A backlog from before that end says nothing of the kind.
        ended = transaction.stopped_at
        if ended is None or not any(sample.sampled_at > ended for sample in samples):
            return None
        if transaction.connector in request.charge_point.active:
            return None
        reopen_on = transaction.connector
    power = newest_power(samples)
    flags = transaction.flags if reopen_on is None else transaction.flags.replace("orphaned", "")
    if register is None:
        if power is None and reopen_on is None:
            return None
        return UpdateTransaction(
            transaction.id, power=power, reopen_on=reopen_on, flags=with_flags(flags, ())
        )
    energy, odd = charged(transaction.meter_start, register[0])
    return UpdateTransaction(
        transaction.id,
        meter_last=register[0],
        meter_last_at=register[1],
        energy=energy,
        power=power,
        reopen_on=reopen_on,
        flags=with_flags(flags, odd),
    )
