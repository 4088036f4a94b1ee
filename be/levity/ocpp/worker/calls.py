"""Route a charger's frame and make its answer. No I/O: everything needed is loaded."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from websockets.frames import CloseCode

from levity.ocpp.effects import (
    Effect,
    Quarantine,
    RecordMeterValues,
    StartTransaction,
)
from levity.ocpp.request import (
    GetResponse,
    IdTagState,
    Request,
    Senseless,
    SigningState,
)
from levity.ocpp.store import Arrival, Loaded, Outcome, StoredMessage
from levity.ocpp.store.budget import same_text
from levity.ocpp.versions import ROUTES
from levity.ocpp.wire.fields import time_of
from levity.ocpp.wire.frames import (
    MAX_UNIQUE_ID,
    Call,
    CallError,
    CallResult,
    ErrorCode,
    Malformed,
    OcppError,
    given_id,
    parse,
    storable,
    write_error,
    write_result,
)
from levity.ocpp.worker.call_results import finish_command
from levity_ws.rpc.envelope import Close, Received, Spooled

__all__ = ["answer"]

log = logging.getLogger(__name__)

RETRIED_WITHIN = 8
"""Frames: what comes again after more than these is no repetition of one that got no answer."""
RETRIED_FOR = timedelta(minutes=2)
NOT_SIGNING = SigningState()


class UnknownChargePoint(Exception):
    """A frame that may not be lost, for its charger was told that it was taken, and that has
    nobody whose it could be: it is parked."""


def answer(arrival: Arrival, loaded: Loaded, chain: GetResponse) -> Outcome:
    """What this frame leads to.

    `OcppError` becomes a CALLERROR here and nowhere else; any other exception is the caller's.
    """
    outcome = _answer(arrival, loaded, chain)
    if isinstance(arrival.event, Spooled):
        _keep_given_answer(outcome, arrival.event, loaded)
    return outcome


def _keep_given_answer(outcome: Outcome, event: Spooled, loaded: Loaded) -> None:
    """The charger has its answer, from the edge: ours only says which transaction it is."""
    given, ours = event.transaction, given_id(outcome.answer)
    if given and ours and given != ours:
        outcome.alias = given, ours
        outcome.effects += _early_end(outcome, given, loaded)
    outcome.answer = event.answer
    if not outcome.error_description:
        outcome.error_description = "answered by the edge, while the backend was away"


def _early_end(outcome: Outcome, given: int, loaded: Loaded) -> tuple[Effect, ...]:
    """The StopTransaction that named this id before anybody knew whose it is: another edge told
    it first."""
    charge_point, connection = outcome.charge_point, outcome.arrival.connection
    transaction = loaded.starts.get(loaded.start_keys.get(connection, ()))
    if charge_point is None or transaction is None or transaction.state == "stopped":
        return ()
    stops = loaded.early_stops.get(charge_point.id, ())
    end = outcome.arrival.version.end_by_early_stop
    return end(charge_point, connection, transaction, stops, given)


def _answer(arrival: Arrival, loaded: Loaded, chain: GetResponse) -> Outcome:
    frame, event = arrival.frame, arrival.event
    assert isinstance(event, Received)
    outcome = Outcome(arrival, loaded.charge_point(event.charge_point))
    if outcome.charge_point is None and isinstance(event, Spooled):
        raise UnknownChargePoint(
            f"{event.charge_point} is not registered here, and its edge has answered: once it is "
            "registered again, this frame can be replayed"
        )
    if outcome.charge_point is None:
        outcome.commands = (
            Close(
                event.connection,
                CloseCode.POLICY_VIOLATION,
                "this charge point is not registered here",
            ),
        )
        return outcome
    if taken := loaded.taken.get((event.connection, event.seq)):
        outcome.answer, outcome.known = taken.response, True
        return outcome
    if isinstance(frame, Call):
        outcome.unique_id, outcome.action = frame.unique_id, frame.action[:64]
        if not _is_repeated(outcome, loaded):
            _answer_call(outcome, frame, loaded, chain)
    elif isinstance(frame, CallResult | CallError):
        finish_command(outcome, frame.unique_id, frame, loaded)
    elif isinstance(frame, Malformed):
        _answer_malformed(outcome, frame, loaded)
    if outcome.error_code and outcome.command is None:
        log.warning(
            "%s: %s answered with %s (%s)",
            event.charge_point,
            # Not the charger's own words: they might forge a line of the log.
            outcome.action if outcome.action in ROUTES else "frame",
            outcome.error_code,
            outcome.error_description,
            extra=_about(outcome),
        )
    return outcome


def _about(outcome: Outcome) -> dict[str, str]:
    """The fields of a line in the log."""
    event = outcome.arrival.event
    return {
        "charge_point": event.charge_point,
        "connection": event.connection,
        "message_id": outcome.unique_id,
        "action": outcome.action if outcome.action in ROUTES else "",
    }


def _is_repeated(outcome: Outcome, loaded: Loaded) -> bool:
    """The same message again on this connection gets the stored answer.

    OCPP-J 1.6, 4.1.4: the id of a Call is unique among those of one sender on one connection.
    There are chargers that count from 0 to 99 and begin anew: the same id with other content, once
    the first one is answered, is another message.
    """
    event = outcome.arrival.event
    assert isinstance(event, Received)
    before = loaded.messages.get((event.connection, outcome.unique_id))
    if before is None:
        return False
    text = storable(event.text)
    stored = next((item for item in before if same_text(item.request, text)), None)
    if stored is None:
        return False
    is_reused = stored is not before[0] or event.seq - (stored.seq or 0) > RETRIED_WITHIN
    if _says_something_new(outcome, stored, is_reused=is_reused):
        return False
    outcome.answer = stored.response
    outcome.error_description = "sent again with the same unique id"
    return True


def _says_something_new(outcome: Outcome, stored: StoredMessage, *, is_reused: bool) -> bool:
    """True for a message that may be meant anew, word for word.

    One of sessions is looked at again where the id has been used since: by a clock that stands
    still a session has the words of the one before, and what is the same is not recorded twice.
    """
    arrival = outcome.arrival
    payload = arrival.frame.payload if isinstance(arrival.frame, Call) else None
    version = arrival.version
    if is_reused and outcome.action in (*version.senseless, version.samples):
        return True
    if outcome.action not in version.timeless or not isinstance(payload, Mapping):
        return False
    if "timestamp" in payload:
        return False
    if is_reused:
        return True
    if outcome.action != version.asks_time:
        return False
    # It asks what time it is: an answer of some minutes ago would set the charger's clock back.
    answer = parse(stored.response)
    said = answer.payload.get("currentTime") if isinstance(answer, CallResult) else None
    told = time_of(said)
    return told is not None and arrival.at - told > RETRIED_FOR


def _answer_call(outcome: Outcome, call: Call, loaded: Loaded, chain: GetResponse) -> None:
    if call.action not in outcome.arrival.version.routes:
        _refuse(outcome, ErrorCode.NOT_IMPLEMENTED, "this action is not supported", call.answer_to)
        return
    outcome.payload = call.payload
    try:
        request = _request(outcome, call, loaded)
        response = chain(request)
    except OcppError as error:
        if call.action not in outcome.arrival.version.senseless:
            _refuse(outcome, error.code, error.description, call.answer_to)
            return
        _quarantine(outcome, call, loaded, error)
        return
    outcome.answer = write_result(call.answer_to, response.payload)
    outcome.effects = response.effects
    outcome.transaction_id = _transaction_of(request, outcome)
    if request.id_tag is not None and request.new_id is not None:
        _count(request.id_tag, outcome, loaded)
    if request.findings:
        outcome.error_description = "; ".join(request.findings)


def _request(outcome: Outcome, call: Call, loaded: Loaded) -> Request:
    arrival, charge_point = outcome.arrival, outcome.charge_point
    assert charge_point is not None
    references = arrival.references
    repeated, new_id, occurrence = None, None, 0
    if references.needs_new_id:
        key = loaded.start_keys.get(arrival.connection, ())
        repeated, occurrence = loaded.starts.get(key), loaded.occurrences.get(key, 0)
        named = loaded.transactions.get(references.transaction_id or 0)
        if named is not None and named.charge_point_id == charge_point.id:
            # An edge gave it the same id again: it knows which session its charger means.
            repeated = named
        if repeated is None:
            # An edge that answered by itself has given one of its leased ids.
            new_id = getattr(arrival.event, "transaction", 0) or loaded.take_new_id(
                charge_point.id, references, again=occurrence
            )
        outcome.transaction_id = repeated.id if repeated else new_id
    findings = arrival.version.schemas.check(call.action, call.payload)
    if call.repeated_keys:
        # JSON leaves open what that means; the last one counts here, and nobody is to wonder.
        findings = (*findings, f"{call.repeated_keys}: repeated, the last one counts")
    if call.repaired:
        findings = (*findings, f"invalid JSON, repaired: {call.repaired}")
    if (arrival.connection, call.unique_id) in loaded.messages:
        findings = (*findings, "its unique id was already used for another message")
    if call.sent_id is not None:
        findings = (*findings, f"the unique id is not a text of 1 to {MAX_UNIQUE_ID} characters")
    # (Python makes a dict of more than 15 named arguments first: half as dear again.)
    return Request(
        call.action,
        # (What is no object and has passed the check is a Heartbeat's.)
        call.payload if isinstance(call.payload, dict) else {},
        call.unique_id,
        arrival.connection,
        arrival.at,
        charge_point,
        id_tag=loaded.id_tags.get(references.id_tag.lower()) if references.id_tag else None,
        transaction=loaded.transactions.get(references.transaction_id or 0),
        repeated=repeated,
        new_id=new_id,
        occurrence=occurrence,
        early_stops=loaded.early_stops.get(charge_point.id, ()) if new_id else (),
        chain=loaded.chains.get(charge_point.id, ()),
        is_plain=charge_point.id in loaded.beside,
        signing=loaded.signing.get(arrival.connection, NOT_SIGNING),
        findings=findings,
        subprotocol=getattr(arrival.event, "subprotocol", ""),
    )


def _count(id_tag: IdTagState, outcome: Outcome, loaded: Loaded) -> None:
    for effect in outcome.effects:
        if isinstance(effect, StartTransaction):
            loaded.has_begun(id_tag, effect.transaction_id)


def _transaction_of(request: Request, outcome: Outcome) -> int | None:
    """The transactionId that the message is found by."""
    if request.repeated is not None:
        return request.repeated.id
    if request.new_id is not None:
        return request.new_id
    for effect in outcome.effects:
        if isinstance(effect, RecordMeterValues) and effect.transaction_id is not None:
            return effect.transaction_id
    return request.transaction.id if request.transaction else None


def _quarantine(outcome: Outcome, call: Call, loaded: Loaded, error: OcppError) -> None:
    """Answer nonsense in a transaction message with a result, and keep it with the reason."""
    charge_point = outcome.charge_point
    assert charge_point is not None
    arrival = outcome.arrival
    references = arrival.references
    named = loaded.transactions.get(references.transaction_id or 0)
    if references.needs_new_id:
        # The same nonsense gets the same one.
        if outcome.transaction_id is None:
            outcome.transaction_id = loaded.take_new_id(charge_point.id, references)
    elif named is not None and named.charge_point_id == charge_point.id:
        outcome.transaction_id = named.id
    response = arrival.version.senseless[call.action](
        Senseless(
            payload=call.payload,
            received_at=arrival.at,
            charge_point=charge_point,
            id_tag=references.id_tag,
            transaction=named,
            transaction_id=outcome.transaction_id,
        )
    )
    outcome.answer = write_result(call.answer_to, response.payload)
    outcome.error_description = error.description
    outcome.effects = (
        Quarantine(f"{error.code}: {error.description}", outcome.transaction_id),
        *response.effects,
    )


def _answer_malformed(outcome: Outcome, frame: Malformed, loaded: Loaded) -> None:
    outcome.unique_id, outcome.action = frame.unique_id, frame.action
    if frame.kind in (3, 4):
        finish_command(outcome, frame.unique_id, frame, loaded)
        return
    if frame.unique_id and _is_repeated(outcome, loaded):
        return
    if frame.answer_to is None:
        outcome.error_description = frame.reason
        log.warning(
            "%s: ignored: %s",
            outcome.arrival.event.charge_point,
            frame.reason,
            extra=_about(outcome),
        )
        return
    if frame.action in outcome.arrival.version.senseless:
        outcome.payload = getattr(outcome.arrival.event, "text", "")
        call = Call(frame.unique_id, frame.action, outcome.payload, sent_id=frame.answer_to)
        _quarantine(outcome, call, loaded, OcppError(frame.code, frame.reason))
        return
    _refuse(outcome, frame.code, frame.reason, frame.answer_to)


def _refuse(outcome: Outcome, code: ErrorCode, description: str, answer_to: str | float) -> None:
    outcome.answer = write_error(answer_to, code, description)
    outcome.error_code, outcome.error_description = code, description
