"""From an operator's wish to a charger's answer. This module reads as the sentence of the design:

queue -> dispatch (one outstanding Call per charge point) -> charger
      -> answered | refused | timed out | expired | cancelled

The rows of `Command` are the queue; nothing is kept in memory, so any worker can go on where
another one died. (The charger's answer comes through the pipeline, see `calls.py`.)
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Case, F, When
from django.utils import timezone

from levity.db.round_trips import in_few_trips
from levity.db.rows import insert_rows, update_rows, written_together
from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.chargers.security.concealment import Unreadable, reveal
from levity.ocpp.commands.due import (
    DueCommand,
    Shown,
    anything_due,
    anything_over,
    due_commands,
    statuses_of,
)
from levity.ocpp.commands.plugged_in import KEPT, reason_to_drop, reason_to_wait
from levity.ocpp.conf import call_timeout
from levity.ocpp.deciding import NotPossible
from levity.ocpp.effects import ASK_FOR_BOOT
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.rules.evidence import SETTLED_AFTER
from levity.ocpp.store.evidence import expect_evidence, settle_by_log
from levity.ocpp.store.key_changes import expect_keys
from levity.ocpp.store.messages.writing import SentCall, forget_unsent, write_calls
from levity.ocpp.versions import version_of
from levity.ocpp.wire.frames import write_call
from levity_ws.frozen import frozen
from levity_ws.rpc.envelope import Reply, Send

__all__ = [
    "BadCall",
    "NeverSent",
    "calls_to_send",
    "cancel",
    "check_calls",
    "dispatch",
    "give_up",
    "queue",
    "queue_many",
]

log = logging.getLogger(__name__)

SendTo = Callable[[str, Reply], bool]

# Some chargers (Wallbox) send no BootNotification when they reconnect: then this is enough.
BOOT_PATIENCE = timedelta(seconds=30)


class BadCall(NotPossible, ValueError):
    """This is no Call of the version of OCPP that the charge point speaks; the text says what is
    wrong with it, for people."""


class NeverSent(NotPossible, ValueError):
    """This Call would weaken the charger's security; the text says how, for people."""


@frozen
class Concealed:
    """A payload as it may be stored, and as it is sent."""

    shown: Any
    whole: Any


@frozen
class Outgoing:
    """A Call that is committed as sent and now has to go out."""

    command_id: int
    edge: str
    reply_to: str
    connection: str
    text: str


def queue(
    charge_point: ChargePoint,
    action: str,
    payload: Mapping[str, Any],
    *,
    source: str,
    delay: timedelta = timedelta(),
    expires_after: timedelta | None = timedelta(hours=1),
    queue_offline: bool = True,
    timeout: int | None = None,
    idempotency_key: str | None = None,
    requested_by: Any = None,
    force: bool = False,
) -> Command:
    """Ask for a Call; a worker sends it. With a key that was used before: the earlier command.

    `expires_after` counts from the end of `delay`; `timeout` is the seconds to wait for the
    answer. With `queue_offline` False it fails at once if the charger is not connected. Raises
    `NeverSent` for what would weaken the charger's security, and `BadCall` for what is no Call of
    the version of OCPP that is spoken on its newest connection; `force` sends that all the same, to
    a charger that knows more than the standard.
    """
    calls = version_of(charge_point.subprotocol).calls
    if not force and (wrong := calls.wrong_with(action, payload)):
        raise BadCall(wrong)
    if refused := calls.objection(action, payload, charge_point.security_profile):
        raise NeverSent(refused)
    due = timezone.now() + delay
    shown, secret = calls.conceal(action, payload)
    values = {
        "action": action,
        "payload": shown,
        "secret": secret,
        "not_before": due,
        "expires_at": due + expires_after if expires_after else None,
        "queue_offline": queue_offline,
        "timeout": timeout,
        "source": source,
        "requested_by": requested_by,
    }
    if idempotency_key is None:
        return Command.objects.create(charge_point=charge_point, **values)
    command, _ = Command.objects.get_or_create(
        charge_point=charge_point, idempotency_key=idempotency_key, defaults=values
    )
    return command


def queue_many(
    charge_points: Sequence[ChargePoint],
    action: str,
    payload: Mapping[str, Any],
    *,
    source: str,
    expires_after: timedelta | None = timedelta(hours=1),
    queue_offline: bool = True,
    idempotency_key: str | None = None,
    requested_by: Any = None,
) -> list[Command]:
    """`queue` for all of these, in two statements however many they are; the new commands.

    Those that have a command with this key already get no second one. Raises as `queue` does,
    before anything is written.
    """
    check_calls(charge_points, action, payload)
    now = timezone.now()
    stored: dict[str, tuple[str, str]] = {}
    for subprotocol in {row.subprotocol for row in charge_points}:
        shown, secret = version_of(subprotocol).calls.conceal(action, payload)
        stored[subprotocol] = json.dumps(shown), secret
    uniques = [str(uuid4()) for _ in charge_points]
    insert_rows(
        Command,
        (
            *("charge_point_id", "action", "payload", "secret", "state", "unique_id"),
            *("queue_offline", "not_before", "expires_at", "idempotency_key", "source"),
            *("requested_by_id", "created_at"),
        ),
        [
            (
                *(row.pk, action, *stored[row.subprotocol], Command.State.QUEUED.value, unique),
                *(queue_offline, now, now + expires_after if expires_after else None),
                *(idempotency_key, source, requested_by.pk if requested_by else None, now),
            )
            for row, unique in zip(charge_points, uniques, strict=True)
        ],
        new_only=True,
    )
    made = Command.objects.filter(unique_id__in=uniques).select_related("charge_point")
    return list(made.order_by("pk"))


def check_calls(
    charge_points: Iterable[ChargePoint], action: str, payload: Mapping[str, Any]
) -> None:
    """Raise `BadCall` if one of these knows no such Call, `NeverSent` if it would weaken the
    security of one; that text names it."""
    kinds: dict[tuple[str, int], ChargePoint] = {}
    for row in charge_points:
        kinds.setdefault((row.subprotocol, row.security_profile), row)
    for (subprotocol, profile), row in kinds.items():
        calls = version_of(subprotocol).calls
        if wrong := calls.wrong_with(action, payload):
            raise BadCall(wrong)
        if refused := calls.objection(action, payload, profile):
            raise NeverSent(f"this command is never sent to {row}: {refused}")


def cancel(commands: Any) -> int:
    """Cancel those of these commands (a queryset) that are not sent yet; how many they were."""
    count: int = commands.filter(state=Command.State.QUEUED).update(
        state=Command.State.CANCELLED, finished_at=timezone.now(), error_description="cancelled"
    )
    return count


def dispatch(now: datetime, send: SendTo) -> int:
    """Send what is due; how many went out. Runs in any worker, as often as it likes."""
    outgoing = calls_to_send(now)
    for reply_to in {item.reply_to for item in outgoing}:
        there = [item for item in outgoing if item.reply_to == reply_to]
        commands = tuple(Send(item.connection, item.text) for item in there)
        if not send(reply_to, Reply(commands=commands)):
            _take_back([item.command_id for item in there])
    return len(outgoing)


def calls_to_send(now: datetime) -> Sequence[Outgoing]:
    """The next Call of each charge point that waits for no answer, committed as sent.

    Committed first, sent afterwards: an answer always finds its command. If the worker dies in
    between, the command times out, and says so.
    """
    if not anything_due(now):
        return ()
    try:
        with in_few_trips():
            return _claim(now)
    except IntegrityError:
        # Another worker sent a Call to the same charge point in this moment; it has its turn.
        return ()


def give_up(now: datetime) -> int:
    """End what waited too long: answers that never came, Calls that were not sent in time.

    One without an answer whose effect was seen is confirmed by that, and not given up.
    """
    if not anything_over(now, now - SETTLED_AFTER):
        return 0
    settled = settle_by_log(now)
    late = Command.objects.filter(state=Command.State.SENT, deadline__lt=now)
    expect_evidence(late, now)
    overdue = late.update(
        state=Command.State.TIMED_OUT,
        finished_at=now,
        error_description="the charger did not answer in time",
    )
    expired = Command.objects.filter(state=Command.State.QUEUED, expires_at__lt=now).update(
        state=Command.State.EXPIRED,
        finished_at=now,
        idempotency_key=Case(When(connection__isnull=True, then=F("idempotency_key"))),
        error_description="it could not be sent in time",
    )
    return settled + overdue + expired


def _claim(now: datetime) -> Sequence[Outgoing]:
    due = due_commands(now)
    if not due:
        return ()
    statuses = statuses_of({item.charge_point_id for item in due if item.only_status})
    ended: list[tuple[Any, ...]] = []
    put_off: list[tuple[Any, ...]] = []
    sent: dict[int, DueCommand] = {}
    rows: list[tuple[Any, ...]] = []
    for command in due:
        if (obstacle := _obstacle(command, statuses)) is not None:
            # Meant for one connection: it may be asked for again on the next. A person's key
            # stays taken, or the second half of a double click would be a second command.
            key = None if command.wanted_connection is not None else command.idempotency_key
            ended.append((command.id, *obstacle, now, key))
        elif (wait := reason_to_wait(command, statuses, now)) is not None:
            # Not for this connection only: the car is still there when the charger comes again.
            until = wait.until
            put_off.append((command.id, None, True, until, until + KEPT, wait.reason))
        elif command.charge_point_id not in sent and not _must_boot_first(command, now):
            own = command.timeout or command.call_timeout or quirks_of(command).call_timeout
            deadline = now + call_timeout(own)
            sent[command.charge_point_id] = command
            state = Command.State.SENT.value
            rows.append((command.id, state, now, deadline, command.connection, ""))
    with written_together():
        update_rows(
            Command,
            ("id", "state", "error_description", "finished_at", "idempotency_key"),
            ended,
        )
        update_rows(
            Command,
            (
                "id",
                "connection",
                "queue_offline",
                "not_before",
                "expires_at",
                "error_description",
            ),
            put_off,
        )
        update_rows(
            Command,
            ("id", "state", "sent_at", "deadline", "connection", "error_description"),
            rows,
        )
        return _outgoing(list(sent.values()), now)


def _must_boot_first(command: DueCommand, now: datetime) -> bool:
    """True if this charger has just connected and must not be spoken to before it has booted."""
    since = command.connected_at
    if command.source == ASK_FOR_BOOT or not quirks_of(command).boot_first:
        return False
    return since is not None and now - since <= BOOT_PATIENCE and not _has_booted(command)


def _has_booted(command: DueCommand) -> bool:
    """True if the charger has booted on the connection that it has now."""
    booted, since = command.booted_at, command.connected_at
    return booted is not None and since is not None and booted >= since


def _obstacle(
    command: DueCommand, statuses: Mapping[tuple[int, int], Shown]
) -> tuple[str, str] | None:
    """Why this command can't be sent any more: its end, and the reason for people."""
    wanted = command.wanted_connection
    if wanted is not None and wanted != command.connection:
        return Command.State.CANCELLED.value, "the connection that it was for is closed"
    if command.connection is None:
        return Command.State.FAILED.value, "the charger is not connected"
    if command.source == ASK_FOR_BOOT and _has_booted(command):
        return Command.State.CANCELLED.value, "it has already booted"
    calls = version_of(command.subprotocol).calls
    if refused := calls.objection(command.action, command.payload, command.security_profile):
        # Asked for by a middleware, or the profile was raised since.
        return Command.State.FAILED.value, f"never sent: {refused}"
    if command.secret:
        try:
            command.payload = Concealed(command.payload, reveal(command.secret))
        except Unreadable as error:
            return Command.State.FAILED.value, str(error)
    if command.only_status and (ended := reason_to_drop(command, statuses)) is not None:
        return Command.State.CANCELLED.value, ended
    return None


def _outgoing(commands: Sequence[DueCommand], now: datetime) -> Sequence[Outgoing]:
    outgoing, calls_sent = [], []
    keys: list[tuple[int, int, Mapping[str, Any]]] = []
    for command in commands:
        shown = text = ""
        if isinstance(command.payload, Concealed):
            shown = write_call(command.unique_id, command.action, command.payload.shown)
            text = write_call(command.unique_id, command.action, command.payload.whole)
            calls = version_of(command.subprotocol).calls
            if calls.is_key_change(command.action, command.payload.whole):
                keys.append((command.charge_point_id, command.id, command.payload.whole))
        else:
            shown = text = write_call(command.unique_id, command.action, command.payload)
        outgoing.append(
            Outgoing(
                command.id,
                command.edge or "",
                command.reply_to or "",
                str(command.connection),
                text,
            )
        )
        calls_sent.append(
            SentCall(
                command.charge_point_id,
                str(command.connection),
                command.unique_id,
                command.action,
                shown,
                now,
            )
        )
        log.info(
            "%s: sending %s",
            command.identity,
            command.action,
            extra={
                "charge_point": command.identity,
                "connection": command.connection,
                "message_id": command.unique_id,
                "action": command.action,
                "command": command.id,
            },
        )
    write_calls(calls_sent)
    expect_keys(keys)
    return outgoing


def _take_back(command_ids: Sequence[int]) -> None:
    """Nobody is there any more at that edge: the Calls never left.

    They wait again, except those that were for this connection or for now.
    """
    mine = Command.objects.filter(pk__in=command_ids, state=Command.State.SENT)
    with transaction.atomic():
        forget_unsent(mine)
        mine.filter(queue_offline=False).update(
            state=Command.State.FAILED,
            finished_at=timezone.now(),
            idempotency_key=None,
            error_description="this charger's edge is gone",
        )
        mine.update(
            state=Command.State.QUEUED,
            sent_at=None,
            deadline=None,
            connection=None,
            not_before=timezone.now() + timedelta(seconds=2),
        )
