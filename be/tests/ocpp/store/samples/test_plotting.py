"""What many sessions measured is what each of them measured, wherever their values are kept."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.effects import Sample
from levity.ocpp.models import ChargePoint, MeterValue, SampleTrace, Transaction
from levity.ocpp.store.samples.elements import Element
from levity.ocpp.store.samples.plotting import plotted, plotted_of
from levity.ocpp.store.samples.reading import of_rows
from levity.ocpp.store.samples.shapes import Names, shape_of, store_shapes
from levity.ocpp.store.samples.traces import write_trace

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
REGISTER = "Energy.Active.Import.Register"


def is_register(names: Names) -> bool:
    return names.measurand == REGISTER


def session(charger: ChargePoint, number: int) -> int:
    at = BEGIN + timedelta(days=number)
    row = Transaction.objects.create(charge_point=charger, started_at=at, meter_start=number)
    shape = shape_of(
        [
            Sample(at, name, "0", Decimal(), unit, "", "", "", "")
            for name, unit in ((REGISTER, "kWh"), ("Voltage", "V"))
        ]
    )
    store_shapes([shape])
    for minute in range(4):
        moment = at + timedelta(minutes=minute)
        MeterValue.objects.create(
            charge_point=charger,
            connector=1,
            transaction=row,
            sampled_at=moment,
            received_at=moment,
            shape_id=shape.id,
            raw_values=f"{number}.{minute} 230",
        )
    return row.pk


def pack(pk: int, first: int, last: int) -> None:
    """These of its rows, into a trace."""
    rows = of_rows(MeterValue.objects.filter(transaction=pk))[first:last]
    _trace(rows)
    MeterValue.objects.filter(pk__in=[row.id for row in rows]).delete()


def _trace(rows: list[Element]) -> None:
    trace = SampleTrace(
        charge_point_id=rows[0].charge_point_id, connector=1, transaction_id=rows[0].transaction_id
    )
    write_trace(trace, rows)


def test_rows_one_trace_several_and_both_say_the_same_as_one_by_one() -> None:
    charger = ChargePoint.objects.create(identity="c-1")
    rows, whole, halves, both, none = pks = [session(charger, number) for number in range(5)]
    before = {pk: plotted(pk, is_register, 100) for pk in pks}
    assert [len(values) for values in before.values()] == [4] * 5
    assert before[rows][0][2] == Decimal(300)
    pack(whole, 0, 4)
    pack(halves, 0, 2)
    pack(halves, 0, 2)
    pack(both, 0, 3)
    MeterValue.objects.filter(transaction=none).delete()
    del before[none]
    assert plotted_of(pks, is_register) == before
    assert plotted_of([whole, none], is_register) == {whole: before[whole]}


def test_the_number_of_statements_does_not_grow_with_the_sessions() -> None:
    charger = ChargePoint.objects.create(identity="c-1")
    pks = [session(charger, number) for number in range(12)]
    for pk in pks[:6]:
        pack(pk, 0, 4)
    counts = []
    for some in (pks[5:7], pks):
        plotted_of(some, is_register)
        with CaptureQueriesContext(connection) as asked:
            plotted_of(some, is_register)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 5
