"""Which Call goes to which charge point next: at most one to each, committed before it is sent."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError

from levity.db.round_trips import in_few_trips
from levity.db.rows import update_rows, written_together
from levity.ocpp import command_events, events
from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.chargers.security.concealment import Unreadable, reveal
from levity.ocpp.commands.due import (
    AT_ONCE,
    DueCommand,
    Shown,
    anything_due,
    due_commands,
    statuses_of,
)
from levity.ocpp.commands.plugged_in import KEPT, reason_to_drop, reason_to_wait
from levity.ocpp.conf import call_timeout
from levity.ocpp.effects import ASK_FOR_BOOT
from levity.ocpp.events import Happened
from levity.ocpp.models import Command
from levity.ocpp.store.file_jobs import SentFileJob, expect_files, is_own_place
from levity.ocpp.store.key_changes import expect_keys
from levity.ocpp.store.messages.writing import SentCall, write_calls
from levity.ocpp.store.news import tell_of_ended
from levity.ocpp.versions import version_of
from levity.ocpp.wire.frames import write_call
from levity_ws.frozen import frozen

__all__ = ["Claimed", "Outgoing", "calls_to_send"]

log = logging.getLogger(__name__)

# Some chargers (Wallbox) send no BootNotification when they reconnect: then this is enough.
BOOT_PATIENCE = timedelta(seconds=30)


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


@frozen
class Claimed:
    """Calls that are committed as sent; `is_full`: more may be due than one look takes."""

    calls: Sequence[Outgoing] = ()
    is_full: bool = False


def calls_to_send(now: datetime) -> Claimed:
    """The next Call of each charge point that waits for no answer, committed as sent.

    Committed first, sent afterwards: an answer always finds its command. If the worker dies in
    between, the command times out, and says so.
    """
    if not anything_due(now):
        return NOTHING
    try:
        with in_few_trips():
            return _claim(now)
    except IntegrityError:
        # Another worker sent a Call to the same charge point in this moment; it has its turn.
        return NOTHING


NOTHING = Claimed()


def _claim(now: datetime) -> Claimed:
    found = due_commands(now)
    due = _in_turn(found)
    if not due:
        return NOTHING
    statuses = statuses_of({item.charge_point_id for item in due if item.only_status})
    ended: list[tuple[Any, ...]] = []
    told: list[Happened] = []
    put_off: list[tuple[Any, ...]] = []
    sent: dict[int, DueCommand] = {}
    rows: list[tuple[Any, ...]] = []
    for command in due:
        if (obstacle := _obstacle(command, statuses)) is not None:
            # Meant for one connection: it may be asked for again on the next. A person's key
            # stays taken, or the second half of a double click would be a second command.
            key = None if command.wanted_connection is not None else command.idempotency_key
            ended.append((command.id, *obstacle, now, key))
            owner = command.charge_point_id
            told.append(command_events.ended(command, obstacle[0], now, command.identity, owner))
        elif (wait := reason_to_wait(command, statuses, now)) is not None:
            # Not for this connection only: the car is still there when the charger comes again.
            until = wait.until
            put_off.append((command.id, None, True, until, until + KEPT, wait.reason))
        elif command.charge_point_id not in sent and not _must_boot_first(command, now):
            own = command.timeout or command.call_timeout or quirks_of(command).call_timeout
            deadline = now + call_timeout(own)
            sent[command.charge_point_id] = command
            state = Command.State.SENT.value
            tries = command.tries + 1
            rows.append((command.id, state, now, deadline, command.connection, "", tries))
    with written_together():
        events.tell(told)
        update_rows(
            Command,
            ("id", "state", "error_description", "finished_at", "idempotency_key"),
            ended,
        )
        if ended:
            tell_of_ended([row[0] for row in ended])
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
            (
                *("id", "state", "sent_at", "deadline", "connection", "error_description"),
                "tries",
            ),
            rows,
        )
        return Claimed(_outgoing(list(sent.values()), now), len(found) >= AT_ONCE)


def _in_turn(due: Sequence[DueCommand]) -> Sequence[DueCommand]:
    """Those of charge points whose first command is among them; the others have the next look."""
    held = {command.charge_point_id for command in due if command.id == command.first}
    return [
        command
        for command in due
        # Without a connection each ends for a reason of its own.
        if command.connection is None or command.charge_point_id in held
    ]


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
    refused = calls.objection(command.action, command.payload, command.security_profile)
    if refused and not is_own_place(command.id):
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
    files: list[SentFileJob] = []
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
        payload = getattr(command.payload, "shown", command.payload)
        if asked := version_of(command.subprotocol).calls.file_asked(command.action, payload):
            owner = command.charge_point_id
            files.append(SentFileJob(command.id, owner, asked, command.firmware_version, now))
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
    expect_files(files)
    return outgoing
