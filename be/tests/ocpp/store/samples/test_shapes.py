"""What this process knows of the table of shapes is believed for a while only."""

import pytest

from levity.ocpp.models import SampleShape
from levity.ocpp.store.samples import shapes
from levity.ocpp.testing import CentralSystem, Charger

pytestmark = pytest.mark.django_db(transaction=True)


def test_shapes_are_stored_again_under_a_worker_whose_database_was_restored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that went on had the shape in mind, and the restored table had not."""
    clock = [1000.0]
    monkeypatch.setattr(shapes, "monotonic", lambda: clock[0])
    monkeypatch.setattr(shapes, "_believed_until", [0.0])
    system, charger = CentralSystem(), Charger("CP1")
    system.connect(charger)
    system.take(charger.boots())
    transaction = system.start(charger)
    system.take(charger.measures(transaction, 2000))
    [before] = SampleShape.objects.values_list("id", "names")

    SampleShape.objects.all().delete()
    clock[0] += shapes.BELIEVED
    system.take(charger.measures(transaction, 2100, "2026-11-22T12:05:00Z"))
    assert SampleShape.objects.values_list("id", "names").get() == before
