"""MeterValues from wherever they are kept, in the order in which they arrived.

Rows are read before traces: what moves meanwhile is found twice, and not missed; and what stands in
a trace already, because a charger has sent it again since, is given once.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Q, QuerySet

from levity.db.prepared import Prepared
from levity.ocpp.models import LegacySample, MeterValue, SampleTrace
from levity.ocpp.store.samples.coding import decode
from levity.ocpp.store.samples.elements import Element, arrival, element_of
from levity.ocpp.store.samples.legacy import is_empty, legacy_elements
from levity.ocpp.store.samples.shapes import Names, shapes_of
from levity.ocpp.store.samples.texts import read_recorded, read_values

__all__ = [
    "any_loose",
    "any_received_since",
    "at_charge_point",
    "loose",
    "next_loose",
    "of_rows",
    "of_traces",
    "of_transaction",
    "of_transactions",
    "of_whole_trace",
    "picked",
    "rows_in_turn",
    "together",
    "traces_in_turn",
    "with_ids",
]

log = logging.getLogger(__name__)

ROW = (
    "id",
    "charge_point_id",
    "transaction_id",
    "evse",
    "connector",
    "sampled_at",
    "received_at",
    "shape_id",
    "raw_values",
    "recorded",
)
TRACE = ("id", "charge_point_id", "transaction_id", "data")
WITH_IDS = Prepared(
    lambda ids: MeterValue.objects.filter(id__any_of=ids).order_by("id").values_list(*ROW)
)
# Rows that are read at once where they come in turn.
CHUNK = 500


def of_transaction(pk: int) -> list[Element]:
    """All MeterValues of this session."""
    return _found(Q(transaction=pk), Q(transaction=pk))


def of_transactions(pks: Collection[int]) -> dict[int, list[Element]]:
    """All MeterValues of these sessions, by their ids; sessions without any are not in it."""
    among = Q(transaction__in=list(pks))
    found: dict[int, list[Element]] = defaultdict(list)
    for element in _found(among, among):
        assert element.transaction_id is not None
        found[element.transaction_id].append(element)
    return dict(found)


def loose(
    charge_point: int,
    since: datetime,
    until: datetime | None = None,
    connector: int | None = None,
) -> list[Element]:
    """MeterValues of no session with their time in [since, until], in the order of their time."""
    place = Q(charge_point=charge_point, transaction=None)
    if connector is not None:
        place &= Q(connector=connector)
    rows, traces = place & Q(sampled_at__gte=since), place & Q(last_at__gte=since)
    if until is not None:
        rows, traces = rows & Q(sampled_at__lte=until), traces & Q(first_at__lte=until)
    found = [
        element
        for element in _found(rows, traces)
        if element.sampled_at >= since and (until is None or element.sampled_at <= until)
    ]
    # (A stable sort: those of one moment stay as they arrived.)
    return sorted(found, key=lambda element: element.sampled_at)


def next_loose(charge_point: int, since: datetime) -> datetime | None:
    """A time at or after `since` before which this charge point has no MeterValue of no session;
    None if it has none at all from then on."""
    place = Q(charge_point=charge_point, transaction=None)
    found: list[datetime] = []
    for model in (MeterValue,) if is_empty() else (LegacySample, MeterValue):
        rows = model._meta.default_manager.filter(place, sampled_at__gte=since)  # type: ignore[union-attr]
        found += rows.order_by("sampled_at").values_list("sampled_at", flat=True)[:1]
    traces = SampleTrace.objects.filter(place, last_at__gte=since).order_by("first_at")
    found += (max(since, first) for first in traces.values_list("first_at", flat=True)[:1])
    return min(found, default=None)


def at_charge_point(charge_point: int, first: datetime, last: datetime) -> list[Element]:
    """All MeterValues of this charge point with their time in [first, last]."""
    at = Q(charge_point=charge_point)
    rows = at & Q(sampled_at__gte=first, sampled_at__lte=last)
    found = _found(rows, at & Q(last_at__gte=first, first_at__lte=last))
    return [element for element in found if first <= element.sampled_at <= last]


def any_loose(
    places: Iterable[tuple[int, int | None, datetime]],
) -> set[tuple[int, int]]:
    """(Charge point, connector) of MeterValues of no session, of these (charge point, connector or
    None for all, since)."""
    rows, traces = Q(), Q()
    for charge_point, connector, since in places:
        place = Q(charge_point=charge_point)
        if connector is not None:
            place &= Q(connector=connector)
        rows |= place & Q(sampled_at__gte=since)
        traces |= place & Q(last_at__gte=since)
    found: set[tuple[int, int]] = set()
    places_of = [(MeterValue, rows), (SampleTrace, traces)]
    for model, wanted in places_of if is_empty() else [(LegacySample, rows), *places_of]:
        some = model._meta.default_manager.filter(wanted, transaction=None).order_by()  # type: ignore[union-attr]
        found |= set(some.values_list("charge_point_id", "connector").distinct())
    return found


def any_received_since(transaction: int, moment: datetime) -> bool:
    """True if a MeterValue of this session came later than that."""
    for model in (MeterValue,) if is_empty() else (LegacySample, MeterValue):
        rows = model._meta.default_manager.filter(transaction=transaction, received_at__gt=moment)  # type: ignore[union-attr]
        if rows.exists():
            return True
    return any(
        element.received_at > moment
        for element in of_traces(SampleTrace.objects.filter(transaction=transaction))
    )


def picked(
    elements: Iterable[Element], wanted: Callable[[Names], bool]
) -> Iterator[tuple[Element, int, Names]]:
    """The samples with these names: MeterValue, position, names."""
    places: dict[int, list[tuple[int, Names]]] = {}
    for element in elements:
        shape = element.shape
        if shape.id not in places:
            places[shape.id] = [
                (position, names) for position, names in enumerate(shape.names) if wanted(names)
            ]
        for position, names in places[shape.id]:
            if position < len(element.values):
                yield element, position, names


def _found(rows: Q, traces: Q) -> list[Element]:
    before = legacy_elements(LegacySample.objects.filter(rows))
    recent = of_rows(MeterValue.objects.filter(rows))
    return together(before, recent, of_traces(SampleTrace.objects.filter(traces)))


def together(
    before: Sequence[Element], recent: Sequence[Element], moved: Sequence[Element]
) -> list[Element]:
    """Those of the releases before, rows and those of traces as they arrived, each once."""
    found = list(moved)
    for others in (before, recent):
        if not others:
            continue
        known = {element.identity for element in found} if found else ()
        found += [element for element in others if element.identity not in known]
    found.sort(key=arrival)
    return found


def of_rows(rows: QuerySet[MeterValue]) -> list[Element]:
    """The MeterValues of these rows."""
    return _elements(list(rows.order_by("id").values_list(*ROW)))


def with_ids(pks: Collection[int]) -> list[Element]:
    """The MeterValues of the rows with these ids."""
    return _elements(WITH_IDS.rows(pks))


def rows_in_turn(rows: QuerySet[MeterValue]) -> Iterator[list[Element]]:
    """The same for each charge point, in the order of their ids: one statement, and only the
    MeterValues of one charge point in memory."""
    read = rows.order_by("charge_point_id", "id").values_list(*ROW).iterator(chunk_size=CHUNK)
    for _, group in groupby(read, key=lambda row: row[1]):
        yield _elements(list(group))


def _elements(read: Sequence[tuple[Any, ...]]) -> list[Element]:
    shapes = shapes_of({row[7] for row in read})
    return [
        Element(
            pk,
            charge_point,
            transaction,
            evse,
            connector,
            sampled_at,
            received_at,
            shapes[shape],
            read_values(raw_values),
            read_recorded(recorded),
        )
        for (
            pk,
            charge_point,
            transaction,
            evse,
            connector,
            sampled_at,
            received_at,
            shape,
            raw_values,
            recorded,
        ) in read
    ]


def of_traces(traces: QuerySet[SampleTrace]) -> list[Element]:
    """The MeterValues in these traces, each trace in its order.

    One that is damaged is left out, and said in the log: the others can be read.
    """
    return _readable(traces.order_by("id").values_list(*TRACE))


def traces_in_turn(traces: QuerySet[SampleTrace]) -> Iterator[list[Element]]:
    """The same for each charge point, in the order of their ids, as `rows_in_turn`."""
    ordered = traces.order_by("charge_point_id", "id").values_list(*TRACE)
    for _, group in groupby(ordered.iterator(chunk_size=CHUNK), key=lambda row: row[1]):
        yield _readable(group)


def _readable(rows: Iterable[tuple[Any, ...]]) -> list[Element]:
    found: list[Element] = []
    for row in rows:
        try:
            found += _of_trace(*row)
        except ValueError:
            log.exception("trace %s of charge point %s can't be read", row[0], row[1])
    return found


def of_whole_trace(trace: SampleTrace) -> list[Element]:
    """The MeterValues in this trace. ValueError: it is damaged, and must not be written again."""
    return _of_trace(trace.pk, trace.charge_point_id, trace.transaction_id, trace.data)


def _of_trace(pk: int, charge_point: int, transaction: int | None, data: Any) -> list[Element]:
    coded = decode(bytes(data)).coded()
    shapes = shapes_of({each.shape for each in coded})
    return [element_of(each, charge_point, transaction, shapes, pk) for each in coded]
