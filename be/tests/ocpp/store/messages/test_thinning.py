"""What retention leaves: what is young, and what sessions are made of."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from levity.ocpp.conf import setting
from levity.ocpp.decisions.quarantine import make_transaction
from levity.ocpp.decisions.quarantined_message import Session
from levity.ocpp.decisions.retention import prune
from levity.ocpp.models import (
    ChargePoint,
    Message,
    MessageBlock,
    QuarantinedMessage,
    Transaction,
)
from levity.ocpp.store.messages.keeping import locked, rewrite
from levity.ocpp.store.messages.reading import in_order
from levity.ocpp.store.messages.thinning import of_sessions
from levity.ocpp.store.messages.wanted import Wanted
from levity.ocpp.store.samples.moving import move_some as move_samples
from levity.ocpp.store.samples.reading import of_transaction
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


DAY = 86_400


def unplaced(days: tuple[float, ...], stop: float) -> tuple[QuarantinedMessage, ChargePoint]:
    """Samples of no session on these days, then the end of one whose beginning nobody told."""
    system = CentralSystem()
    charger = system.connect(Charger("CP1"))
    for day in days:
        charger.now = day * DAY
        value = [{"timestamp": at(charger.now).isoformat(), "sampledValue": [{"value": "1500"}]}]
        system.take(charger.calls("MeterValues", {"connectorId": 1, "meterValue": value}))
    charger.now = stop * DAY
    ends = {"transactionId": 777, "meterStop": 9000, "timestamp": at(charger.now).isoformat()}
    system.take(charger.calls("StopTransaction", ends))
    return QuarantinedMessage.objects.get(), ChargePoint.objects.get()


def decide(message: QuarantinedMessage) -> Transaction:
    return make_transaction(message, None, Session(1, "TAG", NOW, Decimal(1000)))


def frames_are_behind(session: Transaction, charger: ChargePoint) -> bool:
    samples = {element.received_at for element in of_transaction(session.pk)}
    assert samples
    return samples <= {item.received_at for item in of(charger)}


@pytest.mark.parametrize("moved", [False, True])
def test_frames_wait_as_long_as_the_person_who_decides_about_their_session(*, moved: bool) -> None:
    message, charger = unplaced((0.1, 0.2, 0.3), stop=0.4)
    if moved:
        move_samples(NOW + timedelta(days=9), 60.0, timedelta(days=2))
    prune(NOW + timedelta(days=100))
    assert frames_are_behind(decide(message), charger)
    prune(NOW + timedelta(days=300))
    assert frames_are_behind(Transaction.objects.get(), charger)


@pytest.mark.parametrize("moved", [False, True])
def test_frames_of_a_session_that_was_told_of_months_later_are_kept(*, moved: bool) -> None:
    message, charger = unplaced((1, 5, 20, 40, 60), stop=70)
    session = decide(message)
    if moved:
        move_samples(NOW + timedelta(days=79), 60.0, timedelta(days=2))
    for days in (95, 120, 200):
        prune(NOW + timedelta(days=days))
    assert frames_are_behind(session, charger)


def when_sessions_are_asked(do: Callable[[], object]) -> Callable[..., Any]:
    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "sampletrace" in sql and sql.startswith("SELECT"):
            do()
        return execute(sql, params, many, context)

    return wrapper


def old_loose() -> ChargePoint:
    """A block with samples of no session."""
    message, charger = unplaced((0.1, 0.2), stop=0.3)
    message.delete()
    move_all(NOW + timedelta(days=9))
    return charger


def test_sessions_are_asked_before_a_block_is_locked() -> None:
    """On SQLite chargers waited six seconds for each of a busy charge point's days."""
    old_loose()
    outside, found = len(connection.savepoint_ids), []
    asked = when_sessions_are_asked(lambda: found.append(len(connection.savepoint_ids)))
    with connection.execute_wrapper(asked):
        assert prune(NOW + timedelta(days=100))["messages"] == 2
    assert found == [outside]


def test_a_block_that_changes_while_it_is_looked_through_is_thinned_the_next_time() -> None:
    charger = old_loose()
    there = of(charger)

    def changes() -> None:
        [block] = locked(charge_point=charger)
        rewrite(block, [replace(item, error_description="late") for item in there])

    with connection.execute_wrapper(when_sessions_are_asked(changes)):
        assert prune(NOW + timedelta(days=100))["messages"] == 0
    assert [item.error_description for item in of(charger)] == ["late"] * 3
    assert prune(NOW + timedelta(days=100))["messages"] == 2
    assert [item.action for item in of(charger)] == ["StopTransaction"]
