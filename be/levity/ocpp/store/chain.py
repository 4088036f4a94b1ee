"""Read the sessions that lie near: the window of a connector's chain that a batch needs.

One statement for the whole batch, by an index that is there for it (`transaction_chain`). Nearly
all sessions go on from the one before, and nothing has to be settled: for them that one is read
alone, in another statement, and no window.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from django.db.models import BooleanField, DateTimeField, Func

from levity.db.prepared import ArrayParameter, Prepared
from levity.ocpp.models import Transaction
from levity.ocpp.request import ChargePointState, Place, RecordedSession, TransactionState
from levity.ocpp.rules.chain.near import AFTER, BEFORE, NEWEST
from levity.ocpp.rules.chain.plain import Figures, goes_without_saying
from levity.ocpp.store.loaded import Loaded, Near
from levity.ocpp.store.values import Arrival
from levity.ocpp.wire.frames import Call
from levity_ws.frozen import frozen

__all__ = ["load_chains", "load_more", "sessions_near"]

COLUMNS = tuple(field.name for field in fields(RecordedSession))
GLANCE = tuple(field.name for field in fields(Figures))
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


_ON = f"FROM {_TABLE} WHERE {_THERE} AND"
# What reaches beyond a start on the same connector, of all that the window would have; else the
# last one before it.
_LAST = (
    f"COALESCE((SELECT id {_ON} started_at > {{at}} ORDER BY started_at LIMIT 1),"
    f" (SELECT w.id FROM (SELECT id, stopped_at {_ON} started_at <= {{at}}"
    f" ORDER BY started_at DESC LIMIT {BEFORE}) AS w"
    " WHERE {pk} = 0 AND w.stopped_at > {at} LIMIT 1),"
    f" (SELECT w.id FROM (SELECT id, evse, connector, stopped_at FROM {_TABLE}"
    f" WHERE charge_point_id = {{charger}} ORDER BY id DESC LIMIT {NEWEST}) AS w"
    " WHERE {pk} = 0 AND w.stopped_at > {at} AND w.evse = {evse} AND w.connector = {connector}"
    " LIMIT 1),"
    f" (SELECT id {_ON} started_at <= {{at}} AND id <> {{pk}} ORDER BY started_at DESC LIMIT 1))"
)


class _Beside(Func):
    """True for the last sessions before these of their connectors; or instead for one that began
    later, or had not ended by then where this one begins. None where this is the only one.

    Five place holders for lists of the same length: charge point ids, EVSEs, connectors, times at
    which these began, and their ids, 0 for one that begins.
    """

    output_field = BooleanField()

    def __init__(self, *places: Any) -> None:
        super().__init__()
        self.places = places

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """Two short walks along an index for each; two more for one that begins."""
        names = {name: f"v.{name}" for name in ("charger", "evse", "connector", "at", "pk")}
        wanted = (
            "unnest(%s::integer[], %s::integer[], %s::integer[], %s::timestamptz[], %s::integer[])"
            " AS v(charger, evse, connector, at, pk)"
        )
        sql = f"{_TABLE}.id IN (SELECT {_LAST.format(**names)} FROM {wanted})"
        return sql, tuple(ArrayParameter(place) for place in self.places)

    def as_sqlite(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """The same from lists in JSON."""
        names = {"charger": "c.value", "evse": "e.value", "connector": "n.value"}
        names |= {"at": "t.value", "pk": "p.value"}
        wanted = (
            "json_each(%s) AS c JOIN json_each(%s) AS e ON e.key = c.key"
            " JOIN json_each(%s) AS n ON n.key = c.key JOIN json_each(%s) AS t ON t.key = c.key"
            " JOIN json_each(%s) AS p ON p.key = c.key"
        )
        sql = f"{_TABLE}.id IN (SELECT {_LAST.format(**names)} FROM {wanted})"
        chargers, evses, connectors, times, pks = map(ArrayParameter, self.places)
        times = ArrayParameter(self.places[3], DateTimeField())
        return sql, (chargers, evses, connectors, times, pks)


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


BESIDE = Prepared(
    lambda *places: (
        Transaction.objects.filter(_Beside(*places))
        .order_by()
        .values_list("charge_point_id", *GLANCE)
    ),
    parameters=5,
)


def load_chains(loaded: Loaded, arrivals: Sequence[Arrival]) -> None:
    """The sessions that lie near those that these arrivals begin or end, or may mean; of one that
    goes on from the one before as nearly all do, only that one."""
    near: dict[int, tuple[Near, ...]] = {}
    at_a_glance: list[_Glance] = []
    for item in arrivals:
        references = item.references
        if not (references.needs_chain or references.has_samples):
            continue
        charge_point = loaded.charge_point(item.event.charge_point)
        named = loaded.transactions.get(references.transaction_id or 0)
        if charge_point is None or not _needs_any(item, charge_point, named):
            continue
        near[charge_point.id] = _near(item, charge_point, named, loaded)
        if references.needs_chain and (glance := _at_a_glance(item, charge_point, named, loaded)):
            at_a_glance.append(glance)
    # Where most need the window anyway, one statement for all is cheaper than two.
    if 2 * len(at_a_glance) > len(near):
        _load_beside(loaded, at_a_glance)
    for pk in loaded.beside:
        loaded.near[pk] = near.pop(pk)
    _load(loaded, near.values())


def load_more(loaded: Loaded, charge_points: Iterable[int]) -> None:
    """The sessions that lie near for these of `loaded.near`: a glance was not enough."""
    _load(loaded, [loaded.near[pk] for pk in charge_points])


def _load(loaded: Loaded, near: Iterable[Sequence[Near]]) -> None:
    if wanted := [place for places in near for place in places]:
        loaded.chains |= sessions_near(wanted)


@frozen
class _Glance:
    """One that begins or ends, of which a glance at the one before it may be enough."""

    arrival: Arrival
    charge_point: ChargePointState
    place: Place
    session: Figures
    """It, or how it begins; then its id is 0."""


def _at_a_glance(
    item: Arrival,
    charge_point: ChargePointState,
    named: TransactionState | None,
    loaded: Loaded,
) -> _Glance | None:
    start = loaded.start_keys.get(item.connection)
    if start is not None:
        _, connector, _, at, meter_start = start
        if charge_point.id in loaded.early_stops or start in loaded.starts:
            return None
        begins = Figures(0, "active", at, meter_start)
        return _Glance(item, charge_point, (0, connector), begins)
    frame = item.frame
    if named is None or not named.connector or not isinstance(frame, Call):
        return None
    payload = frame.payload if isinstance(frame.payload, Mapping) else {}
    if not item.version.ends_plainly(named, payload, charge_point, item.at):
        return None
    runs = Figures(named.id, named.state, named.started_at, named.meter_start, flags=named.flags)
    return _Glance(item, charge_point, named.place, runs)


def _load_beside(loaded: Loaded, glances: Sequence[_Glance]) -> None:
    of = {each.charge_point.id: each for each in glances}
    evses, connectors = zip(*(each.place for each in of.values()), strict=True)
    times = [each.session.started_at for each in of.values()]
    pks = [each.session.id for each in of.values()]
    found = {pk: Figures(*row) for pk, *row in BESIDE.rows(list(of), evses, connectors, times, pks)}
    for pk, each in of.items():
        before = found.get(pk)
        if _is_enough(each, before):
            loaded.beside[pk] = before


def _is_enough(glance: _Glance, before: Figures | None) -> bool:
    """True if the session goes on from the one before, or is the first, and nothing else of the
    chain is needed."""
    session, version = glance.session, glance.arrival.version
    if before is None:
        return goes_without_saying(session, (), glance.charge_point.max_power)
    begins = not session.id
    if before.started_at >= session.started_at:
        # Which of both was first is for the whole rules.
        return False
    if begins and before.stopped_at is not None and before.stopped_at > session.started_at:
        return False
    if begins:
        session = Figures(before.id + 1, "active", session.started_at, session.meter_start)
    if not goes_without_saying(session, (before,), glance.charge_point.max_power):
        return False
    meter_start = session.meter_start
    return not begins or (meter_start is not None and version.begins_plainly(before, meter_start))


def _needs_any(
    item: Arrival, charge_point: ChargePointState, named: TransactionState | None
) -> bool:
    """True if what lies near may tell which session it means; not so for samples of one that
    runs."""
    references = item.references
    if references.needs_chain:
        return True
    if named is not None and named.state == "active":
        return False
    return references.transaction_id is not None or not charge_point.active


def _near(
    item: Arrival,
    charge_point: ChargePointState,
    named: TransactionState | None,
    loaded: Loaded,
) -> tuple[Near, ...]:
    """Around which times of which connectors of this charge point the sessions lie near."""
    start = loaded.start_keys.get(item.connection)
    if start is not None:
        _, connector, _, at, _ = start
        return ((charge_point.id, (0, connector), at),)
    if named is not None and named.charge_point_id == charge_point.id:
        return ((charge_point.id, named.place, named.started_at),)
    told = item.references.told_at
    at = (charge_point.time_of(told) if told is not None else None) or item.at
    # It may be on any of its connectors.
    places = [place for place in charge_point.connectors if place[1]] or [(0, 1)]
    return tuple((charge_point.id, place, at) for place in places)


def sessions_near(
    wanted: Sequence[Near],
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
