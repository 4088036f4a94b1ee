"""A stop goes before the starts that wait for its connector: they would begin it again."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count
from django.utils import timezone

from levity.ocpp.command_events import finish
from levity.ocpp.models import Command, Connector, Transaction
from levity.ocpp.rules.own_ids import own_id
from levity.ocpp.store.news import tell_of_ended
from levity.ocpp.versions import ACTIONS, Calls

__all__ = ["take_starts_back"]


def take_starts_back(commands: Sequence[Command], calls: Calls, payload: Mapping[str, Any]) -> int:
    """Cancel what waits to start a session where one of these stops or unlocks; how many.

    All of these have the same payload, and a charge point each. A start that names no connector is
    for this one where the charge point has no other.
    """
    starts = [action for action in ACTIONS if calls.is_start(action)]
    waiting = Command.objects.filter(
        charge_point__in=[row.charge_point_id for row in commands],
        state=Command.State.QUEUED,
        action__in=starts,
    ).values_list("pk", "charge_point_id", "only_connector", "payload")
    found = list(waiting)
    places = _places({owner for _, owner, _, _ in found}, calls, payload)
    by = {row.charge_point_id: row.pk for row in commands}
    over: dict[int, list[int]] = {}
    for pk, owner, number, asked in found:
        start = number or calls.connector_of(asked)
        place, is_only_one = places.get(owner, (None, False))
        if place is not None and (start == place or (start is None and is_only_one)):
            over.setdefault(by[owner], []).append(pk)
    count = 0
    for stop, starts_over in over.items():
        # One that was sent meanwhile is the stop's own affair.
        count += finish(
            Command.objects.filter(pk__in=starts_over, state=Command.State.QUEUED),
            state=Command.State.CANCELLED,
            finished_at=timezone.now(),
            error_description=f"taken back: command {stop} stops or unlocks this connector",
        )
    if count:
        tell_of_ended()
    return count


def _places(
    charge_points: set[int], calls: Calls, payload: Mapping[str, Any]
) -> dict[int, tuple[int | None, bool]]:
    """Charge point -> (the connector that is stopped or unlocked, it is the only one)."""
    if not charge_points:
        return {}
    numbers = Connector.objects.filter(charge_point__in=charge_points, number__gt=0)
    several = set(
        numbers.order_by()
        .values("charge_point")
        .annotate(count=Count("pk"))
        .filter(count__gt=1)
        .values_list("charge_point", flat=True)
    )
    named = calls.connector_of(payload)
    places: dict[int, int | None] = dict.fromkeys(charge_points, named)
    if named is None and (told := calls.ends_session(payload)) is not None:
        running = Transaction.objects.filter(
            charge_point__in=charge_points, state=Transaction.State.ACTIVE
        ).prefetch_related("aliases")
        for row in running:
            names = {row.pk, own_id(row.flags), *(alias.pk for alias in row.aliases.all())}
            if told in names or row.wire_id == str(told):
                places[row.charge_point_id] = row.connector
    return {owner: (place, owner not in several) for owner, place in places.items()}
