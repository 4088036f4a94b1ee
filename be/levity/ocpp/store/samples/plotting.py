"""Values of a session for a plot: of a trace, only the columns that are asked for."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

from levity.ocpp.models import LegacySample, MeterValue, SampleTrace
from levity.ocpp.rules.values import SIGNED, base_value, scale_of
from levity.ocpp.store.samples.coding import NOTHING, UNCHANGED, Column, Trace, decode
from levity.ocpp.store.samples.elements import moment_of
from levity.ocpp.store.samples.legacy import legacy_elements
from levity.ocpp.store.samples.reading import of_rows, of_traces, picked, together
from levity.ocpp.store.samples.shapes import Names, shapes_of
from levity.ocpp.wire.fields import MAX_NUMBER

log = logging.getLogger(__name__)

__all__ = ["Plotted", "plotted"]

Plotted = tuple[Names, datetime, Decimal | None]
"""What it is, when by the charger's clock, and how much in base units."""

DECIMALS = 6


def plotted(transaction: int, wanted: Callable[[Names], bool], most: int) -> list[Plotted]:
    """The samples of this session with such names, the last to arrive first; at most so many."""
    before = legacy_elements(LegacySample.objects.filter(transaction=transaction))
    recent = of_rows(MeterValue.objects.filter(transaction=transaction))
    traces = SampleTrace.objects.filter(transaction=transaction)
    data = list(traces.order_by("id").values_list("data", flat=True))
    if not before and not recent and len(data) == 1:
        try:
            return _of_columns(decode(bytes(data[0])), wanted)[:most]
        except ValueError:
            log.exception("the trace of transaction %s can't be read", transaction)
            return []
    moved = of_traces(traces) if data else []
    found = list(picked(together(before, recent, moved), wanted))
    return [
        (names, element.sampled_at, element.value(position))
        for element, position, names in found[: -most - 1 : -1]
    ]


def _of_columns(trace: Trace, wanted: Callable[[Names], bool]) -> list[Plotted]:
    moments = [moment_of(at) for at in trace.sampled()]
    kinds = set(trace.shapes)
    shapes = shapes_of({kind[0] for kind in kinds})
    found: list[tuple[int, int, Plotted]] = []
    for kind in kinds:
        rows = range(len(moments)) if len(kinds) == 1 else trace.rows_of(kind)
        recorded = trace.recorded(kind)
        for position, names in enumerate(shapes[kind[0]].names[: kind[1]]):
            if not wanted(names):
                continue
            values = _values(trace.column(kind, position), names)
            if position in recorded:
                values = _with(values, recorded[position])
            found += [
                (row, position, (names, moments[row], value))
                for row, value in zip(rows, values, strict=True)
            ]
    # (No two are of the same row and position.)
    found.sort(reverse=True, key=lambda each: each[:2])
    return [each[2] for each in found]


def _values(column: Column, names: Names) -> list[Decimal | None]:
    """In base units, as `base_value` has them, without a text for each."""
    unit, spelling, decimals = names.unit, names.format, column.decimals
    if spelling == SIGNED or decimals > DECIMALS:
        return [base_value(text, unit, spelling) for text in column.texts()]
    factor = scale_of(unit) * 10 ** (DECIMALS - decimals)
    limit = MAX_NUMBER * 10**DECIMALS // factor
    return [
        (Decimal(item * factor).scaleb(-DECIMALS) if -limit < item < limit else None)
        if type(item) is int
        else base_value(item, unit, spelling)
        for item in column.items
    ]


def _with(values: Iterable[Decimal | None], recorded: Iterable[object]) -> list[Decimal | None]:
    return [
        value if said is UNCHANGED else None if said is NOTHING else Decimal(str(said))
        for value, said in zip(values, recorded, strict=True)
    ]
