"""The end of a session as an effect; and that of one whose end was recorded with another."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from levity.ocpp.effects import (
    NO_SUCH_TRANSACTION,
    AdjustTransaction,
    Effect,
    Quarantine,
    StartTransaction,
    StopTransaction,
    UpdateTransaction,
)
from levity.ocpp.request import (
    RecordedSession,
    Request,
    TransactionState,
    with_flags,
    without_flags,
)
from levity.ocpp.rules.chain.books import checks_of, own_of, written
from levity.ocpp.rules.chain.claims import DECIDED
from levity.ocpp.rules.checks import as_text
from levity.ocpp.rules.energy import Energy, at_stop
from levity.ocpp.rules.figures import HIGH, MEDIUM
from levity.ocpp.rules.fitting import ROUNDED, fit
from levity.ocpp.rules.next_car import without_next_car
from levity.ocpp.rules.sampled import OF_THE_METER, meter_of, trail_of
from levity.ocpp.rules.unended import closed
from levity.ocpp.v16.actions.crossed import (
    may_change_ends,
    proven_by_start,
    reopened,
    weakly_ended,
)
from levity.ocpp.v16.actions.ends import said_end
from levity.ocpp.wire.fields import same_tag

__all__ = [
    "displaced",
    "doubted",
    "ended",
    "ended_again",
    "given",
    "not_high",
    "repaired",
    "shown_by_start",
    "trimmed",
]

OF_ANOTHER = ("id-of-another",)
ITS_OWN_CAME = "Its own stop came later; the end that was recorded is another session's."
BY_START = "The next start on the other connector shows that this end is the other session's."
MAY_BE_SWAPPED = "The stops of two connectors fit both sessions, and nothing tells them apart."
STOPPED_AGAIN = "Another stop of this session, with another meter value, fits it as well."
LATE_START = "A start that came later shows that this end is that session's."


def ended(
    transaction: TransactionState,
    meter_stop: Decimal,
    stopped_at: datetime,
    found: Energy,
    flags: Sequence[str],
    reason: str = "Local",
    id_tag: str = "",
) -> StopTransaction:
    """The end of this session, with these flags more.

    One that came with another session's id, of a session without tag and meter values, is known by
    its register only: not `high`.
    """
    confidence = found.confidence
    if confidence == HIGH and "id-of-another" in flags and transaction.meter_last is None:
        confidence = HIGH if same_tag(id_tag, transaction.id_tag) and id_tag else MEDIUM
    kept = without_flags(
        without_next_car(transaction.flags),
        "orphaned",
        "stop-quarantined",
        *(item for item in OF_THE_METER if item not in found.flags),
    )
    return StopTransaction(
        transaction_id=transaction.id,
        meter_stop=meter_stop,
        stopped_at=stopped_at,
        energy=found.wh,
        reason=reason,
        id_tag=id_tag,
        flags=with_flags(kept, flags),
        energy_source=found.source,
        confidence=confidence,
        checks=as_text(found.checks),
    )


def repaired(
    effects: Sequence[Effect], session: RecordedSession, why: str = ITS_OWN_CAME
) -> tuple[Effect, ...]:
    """These effects, where the end of the session replaces the one that was recorded."""
    return tuple(
        replace(item, repair=why, old_energy=session.energy, old_confidence=session.confidence)
        if isinstance(item, StopTransaction) and item.transaction_id == session.id
        else item
        for item in effects
    )


def given(
    request: Request,
    session: RecordedSession,
    to: TransactionState | None,
    flags: Sequence[str] = OF_ANOTHER,
) -> tuple[Effect, ...]:
    """The end that is recorded with this session, as the end of another; nothing where it is not
    known of which."""
    if to is None or session.meter_stop is None or session.stopped_at is None:
        return ()
    meter, came = meter_of(request.charge_point), session.stop_received_at
    found = at_stop(to, session.meter_stop, session.stopped_at, meter, came)
    reason, tag = session.stop_reason or "Local", session.stop_id_tag
    flags = (*found.flags, *flags)
    return (ended(to, session.meter_stop, session.stopped_at, found, flags, reason, tag),)


def displaced(request: Request, session: RecordedSession) -> Quarantine:
    """The end that is recorded with this session and is another's, for a person to look at: nobody
    knows whose. It names no session, as far as is known."""
    charge_point, at = request.charge_point, session.stopped_at
    payload: dict[str, Any] = {"transactionId": 0, "reason": session.stop_reason or "Local"}
    if session.meter_stop is not None:
        wh = session.meter_stop
        payload["meterStop"] = int(wh) if wh == wh.to_integral_value() else float(wh)
    if at is not None and charge_point.quirks.local_time_as_utc:
        payload["timestamp"] = at.astimezone(charge_point.zone).replace(tzinfo=None).isoformat()
    elif at is not None:
        payload["timestamp"] = (
            at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )
    if session.stop_id_tag:
        payload["idTag"] = session.stop_id_tag
    return Quarantine(
        f"{NO_SUCH_TRANSACTION}; it had been taken for the end of #{session.id}",
        displaced=payload,
        displaced_at=session.stop_received_at or at,
    )


def trimmed(effects: Sequence[Effect], session: TransactionState) -> Iterator[UpdateTransaction]:
    """What its samples have shown is forgotten where they ran past its end; the end is the last."""
    for item in effects:
        if isinstance(item, StopTransaction) and item.transaction_id == session.id:
            yield UpdateTransaction(
                session.id, meter_last=item.meter_stop, meter_last_at=item.stopped_at, lives=""
            )


def doubted(
    effects: Sequence[Effect], ended: TransactionState, other: RecordedSession
) -> tuple[Effect, ...]:
    """These effects, where both ends may be each other's: neither of them is `high`."""
    return (*not_high(effects, ended), _no_longer_high(other, "ids-may-be-swapped", MAY_BE_SWAPPED))


def not_high(effects: Sequence[Effect], ended: TransactionState) -> tuple[Effect, ...]:
    """These effects, with an end of this session that is not `high`."""
    return tuple(
        replace(item, confidence="medium")
        if isinstance(item, StopTransaction)
        and item.transaction_id == ended.id
        and item.confidence == "high"
        else item
        for item in effects
    )


def ended_again(
    request: Request, transaction: TransactionState, meter_stop: Decimal
) -> tuple[Effect, ...]:
    """What another stop of a session that has ended says of the end that is recorded: that is not
    sure any more where this one would be its end as well, among the sessions that lie near."""
    recorded = next((item for item in request.chain if item.id == transaction.id), None)
    if recorded is None or recorded.meter_stop is None or recorded.confidence != "high":
        return ()
    if recorded.energy_source in DECIDED or abs(recorded.meter_stop - meter_stop) <= ROUNDED:
        return ()
    charge_point = request.charge_point
    was = reopened(recorded, charge_point)
    others = (item for item in request.chain if item.id != recorded.id)
    end = said_end(request.payload, charge_point, request.received_at)
    found = fit(replace(was, state="orphaned"), end, (*others, was), charge_point)
    lives = trail_of(was).lives
    # A register of the session itself is held against its own samples only.
    is_nearer = bool(lives) and lives[-1].last - lives[-1].off <= meter_stop < recorded.meter_stop
    if found.against or not (found.is_possible or is_nearer):
        return ()
    return (_no_longer_high(recorded, "stopped-again", STOPPED_AGAIN),)


def _no_longer_high(session: RecordedSession, flag: str, why: str) -> Effect:
    """This session with this flag; not `high` any more if it was, with a trail."""
    flags = with_flags(session.flags, (flag,))
    if session.confidence != "high":
        return UpdateTransaction(session.id, flags=flags)
    own = own_of(session)
    own = replace(own, confidence="medium") if own.confidence == "high" else own
    return AdjustTransaction(
        transaction_id=session.id,
        energy=session.energy,
        energy_source=session.energy_source,
        confidence="medium",
        flags=flags,
        checks=written(own, checks_of(session.checks)),
        reason=why,
        old_energy=session.energy,
        old_confidence=session.confidence,
    )


def shown_by_start(
    begun: StartTransaction, transaction: TransactionState, request: Request
) -> tuple[Effect, ...]:
    """What this start shows of ends that are recorded: whose they are.

    The session that begins may have ended already: its stop came first, named no session, and was
    taken for the end of the one before. Or it begins where a session of another connector ended,
    to the Wh: that was the end of the session before on this one.
    """
    weak = weakly_ended(begun, transaction, request)
    if weak is not None:
        flags = ("stop-came-first", "matched-by-connector")
        return (
            *repaired((_open_end(weak, request),), weak, LATE_START),
            *given(request, weak, transaction, flags),
        )
    proven = proven_by_start(begun, request)
    if proven is None:
        return ()
    session, before = proven
    its = reopened(before, request.charge_point) if before.state == "stopped" else before
    effects = given(request, session, its)
    if before.state != "stopped":
        effects += _open_again(session, request)
        return effects
    if not may_change_ends(before, session, request):
        # Its own end stands; what was taken for the other's is of a session that nobody knows.
        return (*_open_again(session, request), displaced(request, session))
    back = given(request, before, reopened(session, request.charge_point))
    return (*repaired(effects, before, BY_START), *repaired(back, session, BY_START))


def _open_again(session: RecordedSession, request: Request) -> tuple[Effect, ...]:
    """The session whose end was another's: it runs, or nobody knows its end."""
    was = reopened(session, request.charge_point)
    place = session.place
    later = [
        item
        for item in request.chain
        if item.place == place and item.started_at > session.started_at
    ]
    if later or place in request.charge_point.active or session.connector is None:
        return repaired((_open_end(session, request),), session, BY_START)
    return (
        UpdateTransaction(
            session.id,
            energy=was.energy or Decimal(0),
            reopen_on=session.connector,
            flags=with_flags(was.flags, ()),
        ),
    )


def _open_end(session: RecordedSession, request: Request) -> StopTransaction:
    """The end that we give it, by its samples."""
    return closed(reopened(session, request.charge_point), "Other")
