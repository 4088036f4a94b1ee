"""A charger that never says the same twice, or much at once, costs little more than another."""

from datetime import timedelta
from typing import Any

import pytest

from levity.ocpp.effects import Sample
from levity.ocpp.models import MeterValue, SampleTrace
from levity.ocpp.store.samples import moving, shapes
from levity.ocpp.store.samples.elements import samples_of
from levity.ocpp.store.samples.reading import of_transaction
from tests.ocpp.charger import NOW, CentralSystem, Charger, at

pytestmark = pytest.mark.django_db
KEPT = timedelta(days=2)
TRIES = 1_000
A_SHAPE = 100


def odd(number: int) -> list[Sample]:
    return [Sample(NOW, f"word {number}", "1", None, f"{at}") for at in range(A_SHAPE)]


def test_shapes_in_memory_are_bounded_by_their_names() -> None:
    """4,096 of a hundred names each took 150 MB, and as much again where they were read."""
    found = [shapes.shape_of(odd(number)) for number in range(TRIES)]
    shapes.store_shapes(found)
    assert shapes.shapes_of([shape.id for shape in found]) == {shape.id: shape for shape in found}
    for known in (shapes._by_names, shapes._by_id):
        assert 0 < sum(len(shape.names) for shape in known.values()) <= shapes.MOST_NAMES
    assert shapes.shape_of(odd(0)) == found[0]


@pytest.mark.parametrize(("values", "text"), [(100, "7"), (1, "5A" * 4_000)])
def test_steps_and_traces_are_bounded_where_chargers_say_much(values: int, text: str) -> None:
    """500 MeterValues of a hundred samples took a second in one step."""
    system = CentralSystem()
    charger = system.connect(Charger("CP1"))
    number = system.start(charger)
    for minute in range(24):
        charger.now = 60.0 * minute
        said: list[dict[str, Any]] = [
            {
                "timestamp": at(charger.now + second).isoformat(),
                "sampledValue": [{"value": text, "format": "SignedData"}] * values,
            }
            for second in range(6)
        ]
        system.take(
            charger.calls(
                "MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": said}
            )
        )
    system.take(charger.stops(number))
    before = samples_of(of_transaction(number))
    assert len(before) == 24 * 6 * values
    mover = moving.Mover()
    steps = 0
    while mover.step(NOW + 15 * KEPT, KEPT):
        steps += 1
    assert not MeterValue.objects.exists()
    assert samples_of(of_transaction(number)) == before
    length = len(text) * len(before)
    assert steps >= max(
        len(before) / moving.VALUES_AT_ONCE, length / (moving.CHARACTERS_AT_ONCE + len(text))
    )
    for trace in SampleTrace.objects.all():
        elements = [each for each in of_transaction(number) if each.trace == trace.pk]
        assert trace.samples <= moving.FULL_VALUES
        assert sum(len(each) for element in elements for each in element.values) <= (
            moving.FULL_CHARACTERS
        )
