"""StopTransaction (OCPP 1.6, 4.10): a session ends."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from levity.ocpp.actions.v16.id_tag_info import accepted
from levity.ocpp.actions.v16.samples import read_samples
from levity.ocpp.clocks import AHEAD, clock_flags
from levity.ocpp.effects import (
    NO_SUCH_TRANSACTION,
    Effect,
    NoteSecurityEvent,
    Quarantine,
    RecordMeterValues,
    StopTransaction,
)
from levity.ocpp.energy import (
    IMPLAUSIBLE,
    OF_THE_METER,
    Meter,
    at_stop,
    in_one_unit,
    meter_of,
    with_samples,
)
from levity.ocpp.fields import INT4_MAX, decimal_of, energy, text
from levity.ocpp.frames import OcppError
from levity.ocpp.request import (
    ChargePointState,
    Request,
    Response,
    TransactionState,
    with_flags,
    without_flags,
)

__all__ = ["ON_THE_BOOKS", "could_end", "end_of", "stop_transaction"]

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
    said = end_of(transaction, payload, request.charge_point, request.received_at)
    if transaction.state == "stopped":
        same = meter_stop == transaction.meter_stop and said in (None, transaction.stopped_at)
        kept = Quarantine("the transaction is stopped already", transaction.id)
        if same:
            # Metron says it every ten seconds for ever: one row, which counts them.
            kept = replace(kept, reason=f"{kept.reason}, as it says", resolution=ON_THE_BOOKS)
        return Response(answer, (kept,))
    # Our own clock may have been stepped back meanwhile: no session lasts less than nothing.
    stopped_at = said or max(request.received_at, transaction.started_at)
    meter, samples = meter_of(request.charge_point), read_samples(request, "transactionData")
    charged = in_one_unit(transaction, meter_stop, samples, stopped_at, meter.max_power) or at_stop(
        with_samples(transaction, samples, request.received_at, meter),
        meter_stop,
        stopped_at,
        meter,
    )
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
                without_flags(
                    transaction.flags,
                    "orphaned",
                    "stop-quarantined",
                    *(item for item in OF_THE_METER if item not in charged.flags),
                ),
                flags,
            ),
            energy_source=charged.source,
            confidence=charged.confidence,
        )
    ]
    if samples:
        effects.append(RecordMeterValues(transaction.connector, transaction.id, samples))
    return Response(answer, tuple(effects))


def end_of(
    transaction: TransactionState,
    payload: Mapping[str, Any],
    charge_point: ChargePointState,
    received_at: datetime,
) -> datetime | None:
    """The charger's time in this StopTransaction of the session; None if it can't be true.

    In autumn an hour of local time comes twice, and is read as the first. It was the second where
    the session would have ended before it began, or before its newest meter value. Not where
    minutes would do to explain that: clocks are set in a session, too.
    """
    words = payload.get("timestamp")
    said, second = charge_point.time_of(words), charge_point.time_of(words, fold=1)
    if said is None or second is None or second <= said or "start-clock" in transaction.flags:
        return said
    if transaction.state == "stopped":
        return second if second == transaction.stopped_at else said
    begun = max(transaction.started_at, transaction.meter_last_at or transaction.started_at)
    is_second = said < begun - AHEAD and begun <= second <= received_at + AHEAD
    return second if is_second else said


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
    found = at_stop(transaction, meter_stop, stopped_at, Meter(max_power))
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

    def told(item: TransactionState) -> datetime | None:
        return end_of(item, request.payload, charge_point, request.received_at)

    def fits(item: TransactionState) -> bool:
        return could_end(item, request.payload, told(item), charge_point.max_power)

    running = list(charge_point.active.values())
    interrupted = [item for item in charge_point.interrupted.values() if fits(item)]
    if len(running) + len(interrupted) > 1:
        running = [item for item in running if fits(item)]
    running += interrupted
    if len(running) != 1:
        return None
    stopped_at = told(running[0])
    odd = clock_flags(stopped_at, request.received_at, "stop")
    if not odd and stopped_at is not None and stopped_at < running[0].started_at:
        return None
    return running[0]
