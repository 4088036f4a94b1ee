"""StopTransaction (OCPP 1.6, 4.10): a session ends."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from levity.ocpp.chargers.clocks import clock_flags, is_as_wrong
from levity.ocpp.effects import (
    Effect,
    NoteSecurityEvent,
    Quarantine,
    RecordMeterValues,
)
from levity.ocpp.request import (
    Request,
    Response,
    TransactionState,
)
from levity.ocpp.rules.chain.claims import begins_anew
from levity.ocpp.rules.energy import of_stop
from levity.ocpp.rules.figures import HIGH, MEDIUM
from levity.ocpp.rules.lifetime import counts_for_life
from levity.ocpp.rules.sampled import Meter, meter_of
from levity.ocpp.rules.unended import closed
from levity.ocpp.v16.actions.ends import end_of, started_twice
from levity.ocpp.v16.actions.id_tag_info import accepted
from levity.ocpp.v16.actions.meant import meant
from levity.ocpp.v16.actions.moved import (
    displaced,
    doubted,
    ended,
    ended_again,
    given,
    repaired,
    trimmed,
)
from levity.ocpp.v16.actions.samples import read_samples
from levity.ocpp.wire.fields import energy, same_tag, text
from levity.ocpp.wire.words import REASONS

__all__ = ["ON_THE_BOOKS", "end_session", "stop_transaction"]

# Some date the stop anew each time that they say it (steve#955).
AGAIN = timedelta(minutes=10)
OTHER_TAG = "stopped-by-other-tag"
ON_THE_BOOKS = "nothing to decide: these figures are already recorded"


def stop_transaction(request: Request) -> Response:
    """Close the transaction. Always answered: what does not fit what is recorded is quarantined."""
    payload = request.payload
    answer: dict[str, Any] = {"idTagInfo": accepted()} if text(payload, "idTag") else {}
    found = meant(request)
    transaction = found.transaction
    if transaction is None:
        named = request.transaction.id if request.transaction else None
        return Response(answer, (Quarantine(found.why_not, named),))
    if transaction.charge_point_id != request.charge_point.id:
        # CVE-2026-28230: whoever guesses an id must not stop another one's session.
        detail = f"StopTransaction for transaction {transaction.id} of another charge point"
        return Response(
            answer,
            (
                Quarantine("the transaction belongs to another charge point"),
                NoteSecurityEvent("ForeignTransaction", detail),
            ),
        )
    effects = end_session(request, transaction, found.flags)
    if found.is_trimmed:
        effects = (*trimmed(effects, transaction), *effects)
    if found.moved is not None:
        its = given(request, found.moved, found.to) or (displaced(request, found.moved),)
        effects = (*repaired(effects, found.moved), *its)
    if found.doubted is not None:
        effects = doubted(effects, transaction, found.doubted)
    return Response(answer, effects)


def _meter(request: Request, transaction: TransactionState) -> Meter:
    """What is known of the meter; whether it begins anew only where that makes a difference."""
    meter, known_since = meter_of(request.charge_point), request.charge_point.known_since
    if request.chain and not meter.by_session:
        meter = replace(meter, is_lifetime=counts_for_life(transaction, request.chain))
    if meter.booted_at is None or meter.booted_at < transaction.started_at:
        return meter
    if known_since is not None and known_since < transaction.started_at:
        return replace(meter, was_known=True)
    # (A charger without power has none on any of its connectors.)
    places = {item.place for item in request.chain}
    is_volatile = any(
        begins_anew([item for item in request.chain if item.place == place]) for place in places
    )
    return replace(meter, is_volatile=is_volatile)


def end_session(
    request: Request, transaction: TransactionState, found_by: Sequence[str] = ()
) -> tuple[Effect, ...]:
    """The end of this session as the StopTransaction tells it, whichever it names."""
    payload = request.payload
    meter_stop = energy(payload, "meterStop")
    said = end_of(transaction, payload, request.charge_point, request.received_at)
    if transaction.state == "stopped":
        same = meter_stop == transaction.meter_stop and _is_near(said, transaction.stopped_at)
        kept = Quarantine("the transaction has already stopped", transaction.id)
        if same:
            # Metron says it every ten seconds for ever: one row, which counts them.
            kept = replace(kept, reason=f"{kept.reason}, as it says", resolution=ON_THE_BOOKS)
            return (kept,)
        return (kept, *ended_again(request, transaction, meter_stop))
    # Our own clock may have been stepped back meanwhile: no session lasts less than nothing.
    stopped_at = said or max(request.received_at, transaction.started_at)
    meter, samples = _meter(request, transaction), read_samples(request, "transactionData")
    charged = of_stop(transaction, meter_stop, samples, stopped_at, request.received_at, meter)
    clock = clock_flags(said, request.received_at, "stop") or _same_clock(
        said, request, transaction
    )
    flags = [*clock, *charged.flags]
    if stopped_at < transaction.started_at:
        flags.append("stop-before-start")
    flags += found_by
    if transaction.state == "orphaned":
        flags.append("late-stop")
    id_tag = text(payload, "idTag")
    if _is_of_other_tag(transaction, id_tag, request):
        flags.append(OTHER_TAG)
        if charged.confidence == HIGH:
            charged = replace(charged, confidence=MEDIUM)
    effects: list[Effect] = []
    twin = started_twice(transaction, request.charge_point)
    if twin is not None and stopped_at >= twin.started_at:
        effects.append(closed(twin, "Other", "started-twice"))
    # 7.36: Local is what an absent reason means.
    reason = REASONS.meant(text(payload, "reason", 64)) or "Local"
    effects.append(ended(transaction, meter_stop, stopped_at, charged, flags, reason, id_tag))
    if samples:
        effects.append(RecordMeterValues(transaction.connector or 0, transaction.id, samples))
    return tuple(effects)


def _is_of_other_tag(transaction: TransactionState, id_tag: str, request: Request) -> bool:
    """True if another card ends a session that was closed meanwhile: it may be the end of the next
    one, whose start was lost.

    A card of a group may be of the same household.
    """
    if not id_tag or not transaction.id_tag or same_tag(id_tag, transaction.id_tag):
        return False
    if request.id_tag is not None and request.id_tag.parent:
        return False
    return transaction.state == "orphaned" or "continued" in transaction.flags.split()


def _same_clock(
    said: datetime | None, request: Request, transaction: TransactionState
) -> tuple[str, ...]:
    """The flag of a stop by the clock that was wrong at the start, though its date looks right."""
    begun = transaction.start_received_at
    if begun is None or "start-clock-unset" not in transaction.flags.split():
        return ()
    if is_as_wrong(said, request.received_at, transaction.started_at, begun):
        return ("stop-clock-unset",)
    return ()


def _is_near(said: datetime | None, stopped_at: datetime | None) -> bool:
    return said is None or stopped_at is None or abs(said - stopped_at) <= AGAIN
