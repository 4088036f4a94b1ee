"""The register of one connector in its newest MeterValues of no session: a bounded number."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from levity.ocpp.models import Connector, LegacySample, MeterValue, SampleTrace
from levity.ocpp.rules.chain.unassigned import Point
from levity.ocpp.rules.readings import BEGIN, REGISTER, registers
from levity.ocpp.store.samples.elements import Element
from levity.ocpp.store.samples.legacy import is_empty, legacy_elements
from levity.ocpp.store.samples.reading import of_rows, of_traces, together
from levity.ocpp.wire.fields import MAX_ENERGY

__all__ = ["newest_outside"]


def newest_outside(
    connector: Connector, since: datetime, until: datetime, limit: int
) -> tuple[list[Point], bool]:
    """What its register showed in [since, until), in the order of time; True if there are more than
    about `limit` MeterValues, of which these are the newest."""
    place = Q(
        charge_point=connector.charge_point_id,
        evse=connector.evse,
        connector=connector.number,
        transaction=None,
    )
    within = place & Q(sampled_at__gte=since, sampled_at__lt=until)
    # (Rows before traces: what moves meanwhile is found twice, and not missed.)
    rows, is_cut = _newest(MeterValue.objects.filter(within), limit)
    recent = of_rows(rows)
    traces = SampleTrace.objects.filter(place, last_at__gte=since, first_at__lt=until)
    sizes = traces.order_by("-last_at").values_list("pk", "elements")[:limit]
    left, wanted = limit - len(recent), []
    for pk, elements in sizes:
        if left <= 0:
            is_cut = True
            break
        wanted.append(pk)
        left -= elements
    before: list[Element] = []
    if not is_empty():
        some, is_more = _newest(LegacySample.objects.filter(within), limit)
        before, is_cut = legacy_elements(some), is_cut or is_more
    found = together(before, recent, of_traces(SampleTrace.objects.filter(pk__in=wanted)))
    points: list[Point] = []
    plain: dict[tuple[int, int], int | None] = {}
    for element in found:
        if not since <= element.sampled_at < until:
            continue
        kind = element.shape.id, len(element.values)
        if kind not in plain:
            plain[kind] = _only_register(element)
        if (position := plain[kind]) is None:
            points += _points(element)
        elif (wh := element.value(position)) is not None and -MAX_ENERGY < wh < MAX_ENERGY:
            points.append(Point(element.sampled_at, wh))
    return sorted(points, key=lambda point: point.at), is_cut


def _only_register(element: Element) -> int | None:
    """The position of the register in MeterValues of this shape, where nothing has to be chosen or
    added up: thousands have the same."""
    names = element.shape.names[: len(element.values)]
    if len(names) < len(element.values):
        return None
    found = [place for place, each in enumerate(names) if each.measurand == REGISTER]
    if len(found) != 1:
        return None
    [place] = found
    one = names[place]
    is_plain = one.unit == "Wh" and not (one.phase or one.location or one.context == BEGIN)
    return place if is_plain else None


def _points(element: Element) -> Iterator[Point]:
    for reading in registers(sample.as_sample() for sample in element.samples()):
        # (What the station draws, and one phase of three, are other registers.)
        if not (reading.is_begin or reading.is_inlet or len(reading.phases) in (1, 2)):
            yield Point(reading.at, reading.value)


def _newest(rows: QuerySet[Any], limit: int) -> tuple[QuerySet[Any], bool]:
    """The newest of these rows, and whether there are more."""
    times = rows.order_by("-sampled_at").values_list("sampled_at", flat=True)
    floor = times[limit : limit + 1].first()
    return (rows, False) if floor is None else (rows.filter(sampled_at__gt=floor), True)
