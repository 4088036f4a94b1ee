"""StopTransaction (OCPP 1.6, 4.10): a session ends."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from levity.ocpp.actions.v16.id_tag_info import accepted
from levity.ocpp.actions.v16.samples import read_samples
from levity.ocpp.clocks import clock_flags
from levity.ocpp.effects import (
    NO_SUCH_TRANSACTION,
    Effect,
    NoteSecurityEvent,
    Quarantine,
    RecordMeterValues,
    StopTransaction,
)
from levity.ocpp.energy import IMPLAUSIBLE, at_stop, with_samples
from levity.ocpp.fields import INT4_MAX, decimal_of, energy, text
from levity.ocpp.frames import OcppError
from levity.ocpp.request import Request, Response, TransactionState, with_flags, without_flags

__all__ = ["ON_THE_BOOKS", "could_end", "stop_transaction"]

ON_THE_BOOKS = "nothing to decide: these figures are on the books"


def stop_transaction(request: Request) -> Response:
    """Close the transaction. Always answered: what does not fit the books is quarantined."""
    payload = request.payload
    answer: dict[str, Any] = {"idTagInfo": accepted()} if text(payload, "idTag") else {}
    transaction = request.transaction or _meant(request)
    if transaction is None:
        return Response(answer, (Quarantine(NO_SUCH_TRANSACTION),))
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
    said = request.time("timestamp")
    if transaction.state == "stopped":
        same = meter_stop == transaction.meter_stop and said in (None, transaction.stopped_at)
        kept = Quarantine("the transaction is stopped already", transaction.id)
        if same:
            # Metron says it every ten seconds for ever: one row, which counts them.
            kept = replace(kept, reason=f"{kept.reason}, as it says", resolution=ON_THE_BOOKS)
        return Response(answer, (kept,))
    # Our own clock may have been stepped back meanwhile: no session lasts less than nothing.
    stopped_at = said or max(request.received_at, transaction.started_at)
    max_power, quirks = request.charge_point.max_power, request.charge_point.quirks
    samples = read_samples(request, "transactionData")
    sampled = with_samples(transaction, samples, stopped_at, max_power, quirks.session_register)
    charged = at_stop(sampled, meter_stop, stopped_at, max_power)
    flags = [*clock_flags(said, request.received_at, "stop"), *charged.flags]
    if stopped_at < transaction.started_at:
        flags.append("stop-before-start")
    if request.transaction is None:
        flags.append("matched-by-connector")
    if transaction.state == "orphaned":
        flags.append("late-stop")
    effects: list[Effect] = [
        StopTransaction(
            transaction_id=transaction.id,
            meter_stop=meter_stop,
            stopped_at=stopped_at,
            energy=charged.wh,
            # 7.36: Local is what an absent reason means.
            reason=text(payload, "reason", 64) or "Local",
            id_tag=text(payload, "idTag"),
            flags=with_flags(
                without_flags(transaction.flags, "orphaned", "stop-quarantined", IMPLAUSIBLE),
                flags,
            ),
            energy_source=charged.source,
            confidence=charged.confidence,
        )
    ]
    if samples:
        effects.append(RecordMeterValues(transaction.connector, transaction.id, samples))
    return Response(answer, tuple(effects))


def could_end(
    transaction: TransactionState,
    payload: Mapping[str, Any],
    stopped_at: datetime | None,
    max_power: int,
) -> bool:
    """True if tag, time and meter of this StopTransaction fit the session."""
    try:
        meter_stop = energy(payload, "meterStop")
        id_tag = text(payload, "idTag").lower()
    except OcppError:
        return False
    if stopped_at is None or stopped_at < transaction.started_at:
        return False
    if id_tag and id_tag != transaction.id_tag.lower():
        return False
    found = at_stop(transaction, meter_stop, stopped_at, max_power)
    return meter_stop >= transaction.meter_start and IMPLAUSIBLE not in found.flags


def _meant(request: Request) -> TransactionState | None:
    """The running transaction that must be meant, where the charger names none that we can give.

    -1, 0 and null are what chargers send that started offline and never got an id (libocpp#495,
    steve#292), 2^63-1 is Alfen's (5.8). The only one that runs is meant, unless it began later;
    of several, the one that tag, time and meter fit. One that a boot interrupted may be meant as
    well, if all of them fit; where two do, a person decides.
    """
    named = decimal_of(request.payload.get("transactionId"))
    if named is not None and 1 <= named <= INT4_MAX:
        return None
    charge_point = request.charge_point
    stopped_at = request.time("timestamp")

    def fits(item: TransactionState) -> bool:
        return could_end(item, request.payload, stopped_at, charge_point.max_power)

    running = list(charge_point.active.values())
    interrupted = [item for item in charge_point.interrupted.values() if fits(item)]
    if len(running) + len(interrupted) > 1:
        running = [item for item in running if fits(item)]
    running += interrupted
    if len(running) != 1:
        return None
    odd = clock_flags(stopped_at, request.received_at, "stop")
    if not odd and stopped_at is not None and stopped_at < running[0].started_at:
        return None
    return running[0]
