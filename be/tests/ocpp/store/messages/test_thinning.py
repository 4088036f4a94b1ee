"""What retention leaves: what is young, and what sessions are made of."""

from datetime import timedelta
from typing import Any

import pytest

from levity.ocpp.conf import setting
from levity.ocpp.decisions.retention import prune
from levity.ocpp.models import ChargePoint, Message, MessageBlock
from levity.ocpp.store.messages.reading import in_order
from levity.ocpp.store.messages.thinning import of_sessions
from levity.ocpp.store.messages.wanted import Wanted
from tests.ocpp.charger import NOW, CentralSystem, Charger, at, wire
from tests.ocpp.store.messages.month import END, month, move_all

pytestmark = pytest.mark.django_db
LEDGER = ("StartTransaction", "StopTransaction")


def of(charger: ChargePoint) -> list[Any]:
    return list(in_order(charger.pk, Wanted()))


def is_of_a_session(item: Any) -> bool:
    return item.action in LEDGER or (item.action == "MeterValues" and item.transaction is not None)


@pytest.mark.parametrize("moved", [False, True])
def test_what_sessions_are_made_of_outlives_the_rest(settings: Any, *, moved: bool) -> None:
    charger, other = month(days=8, a_day=10)
    if moved:
        move_all()
    settings.OCPP_MESSAGE_RETENTION_DAYS = 26
    before, oldest = of(charger), END - timedelta(days=26)
    others = len(of(other))
    expected = [item for item in before if item.received_at >= oldest or is_of_a_session(item)]
    assert len(expected) < len(before)
    deleted = prune(END)
    assert of(charger) == expected
    assert deleted["messages"] == len(before) - len(expected) + others - len(of(other))
    assert prune(END)["messages"] == 0
    assert of(charger) == expected
    # And a week later.
    prune(END + timedelta(days=7))
    assert of(charger) == [item for item in before if is_of_a_session(item)]
    assert set(MessageBlock.objects.values_list("only_ledger", flat=True)) == {True}
    assert of(other)


def test_the_ledger_goes_after_its_years_or_never(settings: Any) -> None:
    charger, _ = month(days=2, a_day=8)
    prune(END + timedelta(days=100))
    kept = of(charger)
    assert kept
    years = setting("OCPP_LEDGER_FRAMES_YEARS")
    settings.OCPP_LEDGER_FRAMES_YEARS = 0
    prune(END + timedelta(days=400 * years))
    assert of(charger) == kept
    settings.OCPP_LEDGER_FRAMES_YEARS = years
    prune(END + timedelta(days=300 * years))
    assert of(charger) == kept
    assert prune(END + timedelta(days=400 * years))["messages"] == 2 * len(kept)
    assert of(charger) == []


def test_samples_that_joined_a_session_later_are_kept_and_others_are_not() -> None:
    system = CentralSystem()
    charger = system.connect(Charger("CP1"))
    number = system.start(charger)
    charger.now = 600.0
    value = [{"timestamp": at(600).isoformat(), "sampledValue": [{"value": "1500"}]}]
    # Without a number, on a connector where a session runs: it joins that.
    system.take(charger.calls("MeterValues", {"connectorId": 1, "meterValue": value}))
    charger.now = 700.0
    value = [{"timestamp": at(700).isoformat(), "sampledValue": [{"value": "7"}]}]
    system.take(charger.calls("MeterValues", {"connectorId": 0, "meterValue": value}))
    charger.now = 800.0
    system.take(charger.stops(number))
    row = ChargePoint.objects.get()
    there = of(row)
    rows = [item for item in there if item.action == "MeterValues"]
    kept = of_sessions(row.pk, there)
    assert [item.id in kept for item in rows] == [True, False]
    prune(NOW + timedelta(days=91))
    assert [item.action for item in of(row)] == [
        "StartTransaction",
        "MeterValues",
        "StopTransaction",
    ]
    assert not Message.objects.exists()


def test_samples_that_came_before_their_session_are_kept() -> None:
    """They name none, and join it when its start is told, late."""
    system = CentralSystem()
    charger = system.connect(Charger("CP1"))
    charger.now = 100.0
    value = [{"timestamp": wire(100), "sampledValue": [{"value": "1500"}]}]
    system.take(charger.calls("MeterValues", {"connectorId": 1, "meterValue": value}))
    charger.now = 200.0
    system.start(charger, timestamp=wire(50))
    row = ChargePoint.objects.get()
    there = of(row)
    (samples,) = (item for item in there if item.action == "MeterValues")
    assert samples.transaction is None
    assert samples.id in of_sessions(row.pk, there)


def test_a_damaged_block_goes_with_the_ledger() -> None:
    charger, _ = month(days=1, a_day=8)
    move_all()
    MessageBlock.objects.filter(charge_point=charger).update(frames=b"")
    prune(END + timedelta(days=100))
    assert MessageBlock.objects.filter(charge_point=charger, only_ledger=True).exists()
    prune(END + timedelta(days=4000))
    assert not MessageBlock.objects.exists()
