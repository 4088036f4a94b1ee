"""Calls of Levity's own to many chargers, each with a payload of its own, in one statement."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from levity.db.rows import insert_rows
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.store.news import tell_of_waiting
from levity.ocpp.versions import version_of
from levity_ws.frozen import frozen

__all__ = ["LAST", "Asked", "queue_each"]

LAST = 2
"""The priority of Calls that nobody waits for."""


@frozen
class Asked:
    """A Call for a charge point."""

    charge_point: ChargePoint
    action: str
    payload: Mapping[str, Any]


def queue_each(
    calls: Sequence[Asked],
    now: datetime,
    *,
    source: str,
    priority: int | None = LAST,
    expires_after: timedelta = timedelta(hours=1),
) -> list[int | None]:
    """Queue those of these Calls that may be sent; the id of each command, None for one that may
    not. Without another priority they go behind all others, in their order; with None each has its
    action's."""
    rows = []
    uniques: list[str | None] = []
    for asked in calls:
        row = asked.charge_point
        version = version_of(row.subprotocol).calls
        wrong = version.wrong_with(asked.action, asked.payload)
        if wrong or version.objection(asked.action, asked.payload, row.security_profile):
            uniques.append(None)
            continue
        unique = str(uuid4())
        uniques.append(unique)
        turn = version.priority(asked.action) if priority is None else priority
        shown, secret = version.conceal(asked.action, asked.payload)
        state = Command.State.QUEUED.value
        rows.append(
            (
                *(row.pk, asked.action, json.dumps(shown), secret, turn, state, unique),
                *(True, now, now + expires_after, source, now),
            )
        )
    insert_rows(
        Command,
        (
            *("charge_point_id", "action", "payload", "secret", "priority", "state", "unique_id"),
            *("queue_offline", "not_before", "expires_at", "source", "created_at"),
        ),
        rows,
    )
    if not rows:
        return [None] * len(calls)
    sent = [unique for unique in uniques if unique is not None]
    made = Command.objects.filter(unique_id__in=sent).values_list("unique_id", "pk")
    found = {str(unique): pk for unique, pk in made}
    tell_of_waiting()
    return [found.get(unique) if unique else None for unique in uniques]
