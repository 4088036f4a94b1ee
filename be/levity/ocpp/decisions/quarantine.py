"""What a person decides about quarantined messages: attach, make a transaction, discard, undo.

Each is one database transaction that leaves its trail with the message: when, by whom, to which
transaction, what for. Asking for the same again changes nothing. What can't be done raises
`CannotResolve`, whose text is for people.

A message is taken again by the same handlers as when it came, as of the time it came.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import uuid4

import orjson
from django.db import transaction as database
from django.db.models import Q
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.changes import changes_told
from levity.ocpp.chargers.clocks import is_unset
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.decisions import sessions
from levity.ocpp.effects import Effect, StopTransaction
from levity.ocpp.models import QuarantinedMessage, Transaction
from levity.ocpp.request import ChargePointState, Request, TransactionState, with_flags
from levity.ocpp.rules.energy import closed
from levity.ocpp.rules.readings import REGISTER, newest_register
from levity.ocpp.store.late_samples import join_values, transaction_state
from levity.ocpp.v16.actions.meter_values import meter_values
from levity.ocpp.v16.actions.samples import read_samples
from levity.ocpp.v16.actions.stop_transaction import end_session
from levity.ocpp.versions import V16
from levity.ocpp.wire.fields import MAX_CONNECTOR, energy, integer, text
from levity.ocpp.wire.frames import OcppError
from levity_ws.frozen import frozen

__all__ = [
    "CannotResolve",
    "Session",
    "attach",
    "candidates",
    "discard",
    "make_transaction",
    "note_resolution",
    "proposal",
    "stops_of",
    "undo",
]

log = logging.getLogger(__name__)

CHANGE = "ocpp.change_quarantinedmessage"
AROUND = timedelta(days=3)


class CannotResolve(NotPossible):
    """It can't be done; the text says why and what could be done instead."""


@frozen
class Session:
    """What a transaction is made of; None is what the messages don't tell."""

    connector: int | None = None
    id_tag: str = ""
    started_at: datetime | None = None
    meter_start: Decimal | None = None


def candidates(message: QuarantinedMessage, limit: int = 20) -> list[Transaction]:
    """Transactions of this charger around the time of the message, the nearest first."""
    moment = _said(message) or message.received_at
    near = Transaction.objects.filter(
        charge_point=message.charge_point_id,
        started_at__gte=moment - AROUND,
        started_at__lte=moment + AROUND,
    )
    named = _payload(message).get("transactionId")
    known = Q(pk=message.transaction) if message.transaction else Q(pk__in=[])
    if type(named) is int and 0 < named < 2**31:
        known |= Q(pk=named)
    certain = Transaction.objects.filter(known, charge_point=message.charge_point_id)
    found = {item.pk: item for item in [*certain, *near.order_by("-started_at")[:200]]}
    return sorted(
        found.values(), key=lambda item: abs((item.stopped_at or item.started_at) - moment)
    )[:limit]


def stops_of(message: QuarantinedMessage) -> list[QuarantinedMessage]:
    """Open StopTransactions that name the id with which this StartTransaction was answered."""
    if message.action != V16.begins or message.transaction is None:
        return []
    stops = QuarantinedMessage.objects.filter(
        charge_point=message.charge_point_id,
        action=V16.ends,
        resolved_at=None,
        payload__contains=str(message.transaction),
    ).order_by("id")
    named = (item for item in stops.iterator() if _named(item) == message.transaction)
    return list(islice(named, 1))


def proposal(message: QuarantinedMessage) -> Session:
    """As much of a session as a Start- or StopTransaction tells."""
    payload = _payload(message)
    charge_point = sessions.state_of(message.charge_point)
    connectors = [number for _, number in charge_point.connectors if number > 0]
    connector = _read(integer, payload, "connectorId", 1, MAX_CONNECTOR)
    if connector is None and len(connectors) <= 1:
        connector = connectors[0] if connectors else 1
    id_tag = _read(text, payload, "idTag") or ""
    if message.action == V16.begins:
        return Session(
            connector,
            id_tag,
            charge_point.time_of(payload.get("timestamp")) or message.received_at,
            _read(energy, payload, "meterStart"),
        )
    samples = read_samples(_request(message, payload, charge_point), "transactionData")
    begun = [item for item in samples if item.measurand == REGISTER and item.value is not None]
    if not begun:
        return Session(connector, id_tag)
    first = min(item.sampled_at for item in begun)
    register = newest_register(item for item in begun if item.sampled_at == first)
    return Session(connector, id_tag, first, register[0] if register else None)


def attach(message: QuarantinedMessage, transaction: Transaction, who: Who) -> Transaction:
    """The message belongs to this transaction: a Stop ends it, MeterValues join it."""
    check(message, who, CHANGE)
    check(transaction, who)
    with database.atomic(), changes_told():
        message = _locked(message)
        transaction = Transaction.objects.select_for_update().get(pk=transaction.pk)
        if message.resolved_at is not None:
            if message.resolved_to_id == transaction.pk:
                return transaction
            raise CannotResolve(_dealt_with(message))
        if message.charge_point_id != transaction.charge_point_id:
            raise CannotResolve(
                f"transaction {transaction.pk} belongs to another charge point: messages of one "
                "charge point can't change the sessions of another"
            )
        before = sessions.snapshot(transaction)
        newest = sessions.newest_value_id()
        state = transaction_state(transaction)
        effects = _effects(message, state)
        sessions.write(message.charge_point, effects, message.received_at)
        transaction.refresh_from_db()
        message.undo = {
            "before": before,
            "after": sessions.snapshot(transaction),
            "values": sessions.values_since(newest, transaction, message.received_at),
        }
        _resolve(message, who, f"attached to transaction {transaction.pk}", transaction)
    return transaction


def make_transaction(
    message: QuarantinedMessage,
    who: Who,
    session: Session | None = None,
    stop: QuarantinedMessage | None = None,
) -> Transaction:
    """A session of its own, from a StartTransaction, a StopTransaction, or both.

    `session` says what the messages don't (see `proposal`). The id with which the Start was
    answered is used. Without a Stop it ends at its last sample, and goes on if the charger does.
    """
    check(message, who, CHANGE)
    if stop is not None:
        check(stop, who)
    with database.atomic(), changes_told():
        message = _locked(message)
        if message.resolved_at is not None:
            if message.resolved_to is not None and (message.undo or {}).get("made"):
                return message.resolved_to
            raise CannotResolve(_dealt_with(message))
        if message.action not in (V16.begins, V16.ends):
            raise CannotResolve(f"no transaction can be created from {message.action}")
        end = message if message.action == V16.ends else stop and _locked(stop)
        if end is not None and end is not message:
            _check_stop(end, message)
        values = session or proposal(message)
        newest = sessions.newest_value_id()
        made = _insert(message, values)
        stopped = _said(end) if end else None
        joined = join_values(made, until=stopped or timezone.now())
        state = transaction_state(made, state="active")
        effects = _effects(end, state) if end else (closed(state, "Other"),)
        sessions.write(message.charge_point, effects, (end or message).received_at)
        made.refresh_from_db()
        message.undo = {
            "made": made.pk,
            "after": sessions.snapshot(made),
            "joined": joined,
            "values": sessions.values_since(newest, made, (end or message).received_at),
            "stop": end.pk if end is not None and end is not message else None,
        }
        _resolve(message, who, f"transaction {made.pk} created", made)
        if end is not None and end is not message:
            _resolve(end, who, f"transaction {made.pk} created, with its start", made)
    return made


def discard(message: QuarantinedMessage, who: Who, why: str) -> None:
    """It belongs to no session; the message and the reason stay."""
    check(message, who, CHANGE)
    why = why.strip()
    if not why:
        raise CannotResolve("enter a reason for discarding it")
    with database.atomic():
        message = _locked(message)
        if message.resolved_at is not None:
            if message.resolved_to_id is None:
                return
            raise CannotResolve(_dealt_with(message))
        message.undo = {"discarded": True}
        _resolve(message, who, f"discarded: {why}", None)


def note_resolution(message: QuarantinedMessage, text: str, who: Who) -> None:
    """What was done about it elsewhere, in a person's words; an empty text opens it again.

    What was decided here is taken back with `undo`.
    """
    check(message, who, CHANGE)
    text = text.strip()
    with database.atomic():
        message = _locked(message)
        if message.undo is not None:
            raise CannotResolve(_dealt_with(message))
        before = {"resolution": message.resolution}
        message.resolution = text
        if not text:
            message.resolved_at = message.resolved_by = None
        elif message.resolved_at is None:
            message.resolved_at, message.resolved_by = timezone.now(), who
        message.save(update_fields=["resolution", "resolved_at", "resolved_by"])
        said = f"resolved: {text}" if text else "opened again"
        note(who, [message], said, before, {"resolution": text})


def undo(message: QuarantinedMessage, who: Who) -> None:
    """Undo the decision, as long as the transaction is what it was made to be."""
    check(message, who, CHANGE)
    with database.atomic(), changes_told():
        message = _locked(message)
        trail = message.undo
        if message.resolved_at is None:
            return
        if trail is None:
            raise CannotResolve("this was not decided here, so it can't be undone here")
        transaction = message.resolved_to
        if "discarded" not in trail:
            if transaction is None:
                raise CannotResolve("the transaction no longer exists")
            if sessions.snapshot(transaction) != trail["after"]:
                raise CannotResolve(
                    f"transaction {transaction.pk} has changed since; undoing would lose that "
                    "change"
                )
        others = [message]
        if trail.get("made"):
            assert transaction is not None
            used = QuarantinedMessage.objects.filter(resolved_to=transaction).exclude(
                pk__in=[message.pk, trail["stop"]]
            )
            if used.exists():
                raise CannotResolve(
                    f"other messages were attached to transaction {transaction.pk}: undo them first"
                )
            others += QuarantinedMessage.objects.filter(pk=trail["stop"])
        for item in others:
            item.resolved_at = item.resolved_by = item.resolved_to = item.undo = None
            before, item.resolution = {"resolution": item.resolution}, ""
            item.save()
            note(who, [item], "decision undone", before, {"resolution": ""})
        if transaction is not None and "discarded" not in trail:
            sessions.restore(transaction, trail)
        log.info(
            "quarantined message %s: decision undone by %s",
            message.pk,
            who or "the command line",
        )


def _effects(message: QuarantinedMessage, state: TransactionState) -> Sequence[Effect]:
    """What the message does to the transaction, by the handler of its action."""
    payload = _payload(message)
    charge_point = sessions.state_of(message.charge_point)
    if message.action == V16.ends:
        # Whatever is known of its end: this message is the better one, a person says.
        open_again = replace(state, state="active")
        request = _request(message, payload, charge_point, open_again)
        try:
            effects = end_session(request, open_again)
        except OcppError:
            reason = _read(text, payload, "reason", 64) or "Local"
            effects = (closed(open_again, reason, "no-meter-stop", _said(message)),)
        return tuple(
            replace(item, flags=with_flags(" ".join(item.flags), ("by-hand",)), orphaned=False)
            if isinstance(item, StopTransaction)
            else item
            for item in effects
        )
    if message.action == V16.samples:
        # Not opened again by what a person adds to the past.
        kept = replace(state, stopped_at=None) if state.state == "orphaned" else state
        try:
            return meter_values(_request(message, payload, charge_point, kept)).effects
        except OcppError as error:
            raise CannotResolve(f"its samples can't be read: {error.description}") from error
    raise CannotResolve(
        f"{message.action} can't be attached to a transaction; create one from it, or discard it"
    )


def _insert(message: QuarantinedMessage, session: Session) -> Transaction:
    connector, started_at, meter_start = session.connector, session.started_at, session.meter_start
    if connector is None or started_at is None or meter_start is None:
        named = {"connector": connector, "started_at": started_at, "meter_start": meter_start}
        missing = ", ".join(name for name, value in named.items() if value is None)
        raise CannotResolve(f"the message lacks {missing}: enter it")
    same = Transaction.objects.filter(
        charge_point=message.charge_point_id,
        connector=connector,
        id_tag=session.id_tag,
        started_at=started_at,
        meter_start=meter_start,
    )
    known = same.order_by("occurrence").last()
    if known is not None and not is_unset(started_at, message.received_at):
        raise CannotResolve(f"this session is already recorded as transaction {known.pk}")
    given = message.transaction if message.action == V16.begins else None
    if given is None or Transaction.objects.filter(pk=given).exists():
        given = sessions.new_id()
    with changes_told(lambda: [given]):
        return Transaction.objects.create(
            pk=given,
            charge_point_id=message.charge_point_id,
            connector=connector,
            state=Transaction.State.ORPHANED,
            id_tag=session.id_tag,
            started_at=started_at,
            start_received_at=message.received_at,
            meter_start=meter_start,
            occurrence=0 if known is None else known.occurrence + 1,
            flags="made-by-hand",
        )


def _check_stop(stop: QuarantinedMessage, start: QuarantinedMessage) -> None:
    if stop.action != V16.ends or stop.charge_point_id != start.charge_point_id:
        raise CannotResolve("its end must be a StopTransaction of the same charge point")
    if stop.resolved_at is not None:
        raise CannotResolve(_dealt_with(stop))


def _resolve(
    message: QuarantinedMessage, who: Who, resolution: str, transaction: Transaction | None
) -> None:
    message.resolved_at = timezone.now()
    message.resolved_by = who
    message.resolved_to = transaction
    message.resolution = resolution[:255]
    message.save()
    note(who, [message], resolution)
    log.info("quarantined message %s: %s by %s", message.pk, resolution, who or "the command line")


def _locked(message: QuarantinedMessage) -> QuarantinedMessage:
    sessions.take_turn(message.charge_point)
    rows = QuarantinedMessage.objects.select_for_update(of=("self",))
    return rows.select_related("charge_point", "resolved_to").get(pk=message.pk)


def _dealt_with(message: QuarantinedMessage) -> str:
    return f"it was already resolved: {message.resolution}; undo that first"


def _request(
    message: QuarantinedMessage,
    payload: dict[str, Any],
    charge_point: ChargePointState,
    transaction: TransactionState | None = None,
) -> Request:
    return Request(
        action=message.action,
        payload=payload,
        unique_id=message.unique_id,
        connection=str(message.connection or uuid4()),
        received_at=message.received_at,
        charge_point=charge_point,
        transaction=transaction,
    )


def _payload(message: QuarantinedMessage) -> dict[str, Any]:
    """The payload; empty where the frame was cut off."""
    try:
        payload = orjson.loads(message.payload)
    except orjson.JSONDecodeError:
        return {}
    return payload if isinstance(payload, dict) else {}


def _said(message: QuarantinedMessage) -> datetime | None:
    charge_point = sessions.state_of(message.charge_point)
    return charge_point.time_of(_payload(message).get("timestamp"))


def _named(message: QuarantinedMessage) -> int | None:
    return _read(integer, _payload(message), "transactionId", 1)


def _read(reader: Any, payload: dict[str, Any], name: str, *limits: Any) -> Any:
    try:
        return reader(payload, name, *limits)
    except OcppError:
        return None
