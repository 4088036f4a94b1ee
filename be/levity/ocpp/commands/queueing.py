"""Asking for Calls: what is wrong with one is said here, before anything is written.

Two commands with one key are one, and a stop takes back the starts that wait for its connector.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Required, TypedDict, Unpack
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from levity.db.rows import insert_rows
from levity.ocpp.audit import name_of, person
from levity.ocpp.command_events import finish
from levity.ocpp.commands.taking_back import take_starts_back
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import ChargePoint, Command, MassCommand
from levity.ocpp.store.news import tell_of_ended, tell_of_waiting
from levity.ocpp.versions import version_of
from levity_ws.frozen import frozen

__all__ = [
    "BadCall",
    "KeyTaken",
    "NeverSent",
    "Queued",
    "cancel",
    "check_calls",
    "fingerprint",
    "queue",
    "queue_many",
    "queue_once",
]


class BadCall(NotPossible, ValueError):
    """This is no Call of the version of OCPP that the charge point speaks; the text says what is
    wrong with it, for people."""


class NeverSent(NotPossible, ValueError):
    """This Call would weaken the charger's security; the text says how, for people."""


class KeyTaken(NotPossible, ValueError):
    """This idempotency key was used before, for another command; the text says so, for people."""


@frozen
class Queued:
    """A command that waits; `is_new` is False where its key had been used for the same before."""

    command: Command
    is_new: bool


class Options(TypedDict, total=False):
    """How a Call is asked for: see `queue_once`."""

    source: Required[str]
    delay: timedelta
    expires_after: timedelta | None
    queue_offline: bool
    timeout: int | None
    idempotency_key: str | None
    requested_by: Any
    force: bool
    own_place: bool


def queue(
    charge_point: ChargePoint, action: str, payload: Mapping[str, Any], **options: Unpack[Options]
) -> Command:
    """Ask for a Call; a worker sends it. See `queue_once`."""
    return queue_once(charge_point, action, payload, **options).command


def queue_once(
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
    own_place: bool = False,
    meant: Mapping[str, Any] | None = None,
) -> Queued:
    """Ask for a Call, once for each key: the second time it is the command that was made before.

    `expires_after` counts from the end of `delay`; `timeout` is the seconds to wait for the
    answer. With `queue_offline` False it fails at once if the charger is not connected. Raises
    `NeverSent` for what would weaken the charger's security, `KeyTaken` where the key was used for
    something else, and `BadCall` for what is no Call of the version of OCPP that is spoken on its
    newest connection; `force` sends that all the same, to a charger that knows more than the
    standard. `own_place`: the URL in it is one of our own (`store.file_jobs.is_own_place`), which
    no list of allowed hosts has to name. `meant`: what must be the same for the key to be the same
    order, where the payload has the time in it.
    """
    calls = version_of(charge_point.subprotocol).calls
    if not force and (wrong := calls.wrong_with(action, payload)):
        raise BadCall(wrong)
    refused = calls.objection(action, payload, charge_point.security_profile)
    if refused and not own_place:
        raise NeverSent(refused)
    due = timezone.now() + delay
    shown, secret = calls.conceal(action, payload)
    values = {
        "action": action,
        "payload": shown,
        "secret": secret,
        "priority": calls.priority(action),
        "fingerprint": fingerprint(action, meant or payload) if idempotency_key is not None else "",
        "not_before": due,
        "expires_at": due + expires_after if expires_after else None,
        "queue_offline": queue_offline,
        "timeout": timeout,
        "source": source,
        "requested_by": person(requested_by),
        "requested_name": name_of(requested_by),
    }
    with transaction.atomic():
        if idempotency_key is None:
            queued = Queued(Command.objects.create(charge_point=charge_point, **values), True)
        else:
            queued = Queued(
                *Command.objects.get_or_create(
                    charge_point=charge_point, idempotency_key=idempotency_key, defaults=values
                )
            )
        if queued.is_new and calls.takes_starts_back(action):
            take_starts_back([queued.command], calls, payload)
        if queued.is_new and not delay:
            tell_of_waiting()
    if not queued.is_new:
        _check_same(queued.command, action, values["fingerprint"])
    return queued


def fingerprint(action: str, payload: Mapping[str, Any]) -> str:
    """What two commands with one key must have in common; tells nothing about a secret in it."""
    text = json.dumps([action, payload], sort_keys=True)
    return salted_hmac("levity.command", text, algorithm="sha256").hexdigest()


def _check_same(command: Command, action: str, expected: str) -> None:
    # One that a middleware queued, or that was there before, has none.
    if command.action != action or command.fingerprint not in ("", expected):
        raise KeyTaken(
            f"this idempotency key was used before, for {command.action} (command {command.pk}) "
            "with another payload: take a new key for a new command"
        )


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
    mass: MassCommand | None = None,
) -> list[Command]:
    """`queue` for all of these, in two statements however many they are; the new commands.

    `mass` is the row that they belong to. Those that have a command with this key already get no
    second one. Raises as `queue` does,
    before anything is written.
    """
    check_calls(charge_points, action, payload)
    now = timezone.now()
    asked_by = person(requested_by)
    mark = fingerprint(action, payload) if idempotency_key is not None else ""
    stored: dict[str, tuple[str, str, int]] = {}
    for subprotocol in {row.subprotocol for row in charge_points}:
        calls = version_of(subprotocol).calls
        shown, secret = calls.conceal(action, payload)
        stored[subprotocol] = json.dumps(shown), secret, calls.priority(action)
    uniques = [str(uuid4()) for _ in charge_points]
    insert_rows(
        Command,
        (
            *("charge_point_id", "action", "payload", "secret", "priority", "state", "unique_id"),
            *("queue_offline", "not_before", "expires_at", "idempotency_key", "fingerprint"),
            *("source", "requested_by_id", "requested_name", "mass_id", "created_at"),
        ),
        [
            (
                *(row.pk, action, *stored[row.subprotocol], Command.State.QUEUED.value, unique),
                *(queue_offline, now, now + expires_after if expires_after else None),
                *(idempotency_key, mark, source),
                *(asked_by.pk if asked_by else None, name_of(requested_by)),
                *(mass.pk if mass else None, now),
            )
            for row, unique in zip(charge_points, uniques, strict=True)
        ],
        new_only=True,
    )
    made = Command.objects.filter(unique_id__in=uniques).select_related("charge_point")
    commands = list(made.order_by("pk"))
    for subprotocol in stored:
        calls = version_of(subprotocol).calls
        if calls.takes_starts_back(action):
            mine = [row for row in commands if row.charge_point.subprotocol == subprotocol]
            take_starts_back(mine, calls, payload)
    tell_of_waiting()
    return commands


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
    count = finish(
        commands.filter(state=Command.State.QUEUED),
        state=Command.State.CANCELLED,
        finished_at=timezone.now(),
        error_description="cancelled",
    )
    if count:
        tell_of_ended()
    return count
