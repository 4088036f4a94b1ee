"""MeterValues that join a session, leave it, are taken back or corrected, in whichever form.

Everything here runs inside the caller's database transaction, which has the charge point's turn.
What leaves a trace becomes rows again, with the same ids, until it is moved the next time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from levity.db.rows import insert_rows, update_rows
from levity.ocpp.models import LegacySample, MeterValue, SampleTrace
from levity.ocpp.rules.values import base_value
from levity.ocpp.store.samples.coding import NOTHING, UNCHANGED, Trace, decode, with_recorded
from levity.ocpp.store.samples.elements import NAMELESS, Element, KeptSample, place_of
from levity.ocpp.store.samples.legacy import is_empty, legacy_elements
from levity.ocpp.store.samples.reading import (
    at_charge_point,
    of_rows,
    of_transaction,
    of_whole_trace,
)
from levity.ocpp.store.samples.shapes import shapes_of
from levity.ocpp.store.samples.texts import recorded_json, recorded_text, values_text
from levity.ocpp.store.samples.traces import write_trace
from levity.ocpp.store.samples.writing import COLUMNS
from levity_ws.frozen import frozen

__all__ = ["At", "assign", "kept_at", "leave", "record", "take_back"]


@frozen
class At:
    """Where a sample is: its key, and what finds it in any form."""

    key: int
    charge_point: int
    sampled_at: datetime


def assign(elements: Collection[Element], transaction: int | None) -> None:
    """These MeterValues belong to this session from now on, or to none."""
    rows = [each.id for each in elements if not each.trace and not each.rows]
    if rows:
        MeterValue.objects.filter(pk__in=rows).update(transaction=transaction)
    before = [pk for each in elements for pk in each.rows]
    if before:
        LegacySample.objects.filter(pk__in=before).update(transaction=transaction)
    moved = [each for each in elements if each.trace]
    _out_of_traces(moved)
    insert_rows(MeterValue, ("id", *COLUMNS), [_row(each, transaction) for each in moved])


def leave(transaction: int, ids: Collection[int]) -> None:
    """The MeterValues of this session with these ids belong to no session from now on."""
    assign(_those(transaction, ids), None)


def take_back(transaction: int, ids: Collection[int]) -> None:
    """Delete the MeterValues of this session with these ids."""
    found = _those(transaction, ids)
    MeterValue.objects.filter(
        pk__in=[each.id for each in found if not each.trace and not each.rows]
    ).delete()
    LegacySample.objects.filter(pk__in=[pk for each in found for pk in each.rows]).delete()
    _out_of_traces([each for each in found if each.trace])


def kept_at(places: Collection[At]) -> dict[int, KeptSample]:
    """The samples at these places, by their keys; one that is gone is not in it."""
    found: dict[int, KeptSample] = {}
    for element, at in _elements_at(places):
        found |= {sample.pk: sample for sample in element.samples() if sample.pk in at}
    return found


def record(values: Mapping[At, Decimal | None]) -> None:
    """From now on, these samples have these values; what was sent stays as it is."""
    of_charge_point: dict[int, dict[int, dict[int, Decimal | None]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    moments: dict[int, list[datetime]] = defaultdict(list)
    for place, value in values.items():
        element, position = place_of(place.key)
        of_charge_point[place.charge_point][element][position] = value
        moments[place.charge_point].append(place.sampled_at)
    for charge_point, new in of_charge_point.items():
        first, last = min(moments[charge_point]), max(moments[charge_point])
        at = Q(charge_point=charge_point)
        _record_in_rows(new)
        if not is_empty():
            _record_before(at & Q(sampled_at__gte=first, sampled_at__lte=last), new)
        for trace in SampleTrace.objects.filter(at & Q(last_at__gte=first, first_at__lte=last)):
            _record_in_trace(trace, new)


_New = Mapping[int, Mapping[int, Decimal | None]]
"""By a MeterValue's id, the values by their position."""


def _record_in_rows(new: _New) -> None:
    for element in of_rows(MeterValue.objects.filter(pk__in=list(new))):
        plain = _recorded(element, {})
        recorded = {**element.recorded, **new[element.id]}
        kept = {at: value for at, value in recorded.items() if plain.value(at) != value}
        MeterValue.objects.filter(pk=element.id).update(recorded=recorded_json(kept))


def _record_before(rows: Q, new: _New) -> None:
    for element in legacy_elements(LegacySample.objects.filter(rows)):
        told = new.get(element.id, {})
        found = [(element.rows[position], value) for position, value in told.items()]
        update_rows(LegacySample, ("id", "value"), found)


def _record_in_trace(trace: SampleTrace, new: _New) -> None:
    decoded = decode(bytes(trace.data))
    said: dict[tuple[int, int], object] = {}
    for row, pk in enumerate(decoded.ids()):
        for position, value in new.get(pk, {}).items():
            by_rule = _by_rule(decoded, row, position)
            text = NOTHING if value is None else format(value, "f")
            said[row, position] = UNCHANGED if value == by_rule else text
    if said:
        data = with_recorded(bytes(trace.data), said)
        SampleTrace.objects.filter(pk=trace.pk).update(data=data)


def _by_rule(trace: Trace, row: int, position: int) -> Decimal | None:
    kind = trace.shapes[row]
    text = trace.column(kind, position).texts()[trace.shapes[:row].count(kind)]
    [shape] = shapes_of({kind[0]}).values()
    names = shape.names[position] if position < len(shape.names) else NAMELESS
    return base_value(text, names.unit, names.format)


def _recorded(element: Element, recorded: dict[int, Decimal | None]) -> Element:
    return Element(
        element.id,
        element.charge_point_id,
        element.transaction_id,
        element.evse,
        element.connector,
        element.sampled_at,
        element.received_at,
        element.shape,
        element.values,
        recorded,
        element.trace,
        element.rows,
    )


def _elements_at(places: Iterable[At]) -> Iterable[tuple[Element, dict[int, At]]]:
    """The MeterValues at these places, each with the places in it by their keys."""
    of_charge_point: dict[int, dict[int, dict[int, At]]] = defaultdict(lambda: defaultdict(dict))
    for place in places:
        of_charge_point[place.charge_point][place_of(place.key)[0]][place.key] = place
    for charge_point, wanted in of_charge_point.items():
        moments = [place.sampled_at for keys in wanted.values() for place in keys.values()]
        for element in at_charge_point(charge_point, min(moments), max(moments)):
            if element.id in wanted:
                yield element, wanted[element.id]


def _those(transaction: int, ids: Collection[int]) -> list[Element]:
    wanted = set(ids)
    return [each for each in of_transaction(transaction) if each.id in wanted] if wanted else []


def _out_of_traces(elements: Sequence[Element]) -> None:
    gone: dict[int, set[int]] = defaultdict(set)
    for each in elements:
        gone[each.trace].add(each.id)
    for trace in SampleTrace.objects.filter(pk__in=gone):
        kept = of_whole_trace(trace)
        write_trace(trace, [each for each in kept if each.id not in gone[trace.pk]])


def _row(element: Element, transaction: int | None) -> tuple[object, ...]:
    return (
        element.id,
        element.charge_point_id,
        element.evse,
        element.connector,
        transaction,
        element.sampled_at,
        element.received_at,
        element.shape.id,
        values_text(element.values),
        recorded_text(element.recorded),
    )
