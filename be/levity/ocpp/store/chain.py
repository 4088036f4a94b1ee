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
from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.near import AFTER, BEFORE, NEWEST
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.values import Arrival

__all__ = ["load_chains", "sessions_near"]

COLUMNS = tuple(field.name for field in fields(RecordedSession))
_TABLE = Transaction._meta.db_table
_EACH = (
    f"SELECT id FROM (SELECT id FROM {_TABLE} WHERE charge_point_id = {{charger}}"
    f" AND started_at <= {{at}} ORDER BY started_at DESC LIMIT {BEFORE}) AS before"
    f" UNION SELECT id FROM (SELECT id FROM {_TABLE} WHERE charge_point_id = {{charger}}"
    f" AND started_at > {{at}} ORDER BY started_at LIMIT {AFTER}) AS after"
    f" UNION SELECT id FROM (SELECT id FROM {_TABLE} WHERE charge_point_id = {{charger}}"
    f" ORDER BY id DESC LIMIT {NEWEST}) AS newest"
)


class _Near(Func):
    """True for the sessions that lie near one of these times of these charge points.

    Two place holders for lists of the same length: charge point ids, times.
    """

    output_field = BooleanField()

    def __init__(self, charge_points: Any, times: Any) -> None:
        super().__init__()
        self.places = charge_points, times

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """Three short walks along an index for each."""
        each = _EACH.format(charger="v.charger", at="v.at")
        wanted = "unnest(%s::integer[], %s::timestamptz[]) AS v(charger, at)"
        sql = f"{_TABLE}.id IN (SELECT near.id FROM {wanted} CROSS JOIN LATERAL ({each}) AS near)"
        return sql, tuple(ArrayParameter(place) for place in self.places)

    def as_sqlite(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """The same without LATERAL, which SQLite does not have."""
        each = _EACH.format(charger="c.value", at="t.value")
        wanted = "json_each(%s) AS c JOIN json_each(%s) AS t ON t.key = c.key"
        sql = f"{_TABLE}.id IN (SELECT x.id FROM {wanted} JOIN {_TABLE} AS x ON x.id IN ({each}))"
        charge_points, times = self.places
        return sql, (ArrayParameter(charge_points), ArrayParameter(times, DateTimeField()))


NEAR = Prepared(
    lambda charge_points, times: (
        Transaction.objects.filter(_Near(charge_points, times)).order_by("id").values_list(*COLUMNS)
    ),
    parameters=2,
)


def load_chains(loaded: Loaded, arrivals: Sequence[Arrival]) -> None:
    """The sessions that lie near those that these arrivals begin or end, or may mean."""
    wanted: list[tuple[int, datetime]] = []
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
        at = None
        if named is not None and named.charge_point_id == charge_point.id:
            at = named.started_at
        elif references.told_at is not None:
            at = charge_point.time_of(references.told_at)
        wanted.append((charge_point.id, at or item.at))
    if wanted:
        loaded.chains = sessions_near(wanted)


def sessions_near(
    wanted: Sequence[tuple[int, datetime]],
) -> dict[int, tuple[RecordedSession, ...]]:
    """For these times of these charge points (ids): the sessions near them, by charge point, in the
    order of their ids."""
    found: dict[int, list[RecordedSession]] = defaultdict(list)
    charge_points, times = zip(*wanted, strict=True)
    for row in NEAR.rows(charge_points, times):
        session = RecordedSession(*row)
        found[session.charge_point_id].append(session)
    return {pk: tuple(sessions) for pk, sessions in found.items()}
