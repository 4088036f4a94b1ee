"""Commands that are over, as events: whoever ends one without an answer does it with `finish`."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from levity.ocpp import events
from levity.ocpp.events import Happened
from levity.ocpp.models import Command

__all__ = ["FINISHED", "ended", "finish"]

FINISHED = "command.finished"
OPEN = (Command.State.QUEUED, Command.State.SENT)


def finish(commands: Any, **values: Any) -> int:
    """Update these commands (a queryset) with their end, and tell it; how many they were."""
    if FINISHED not in events.wanted():
        count: int = commands.update(**values)
        return count
    with transaction.atomic():
        ids = list(commands.order_by().values_list("pk", flat=True))
        count = commands.filter(pk__in=ids).update(**values)
        over = Command.objects.filter(pk__in=ids).exclude(state__in=OPEN)
        events.tell(_events(over.select_related("charge_point").order_by("pk")))
    return count


def ended(command: Any, state: str, at: Any, identity: str, charge_point: int) -> Happened:
    """The event of this command's end; without the reason for people, which may name an id tag."""
    data = {"command": command.id, "action": command.action, "state": state}
    return Happened(FINISHED, at, charge_point, identity, data)


def _events(rows: Iterable[Command]) -> Iterable[Happened]:
    for row in rows:
        where = row.charge_point
        yield ended(row, row.state, row.finished_at, where.identity, where.pk)
