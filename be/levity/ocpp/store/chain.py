"""Read the sessions that lie near: the window of a connector's chain that a batch needs.

One statement for the whole batch, by an index that is there for it (`transaction_chain`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, DateTimeField, Func

from levity.db.prepared import ArrayParameter, Prepared
from levity.ocpp.models import Transaction
from levity.ocpp.request import Place, RecordedSession
from levity.ocpp.rules.chain.near import AFTER, BEFORE, NEWEST
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.values import Arrival

__all__ = ["load_chains", "sessions_near"]

COLUMNS = tuple(field.name for field in fields(RecordedSession))
_TABLE = Transaction._meta.db_table
_THERE = "charge_point_id = {charger} AND evse = {evse} AND connector = {connector}"
_EACH = (
    f"SELECT id FROM (SELECT id FROM {_TABLE} WHERE {_THERE}"
    f" AND started_at <= {{at}} ORDER BY started_at DESC LIMIT {BEFORE}) AS before"
    f" UNION SELECT id FROM (SELECT id FROM {_TABLE} WHERE {_THERE}"
    f" AND started_at > {{at}} ORDER BY started_at LIMIT {AFTER}) AS after"
    f" UNION SELECT id FROM (SELECT id FROM {_TABLE} WHERE charge_point_id = {{charger}}"
    f" ORDER BY id DESC LIMIT {NEWEST}) AS newest"
)


class _Near(Func):
    """True for the sessions that lie near one of these times of these connectors.

    Four place holders for lists of the same length: charge point ids, EVSEs, connectors, times.
    """

    output_field = BooleanField()

    def __init__(self, *places: Any) -> None:
        super().__init__()
        self.places = places

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """Three short walks along an index for each."""
        each = _EACH.format(charger="v.charger", evse="v.evse", connector="v.connector", at="v.at")
        wanted = (
            "unnest(%s::integer[], %s::integer[], %s::integer[], %s::timestamptz[])"
            " AS v(charger, evse, connector, at)"
        )
        sql = f"{_TABLE}.id IN (SELECT near.id FROM {wanted} CROSS JOIN LATERAL ({each}) AS near)"
        return sql, tuple(ArrayParameter(place) for place in self.places)

    def as_sqlite(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """The same without LATERAL, which SQLite does not have."""
        each = _EACH.format(charger="c.value", evse="e.value", connector="n.value", at="t.value")
        wanted = (
            "json_each(%s) AS c JOIN json_each(%s) AS e ON e.key = c.key"
            " JOIN json_each(%s) AS n ON n.key = c.key JOIN json_each(%s) AS t ON t.key = c.key"
        )
        sql = f"{_TABLE}.id IN (SELECT x.id FROM {wanted} JOIN {_TABLE} AS x ON x.id IN ({each}))"
        *numbers, times = self.places
        return sql, (
            *(ArrayParameter(place) for place in numbers),
            ArrayParameter(times, DateTimeField()),
        )


NEAR = Prepared(
    lambda *places: Transaction.objects.filter(_Near(*places)).order_by("id").values_list(*COLUMNS),
    parameters=4,
)


def load_chains(loaded: Loaded, arrivals: Sequence[Arrival]) -> None:
    """The sessions that lie near those that these arrivals begin or end, or may mean."""
    wanted: list[tuple[int, Place, datetime]] = []
    for item in arrivals:
        charge_point = loaded.charge_point(item.event.charge_point)
        if charge_point is None:
            continue
        references = item.references
        named = loaded.transactions.get(references.transaction_id or 0)
        if not references.needs_chain:
            if not references.has_samples:
                continue
            if named is not None and named.state == "active":
                continue
            if references.transaction_id is None and charge_point.active:
                continue
        start = loaded.start_keys.get(item.connection)
        if start is not None:
            _, connector, _, at, _ = start
            wanted.append((charge_point.id, (0, connector), at))
            continue
        if named is not None and named.charge_point_id == charge_point.id:
            wanted.append((charge_point.id, named.place, named.started_at))
            continue
        told = references.told_at
        at = (charge_point.time_of(told) if told is not None else None) or item.at
        # It may be on any of its connectors.
        places = [place for place in charge_point.connectors if place[1]] or [(0, 1)]
        wanted += [(charge_point.id, place, at) for place in places]
    if wanted:
        loaded.chains = sessions_near(wanted)


def sessions_near(
    wanted: Sequence[tuple[int, Place, datetime]],
) -> dict[int, tuple[RecordedSession, ...]]:
    """For these times of these connectors, (charge point id, place, time): the sessions near them,
    by charge point, in the order of their ids."""
    found: dict[int, list[RecordedSession]] = defaultdict(list)
    charge_points, places, times = zip(*wanted, strict=True)
    evses, connectors = zip(*places, strict=True)
    for row in NEAR.rows(charge_points, evses, connectors, times):
        session = RecordedSession(*row)
        found[session.charge_point_id].append(session)
    return {pk: tuple(sessions) for pk, sessions in found.items()}
