"""Values of a session for a plot: of a trace, only the columns that are asked for."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain, repeat

from django.db import connection

from levity.ocpp.models import LegacySample, MeterValue, SampleTrace
from levity.ocpp.rules.values import MICRO, SIGNED, base_value, scale_of
from levity.ocpp.store.samples.coding import NOTHING, UNCHANGED, Column, Trace, decode
from levity.ocpp.store.samples.elements import Element, moment_of
from levity.ocpp.store.samples.legacy import is_empty, legacy_elements
from levity.ocpp.store.samples.reading import (
    of_rows,
    of_traces,
    of_transactions,
    picked,
    together,
)
from levity.ocpp.store.samples.shapes import Names, Shape, shapes_of
from levity.ocpp.wire.fields import MAX_NUMBER

log = logging.getLogger(__name__)

__all__ = ["Plotted", "plotted", "plotted_of"]

Plotted = tuple[Names, datetime, Decimal | None]
"""What it is, when by the charger's clock, and how much in base units."""

DECIMALS = 6


# Django would take longer to write these than the database takes to answer them.
ROWS = f"SELECT 1 FROM {MeterValue._meta.db_table} WHERE transaction_id = %s LIMIT 1"
TRACES = f"SELECT data FROM {SampleTrace._meta.db_table} WHERE transaction_id = %s ORDER BY id"


def plotted(transaction: int, wanted: Callable[[Names], bool], most: int) -> list[Plotted]:
    """The samples of this session with such names, the last to arrive first; at most so many."""
    before: list[Element] = []
    if not is_empty():
        before = legacy_elements(LegacySample.objects.filter(transaction=transaction))
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [transaction])
        are_rows = cursor.fetchone() is not None
        cursor.execute(TRACES, [transaction])
        data = [bytes(row[0]) for row in cursor.fetchall()]
    if not before and not are_rows and len(data) == 1:
        try:
            return _of_columns(decode(data[0]), wanted)[:most]
        except ValueError:
            log.exception("the trace of transaction %s can't be read", transaction)
            return []
    recent = of_rows(MeterValue.objects.filter(transaction=transaction))
    moved = of_traces(SampleTrace.objects.filter(transaction=transaction)) if data else []
    found = list(picked(together(before, recent, moved), wanted))
    return [
        (names, element.sampled_at, element.value(position))
        for element, position, names in found[: -most - 1 : -1]
    ]


def plotted_of(pks: Collection[int], wanted: Callable[[Names], bool]) -> dict[int, list[Plotted]]:
    """The same of many sessions, all of them, in a fixed number of statements."""
    wholes: dict[int, list[bytes]] = {}
    rows = SampleTrace.objects.filter(transaction__in=list(pks)).order_by("id")
    for pk, data in rows.values_list("transaction_id", "data"):
        wholes.setdefault(pk, []).append(bytes(data))
    recent = MeterValue.objects.filter(transaction__in=list(pks))
    others = set(recent.order_by().values_list("transaction_id", flat=True).distinct())
    if not is_empty():
        before = LegacySample.objects.filter(transaction__in=list(pks))
        others |= set(before.order_by().values_list("transaction_id", flat=True).distinct())
    others |= {pk for pk, data in wholes.items() if len(data) > 1}
    found: dict[int, list[Plotted]] = {}
    for pk, [data, *_] in wholes.items():
        if pk in others:
            continue
        try:
            found[pk] = _of_columns(decode(data), wanted)
        except ValueError:
            log.exception("the trace of transaction %s can't be read", pk)
    if others:
        for pk, elements in of_transactions(others).items():
            found[pk] = [
                (names, element.sampled_at, element.value(position))
                for element, position, names in reversed(list(picked(elements, wanted)))
            ]
    return found


def _of_columns(trace: Trace, wanted: Callable[[Names], bool]) -> list[Plotted]:
    kinds = set(trace.shapes)
    shapes = shapes_of({kind[0] for kind in kinds})
    moments = [moment_of(at) for at in trace.sampled()]
    if len(kinds) == 1:
        [kind] = kinds
        return _interleaved(*_columns(trace, kind, shapes[kind[0]], wanted), moments)
    # Of each MeterValue, what is wanted of it.
    of_row: list[list[Plotted]] = [[] for _ in moments]
    for kind in kinds:
        names, columns = _columns(trace, kind, shapes[kind[0]], wanted)
        for row, *values in zip(trace.rows_of(kind), *columns, strict=True):
            of_row[row] = _interleaved(names, [[value] for value in values], [moments[row]])
    return list(chain.from_iterable(reversed(of_row)))


def _interleaved(
    names: Sequence[Names], columns: Sequence[Sequence[Decimal | None]], moments: Sequence[datetime]
) -> list[Plotted]:
    """MeterValue by MeterValue, the last of it first."""
    values = [
        zip(repeat(name), reversed(moments), reversed(column))
        for name, column in zip(reversed(names), reversed(columns), strict=True)
    ]
    return list(chain.from_iterable(zip(*values, strict=True)))


def _columns(
    trace: Trace, kind: tuple[int, int], shape: Shape, wanted: Callable[[Names], bool]
) -> tuple[list[Names], list[list[Decimal | None]]]:
    recorded = trace.recorded(kind)
    found: tuple[list[Names], list[list[Decimal | None]]] = ([], [])
    for position, names in enumerate(shape.names[: kind[1]]):
        if not wanted(names):
            continue
        values = _values(trace.column(kind, position), names)
        if position in recorded:
            values = _with(values, recorded[position])
        found[0].append(names)
        found[1].append(values)
    return found


def _values(column: Column, names: Names) -> list[Decimal | None]:
    """In base units, as `base_value` has them, without a text for each."""
    unit, spelling, decimals = names.unit, names.format, column.decimals
    if spelling == SIGNED or decimals > DECIMALS:
        return [base_value(text, unit, spelling) for text in column.texts()]
    one = (scale_of(unit) * Decimal(1).scaleb(-decimals)).quantize(MICRO)
    limit = MAX_NUMBER * 10**decimals // scale_of(unit)
    if column.is_numbers and -limit < min(column.items) and max(column.items) < limit:
        return [one * number for number in map(Decimal, column.items)]
    return [
        (Decimal(item) * one if -limit < item < limit else None)
        if type(item) is int
        else base_value(item, unit, spelling)
        for item in column.items
    ]


def _with(values: Iterable[Decimal | None], recorded: Iterable[object]) -> list[Decimal | None]:
    return [
        value if said is UNCHANGED else None if said is NOTHING else Decimal(str(said))
        for value, said in zip(values, recorded, strict=True)
    ]
