"""Calls that a person asks for: to one charge point or to many; and those that are called off.

Each command is an object of its own and leaves one audit entry, without its payload: that may hold
a key.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from levity.ocpp.audit import Who, note
from levity.ocpp.commands import lifecycle
from levity.ocpp.commands.queueing import Queued
from levity.ocpp.deciding import Decided, Left, allowed, check, decide_all, portions
from levity.ocpp.models import ChargePoint, Command, MassCommand
from levity_ws.frozen import frozen

__all__ = ["SEND", "SentToMany", "cancel_commands", "check_sending", "send", "send_to_many"]

SEND = "ocpp.add_command"
QUEUED = Command.State.QUEUED


@frozen
class SentToMany:
    """How many commands were queued, and who gets none because it has the same one already."""

    count: int
    offline: int
    """Of all these charge points, so many are not connected now."""
    left: tuple[Left, ...] = ()


def send(
    charge_point: ChargePoint,
    action: str,
    payload: Mapping[str, Any],
    who: Who,
    *,
    source: str,
    idempotency_key: str | None = None,
    delay: timedelta = timedelta(),
    expires_after: timedelta | None = timedelta(hours=1),
    queue_offline: bool = True,
    timeout: int | None = None,
    force: bool = False,
    own_place: bool = False,
    meant: Mapping[str, Any] | None = None,
) -> Queued:
    """Queue this Call for one charge point; the options are those of `lifecycle.queue`.

    Raises `NotAllowed`, `BadCall`, `NeverSent` or `KeyTaken`.
    """
    check(charge_point, who, SEND)
    with transaction.atomic():
        queued = lifecycle.queue_once(
            charge_point,
            action,
            payload,
            source=source,
            delay=delay,
            expires_after=expires_after,
            queue_offline=queue_offline,
            timeout=timeout,
            idempotency_key=idempotency_key,
            requested_by=who,
            force=force,
            own_place=own_place,
            meant=meant,
        )
        if queued.is_new:
            note(who, [queued.command], f"{action} for {charge_point.identity}")
    return queued


def check_sending(
    charge_points: QuerySet[ChargePoint], action: str, payload: Mapping[str, Any], who: Who
) -> None:
    """Raise what `send_to_many` would raise, before the first portion is sent."""
    rows = allowed(charge_points, who, SEND)
    # What may be sent depends on these two: of each pair, one is asked about.
    pairs = rows.order_by("subprotocol", "security_profile")
    for subprotocol, profile in pairs.values_list("subprotocol", "security_profile").distinct():
        same = rows.filter(subprotocol=subprotocol, security_profile=profile)
        lifecycle.check_calls(same.order_by("identity")[:1], action, payload)


def send_to_many(
    charge_points: QuerySet[ChargePoint],
    action: str,
    payload: Mapping[str, Any],
    who: Who,
    *,
    source: str,
    idempotency_key: str | None = None,
    queue_offline: bool = True,
    expires_after: timedelta | None = timedelta(hours=1),
    total: int | None = None,
    mass: MassCommand | None = None,
) -> SentToMany:
    """Queue this Call for all of these, in portions; for none if it may not be sent to one.

    `total`: how many it is for altogether, where the caller sends it to some after others. `mass`:
    the row that shows how far it has come.
    """
    check_sending(charge_points, action, payload, who)
    at_once = total or charge_points.count()
    count = new = offline = 0
    for keys in portions(charge_points):
        rows = list(ChargePoint.objects.filter(pk__in=keys).order_by("pk"))
        with transaction.atomic():
            made = lifecycle.queue_many(
                rows,
                action,
                payload,
                source=source,
                queue_offline=queue_offline,
                expires_after=expires_after,
                idempotency_key=idempotency_key,
                requested_by=who,
                mass=mass,
            )
            note(who, made, f"{action}, to {at_once} charge points at once")
        count, new = count + len(rows), new + len(made)
        offline += sum(not row.online for row in rows)
    same = count - new
    return SentToMany(new, offline, (Left(same, "already have this command"),) if same else ())


def cancel_commands(commands: QuerySet[Command], who: Who) -> Decided:
    """Call off those of these that are not sent yet."""
    rows = allowed(commands, who, SEND)
    total = rows.count()
    done = decide_all(
        rows,
        who,
        "cancelled",
        lifecycle.cancel,
        only=Q(state=QUEUED),
        with_related=["charge_point"],
    )
    return Decided(done, (Left(total - done, "already sent, or ended"),) * (total > done))
