"""StopTransaction (OCPP 1.6, 4.10): a session ends."""

from typing import Any

from levity.ocpp.actions.v16.id_tag_info import accepted
from levity.ocpp.actions.v16.samples import read_samples
from levity.ocpp.clocks import clock_flags
from levity.ocpp.effects import (
    Effect,
    NoteSecurityEvent,
    Quarantine,
    RecordMeterValues,
    StopTransaction,
)
from levity.ocpp.energy import at_stop
from levity.ocpp.fields import decimal_of, energy, text
from levity.ocpp.request import Request, Response, TransactionState, with_flags

__all__ = ["stop_transaction"]

# What chargers send for "I started offline and never got an id" (libocpp#495, steve#292).
NO_ID = (0, -1)


def stop_transaction(request: Request) -> Response:
    """Close the transaction. Always answered: what does not fit the books is quarantined."""
    payload = request.payload
    answer: dict[str, Any] = {"idTagInfo": accepted()} if text(payload, "idTag") else {}
    transaction = request.transaction or _the_only_one(request)
    if transaction is None:
        return Response(answer, (Quarantine("no such transaction"),))
    if transaction.charge_point_id != request.charge_point.id:
        # CVE-2026-28230: whoever guesses an id must not stop another one's session.
        detail = f"StopTransaction for transaction {transaction.id} of another charge point"
        return Response(
            answer,
            (
                Quarantine("the transaction is another charge point's"),
                NoteSecurityEvent("ForeignTransaction", detail),
            ),
        )
    meter_stop = energy(payload, "meterStop")
    stopped_at = request.time("timestamp")
    if transaction.state == "stopped":
        if (transaction.meter_stop, transaction.stopped_at) == (meter_stop, stopped_at):
            return Response(answer)
        return Response(answer, (Quarantine("the transaction is stopped already"),))
    charged = at_stop(
        transaction, meter_stop, stopped_at or request.received_at, request.charge_point.max_power
    )
    flags = [*clock_flags(stopped_at, request.received_at, "stop"), *charged.flags]
    if stopped_at is not None and stopped_at < transaction.started_at:
        flags.append("stop-before-start")
    if request.transaction is None:
        flags.append("matched-by-connector")
    effects: list[Effect] = [
        StopTransaction(
            transaction_id=transaction.id,
            meter_stop=meter_stop,
            stopped_at=stopped_at or request.received_at,
            energy=charged.wh,
            # 7.36: Local is what an absent reason means.
            reason=text(payload, "reason", 64) or "Local",
            id_tag=text(payload, "idTag"),
            flags=with_flags(transaction.flags.replace("orphaned", ""), flags),
            energy_source=charged.source,
            confidence=charged.confidence,
        )
    ]
    if samples := read_samples(request, "transactionData"):
        effects.append(RecordMeterValues(transaction.connector, transaction.id, samples))
    return Response(answer, tuple(effects))


def _the_only_one(request: Request) -> TransactionState | None:
    """The running transaction, where the charger names none and only one can be meant."""
    named = request.payload.get("transactionId")
    if named is not None and decimal_of(named) not in NO_ID:
        return None
    running = list(request.charge_point.active.values())
    return running[0] if len(running) == 1 else None
