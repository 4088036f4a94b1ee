"""Traces that a release before packed: all of them is read, and what is rewritten is of today."""

from dataclasses import replace
from decimal import Decimal

import orjson
import pytest

from levity.ocpp.models import ChargePoint, SampleShape, SampleTrace
from levity.ocpp.store.samples.changing import At, record
from levity.ocpp.store.samples.coding import decode, encode, with_recorded
from levity.ocpp.store.samples.elements import coded_of, key_of, moment_of
from levity.ocpp.store.samples.forgetting import rewrite_values
from levity.ocpp.store.samples.plotting import plotted
from levity.ocpp.store.samples.reading import of_transaction
from levity.ocpp.store.samples.shapes import Names
from tests.ocpp.store.packed_once import METER_VALUES, NAMES, SIGNED, TAG, packed

TRACE = packed("trace", 1)


def test_meter_values_packed_once_come_back_exactly() -> None:
    assert decode(TRACE).coded() == METER_VALUES


def test_what_is_written_is_of_version_2() -> None:
    changed = with_recorded(TRACE, {(5, 1): "16.000000"})
    assert (encode(METER_VALUES)[0], changed[0]) == (2, 2)
    assert decode(changed).coded() == [
        replace(each, recorded={1: "16.000000"}) if number == 5 else each
        for number, each in enumerate(METER_VALUES)
    ]


def test_a_damaged_trace_packed_once_is_told_from_a_whole_one() -> None:
    for data in (TRACE[:-9], b"\x02" + TRACE[1:], b"\x03" + encode(METER_VALUES)[1:]):
        with pytest.raises(ValueError, match="trace"):
            decode(data)


@pytest.fixture
def session() -> int:
    """Its only trace is of version 1."""
    charger = ChargePoint.objects.create(identity="CP1")
    for pk, names in NAMES.items():
        SampleShape.objects.create(id=pk, names=orjson.dumps(names).decode())
    SampleTrace.objects.create(
        charge_point=charger,
        connector=1,
        transaction_id=4711,
        first_at=moment_of(METER_VALUES[0].sampled_at),
        last_at=moment_of(METER_VALUES[-1].sampled_at),
        elements=len(METER_VALUES),
        samples=1 + 3 * (len(METER_VALUES) - 1),
        data=TRACE,
    )
    return 4711


def version() -> int:
    return bytes(SampleTrace.objects.get().data)[0]


@pytest.mark.django_db
def test_samples_packed_once_have_their_names_units_and_values(session: int) -> None:
    elements = of_transaction(session)
    assert [coded_of(each) for each in elements] == METER_VALUES
    assert [each.shape.names for each in elements[:2]] == [
        tuple(Names(*each) for each in names) for names in NAMES.values()
    ]
    signed, register, *_ = [sample for each in elements for sample in each.samples()]
    assert (signed.raw_value, signed.format, signed.context) == (
        SIGNED,
        "SignedData",
        "Transaction.Begin",
    )
    assert (register.value, register.unit, register.location) == (Decimal(1121), "Wh", "Outlet")


@pytest.mark.django_db
def test_a_trace_packed_once_is_plotted_as_one_of_today(session: int) -> None:
    def plot() -> list[object]:
        return list(plotted(session, lambda names: names.unit in {"Wh", "A"}, 1_000))

    before = plot()
    assert len(before) == 2 * 40 + 1
    SampleTrace.objects.update(data=encode(METER_VALUES))
    assert plot() == before


@pytest.mark.django_db
def test_one_value_of_a_trace_packed_once_is_corrected(session: int) -> None:
    one = METER_VALUES[20]
    charger = ChargePoint.objects.get().pk
    record({At(key_of(one.id, 0), charger, moment_of(one.sampled_at)): Decimal("3500.5")})
    assert version() == 2
    corrected = [each for each in of_transaction(session) if each.id == one.id]
    assert [each.value(0) for each in corrected] == [Decimal("3500.5")]
    assert [coded_of(each) for each in of_transaction(session)] == [
        replace(each, recorded={0: "3500.5"}) if each is one else each for each in METER_VALUES
    ]


@pytest.mark.django_db
def test_a_person_is_forgotten_in_a_trace_packed_once(session: int) -> None:
    def forgotten(text: str) -> str:
        return text.replace(TAG, "somebody")

    assert rewrite_values(session, forgotten, dry_run=False) == 1
    assert version() == 2
    first, *others = [coded_of(each) for each in of_transaction(session)]
    assert first == replace(METER_VALUES[0], values=(forgotten(SIGNED),))
    assert others == METER_VALUES[1:]
