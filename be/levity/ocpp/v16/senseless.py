"""What a transaction message that makes no sense is answered with, and what it does all the same.

OCPP 1.6, 4.8 and 4.10: these are answered with a result whatever is wrong with them; a CALLERROR
would make the charger send them again and again, or forget the session.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from levity.ocpp.effects import Effect, ResolveQuarantined, UpdateTransaction
from levity.ocpp.request import (
    ChargePointState,
    EarlyStop,
    Request,
    Response,
    Senseless,
    TransactionState,
    with_flags,
)
from levity.ocpp.rules.own_ids import ANOTHER_START
from levity.ocpp.rules.unended import closed
from levity.ocpp.v16.actions.ends import contradictions
from levity.ocpp.v16.actions.stop_transaction import end_session
from levity.ocpp.wire.fields import decimal_of
from levity.ocpp.wire.words import REASONS

__all__ = ["SENSELESS", "end_by_early_stop"]


def start_transaction(message: Senseless) -> Response:
    """4.8: the answer always carries a transactionId."""
    charge_point = message.charge_point
    anonymous = charge_point.authorization != "known" and charge_point.registration != "Rejected"
    status = "Accepted" if message.id_tag and anonymous else "Invalid"
    payload = {"transactionId": message.transaction_id, "idTagInfo": {"status": status}}
    return Response(payload, tuple(_note_another_start(message)))


def stop_transaction(message: Senseless) -> Response:
    """4.10: the session that it names is over all the same."""
    return Response({}, _end_without_meter(message))


SENSELESS = {"StartTransaction": start_transaction, "StopTransaction": stop_transaction}


def _note_another_start(message: Senseless) -> Iterator[Effect]:
    """That an id which nobody knows may be that start's, with what runs where it may have been."""
    connector = decimal_of(_fields(message).get("connectorId"))
    for (_, number), running in message.charge_point.active.items():
        if connector in (None, number) and ANOTHER_START not in running.flags.split():
            yield UpdateTransaction(running.id, flags=with_flags(running.flags, (ANOTHER_START,)))


def _end_without_meter(message: Senseless) -> tuple[Effect, ...]:
    charge_point, transaction = message.charge_point, message.transaction
    if transaction is None:
        return ()
    if transaction.charge_point_id != charge_point.id or charge_point.registration == "Rejected":
        return ()
    if transaction.state != "active":
        return ()
    payload = _fields(message)
    said = charge_point.time_of(payload.get("timestamp"))
    against = contradictions(transaction, payload, message.received_at, charge_point)
    if len(against) > 1:
        return ()
    reason = payload.get("reason")
    reason = REASONS.meant(reason[:64]) if isinstance(reason, str) and reason else "Local"
    believed = said if said and said >= transaction.started_at else None
    return (closed(transaction, reason, "stop-quarantined", believed),)


def _fields(message: Senseless) -> Mapping[str, Any]:
    return message.payload if isinstance(message.payload, Mapping) else {}


def end_by_early_stop(
    charge_point: ChargePointState,
    connection: str,
    transaction: TransactionState,
    stops: tuple[EarlyStop, ...],
    given: int,
) -> tuple[Effect, ...]:
    """The end of this session by the StopTransaction that named the id `given` to it before anybody
    knew whose that is: another edge told it first."""
    for stop in stops:
        if stop.payload.get("transactionId") == given:
            flags = " ".join(with_flags(transaction.flags, ("stop-came-first",)))
            request = Request(
                action="StopTransaction",
                payload=stop.payload,
                unique_id="",
                connection=connection,
                received_at=stop.received_at,
                charge_point=charge_point,
            )
            found = ResolveQuarantined(stop.id, transaction.id, "its StartTransaction came later")
            return (*end_session(request, replace(transaction, flags=flags)), found)
    return ()
