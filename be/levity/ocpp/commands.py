"""From an operator's wish to a charger's answer. This module reads as the sentence of the design:

queue -> dispatch (one outstanding Call per charge point) -> charger
      -> answered | refused | timed out | expired | cancelled

The rows of `Command` are the queue; nothing is kept in memory, so any worker can go on where
another one died. (The charger's answer comes through the pipeline, see `answers.py`.)
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.utils import timezone

from levity.ocpp.conf import call_timeout
from levity.ocpp.effects import ASK_FOR_BOOT
from levity.ocpp.frames import write_call
from levity.ocpp.models import ChargePoint, Command, Connector, Message
from levity.ocpp.quirks import QuirkProfile, profile_for
from levity.ocpp.security.concealment import Unreadable, conceal, reveal
from levity.ocpp.security.guards import is_key_change, objection
from levity.ocpp.store.key_changes import expect_keys
from levity.ocpp.store.rows import insert_rows, update_rows
from levity_ws.rpc.envelope import Reply, Send

__all__ = ["ACTIONS", "NeverSent", "calls_to_send", "cancel", "dispatch", "give_up", "queue", "quirks_of"]

log = logging.getLogger(__name__)

SendTo = Callable[[str, Reply], bool]

# At most so many Calls in one go, so that a mass command doesn't keep frames waiting.
AT_ONCE = 200

# Some chargers (Wallbox) send no BootNotification when they reconnect: then this is enough.
BOOT_PATIENCE = timedelta(seconds=30)

# What a central system sends (OCPP 1.6, chapter 5, and the security whitepaper).
ACTIONS = (
    "CancelReservation",
    "CertificateSigned",
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearCache",
    "ClearChargingProfile",
    "DataTransfer",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetCompositeSchedule",
    "GetConfiguration",
    "GetDiagnostics",
    "GetInstalledCertificateIds",
    "GetLocalListVersion",
    "GetLog",
    "InstallCertificate",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SetChargingProfile",
    "SignedUpdateFirmware",
    "TriggerMessage",
    "UnlockConnector",
    "UpdateFirmware",
)


class NeverSent(ValueError):
    """This Call would weaken the charger's security; the text says how, for people."""


@dataclass(frozen=True, slots=True)
class Concealed:
    """A payload as it may be stored, and as it is sent."""

    shown: Any
    whole: Any


@dataclass(frozen=True, slots=True)
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
) -> Command:
    """Ask for a Call; a worker sends it. With a key that was used before: the earlier command.

    `expires_after` counts from the end of `delay`; `timeout` is the seconds to wait for the
    answer. With `queue_offline` False it fails at once if the charger is not connected. Raises
    `NeverSent` for what would weaken the charger's security.
    """
    if refused := objection(action, payload, charge_point.security_profile):
        raise NeverSent(refused)
    due = timezone.now() + delay
    shown, secret = conceal(action, payload)
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
    due = Command.objects.filter(state=Command.State.QUEUED, not_before__lte=now).order_by()
    if not due.exists():
        return ()
    try:
        with transaction.atomic():
            return _claim(now)
    except IntegrityError:
        # Another worker sent a Call to the same charge point in this moment; it has its turn.
        return ()


def give_up(now: datetime) -> int:
    """End what waited too long: answers that never came, Calls that were not sent in time."""
    overdue = Command.objects.filter(state=Command.State.SENT, deadline__lt=now).update(
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
    return overdue + expired


def _claim(now: datetime) -> Sequence[Outgoing]:
    outstanding = Command.objects.filter(
        charge_point=OuterRef("charge_point"), state=Command.State.SENT
    )
    sendable = Q(charge_point__connection__isnull=False) | Q(queue_offline=False)
    due = list(
        Command.objects.filter(sendable, state=Command.State.QUEUED, not_before__lte=now)
        .exclude(Exists(outstanding))
        .exclude(expires_at__lt=now)
        .select_related("charge_point", "charge_point__edge")
        .select_for_update(skip_locked=True, no_key=True, of=("self", "charge_point"))
        .order_by("id")[:AT_ONCE]
    )
    if not due:
        return ()
    statuses = {
        (item.charge_point_id, item.number): item.status
        for item in Connector.objects.filter(
            charge_point__in={item.charge_point_id for item in due if item.only_status}, evse=0
        )
    }
    ended: list[Command] = []
    sent: dict[int, Command] = {}
    for command in due:
        if (obstacle := _obstacle(command, statuses)) is not None:
            command.state, command.error_description = obstacle
            command.finished_at = now
            if command.connection is not None:
                # Meant for one connection: it may be asked for again on the next. A person's key
                # stays taken, or the second half of a double click would be a second command.
                command.idempotency_key = None
            ended.append(command)
        elif command.charge_point_id not in sent and not _must_boot_first(command, now):
            charge_point = command.charge_point
            own = command.timeout or charge_point.call_timeout
            own = own or quirks_of(charge_point).call_timeout
            command.state, command.sent_at = Command.State.SENT, now
            command.deadline = now + call_timeout(own)
            command.connection = command.charge_point.connection
            sent[command.charge_point_id] = command
    # Django's bulk_update costs a millisecond a row; frames wait meanwhile.
    update_rows(
        Command,
        ("id", *_CLAIMED),
        [
            (command.pk, *(getattr(command, name) for name in _CLAIMED))
            for command in (*ended, *sent.values())
        ],
    )
    return _outgoing(list(sent.values()), now)


def _must_boot_first(command: Command, now: datetime) -> bool:
    """True if this charger has just connected and must not be spoken to before it has booted."""
    charge_point = command.charge_point
    since = charge_point.connected_at
    if command.source == ASK_FOR_BOOT or not quirks_of(charge_point).boot_first:
        return False
    return since is not None and now - since <= BOOT_PATIENCE and not _has_booted(charge_point)


def _has_booted(charge_point: ChargePoint) -> bool:
    """True if it has booted on the connection that it has now."""
    booted, since = charge_point.booted_at, charge_point.connected_at
    return booted is not None and since is not None and booted >= since


_CLAIMED = (
    "state",
    "error_description",
    "finished_at",
    "idempotency_key",
    "sent_at",
    "deadline",
    "connection",
)


def _obstacle(
    command: Command, statuses: Mapping[tuple[int, int], str]
) -> tuple[Command.State, str] | None:
    """Why this command can't be sent any more: its end, and the reason for people."""
    charge_point = command.charge_point
    current = charge_point.connection
    if command.connection is not None and command.connection != current:
        return Command.State.CANCELLED, "the connection it was meant for is closed"
    if current is None:
        return Command.State.FAILED, "the charger is not connected"
    if command.source == ASK_FOR_BOOT and _has_booted(charge_point):
        return Command.State.CANCELLED, "it has booted by itself"
    if refused := objection(command.action, command.payload, charge_point.security_profile):
        # Asked for by a middleware, or the profile was raised since.
        return Command.State.FAILED, f"never sent: {refused}"
    if command.secret:
        try:
            command.payload = Concealed(command.payload, reveal(command.secret))
        except Unreadable as error:
            return Command.State.FAILED, str(error)
    if command.only_status:
        key = (charge_point.pk, command.only_connector or 0)
        if statuses.get(key) != command.only_status:
            return Command.State.CANCELLED, f"the connector is no longer {command.only_status}"
    return None


def quirks_of(charge_point: ChargePoint) -> QuirkProfile:
    """How this charge point is to be treated."""
    return profile_for(
        charge_point.vendor,
        charge_point.model,
        charge_point.firmware_version,
        named=charge_point.quirk_profile,
        overrides=json.dumps(charge_point.quirk_overrides) if charge_point.quirk_overrides else "",
    )


def _outgoing(commands: Sequence[Command], now: datetime) -> Sequence[Outgoing]:
    outgoing, messages = [], []
    keys: list[tuple[int, int, Mapping[str, Any]]] = []
    for command in commands:
        charge_point = command.charge_point
        shown = text = ""
        if isinstance(command.payload, Concealed):
            shown = write_call(command.unique_id, command.action, command.payload.shown)
            text = write_call(command.unique_id, command.action, command.payload.whole)
            if is_key_change(command.action, command.payload.whole):
                keys.append((charge_point.pk, command.pk, command.payload.whole))
        else:
            shown = text = write_call(command.unique_id, command.action, command.payload)
        edge = charge_point.edge
        outgoing.append(
            Outgoing(
                command.pk,
                edge.id if edge else "",
                edge.reply_to if edge else "",
                str(charge_point.connection),
                text,
            )
        )
        messages.append(
            (
                charge_point.pk,
                command.connection,
                "cs",
                command.unique_id,
                command.action,
                shown,
                "",
                "",
                "",
                now,
            )
        )
        log.info("%s: sending %s", charge_point.identity, command.action)
    insert_rows(
        Message,
        (
            "charge_point_id",
            "connection",
            "sender",
            "unique_id",
            "action",
            "request",
            "response",
            "error_code",
            "error_description",
            "received_at",
        ),
        messages,
    )
    expect_keys(keys)
    return outgoing


def _take_back(command_ids: Sequence[int]) -> None:
    """Nobody is there any more at that edge: the Calls never left.

    They wait again, except those that were for this connection or for now.
    """
    mine = Command.objects.filter(pk__in=command_ids, state=Command.State.SENT)
    with transaction.atomic():
        Message.objects.filter(
            sender=Message.Sender.CENTRAL_SYSTEM,
            connection__in=mine.values("connection"),
            unique_id__in=mine.values("unique_id"),
        ).delete()
        mine.filter(queue_offline=False).update(
            state=Command.State.FAILED,
            finished_at=timezone.now(),
            idempotency_key=None,
            error_description="the edge of this charger is gone",
        )
        mine.update(
            state=Command.State.QUEUED,
            sent_at=None,
            deadline=None,
            connection=None,
            not_before=timezone.now() + timedelta(seconds=2),
        )
