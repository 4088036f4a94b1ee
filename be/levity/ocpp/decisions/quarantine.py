"""What a person decides about quarantined messages: attach, make a transaction, discard, undo.

Each is one database transaction that leaves its trail with the message: when, by whom, to which
transaction, what for. Asking for the same again changes nothing. What can't be done raises
`CannotResolve`, whose text is for people. What the messages say is read in
`quarantined_message`.
"""

import logging

from django.db import transaction as database
from django.utils import timezone

from levity.ocpp.audit import Who, note, person
from levity.ocpp.changes import changes_told
from levity.ocpp.chargers.clocks import is_unset
from levity.ocpp.deciding import check
from levity.ocpp.decisions import sessions
from levity.ocpp.decisions.quarantined_message import (
    CannotResolve,
    Session,
    effects_of,
    proposal,
    said_at,
)
from levity.ocpp.models import QuarantinedMessage, Transaction
from levity.ocpp.rules.unended import closed
from levity.ocpp.store.late_samples import join_values, transaction_state
from levity.ocpp.versions import V16

__all__ = [
    "attach",
    "discard",
    "make_transaction",
    "note_resolution",
    "undo",
]

log = logging.getLogger(__name__)

CHANGE = "ocpp.change_quarantinedmessage"


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
        effects = effects_of(message, state)
        sessions.write(message.charge_point, effects, message.received_at)
        transaction.refresh_from_db()
        message.undo = {
            "before": before,
            "after": sessions.snapshot(transaction),
            "elements": sessions.values_since(newest, transaction, message.received_at),
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
        stopped = said_at(end) if end else None
        joined = join_values(made, until=stopped or timezone.now())
        state = transaction_state(made, state="active")
        effects = effects_of(end, state) if end else (closed(state, "Other"),)
        sessions.write(message.charge_point, effects, (end or message).received_at)
        made.refresh_from_db()
        message.undo = {
            "made": made.pk,
            "after": sessions.snapshot(made),
            "joined_elements": joined,
            "elements": sessions.values_since(newest, made, (end or message).received_at),
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
            message.resolved_at, message.resolved_by = timezone.now(), person(who)
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
    message.resolved_by = person(who)
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
