"""Samples of connector 0, the charger as a whole, while a session runs (OCPP 1.6, 4.7)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.kept import Samples
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

pytestmark = pytest.mark.django_db


@pytest.fixture
def charger() -> Charger:
    """On line at twelve, with one connector."""
    charger = Charger()
    for number in (0, 1):
        charger.status("Available", at(-5), connectorId=number)
    return charger


@pytest.mark.parametrize("named", [None, 0, -1])
def test_the_samples_of_connector_0_are_the_sessions_where_there_is_one_connector(
    charger: Charger, named: Any
) -> None:
    """No transactionId, connectorId 0: the session showed no energy until its stop."""
    running = charger.started(at(0), 1000)
    for minute in (5, 10, 15):
        charger.meter(named, meter_value(at(minute), 1000 + 100 * minute), connectorId=0)
    assert books(running, "energy", "flags") == (Decimal(1500), "")
    assert set(Samples.objects.values_list("transaction", flat=True)) == {running}
    charger.boot(at(20))
    assert books(running, "energy", "meter_stop") == (Decimal(1500), Decimal(2500))


def test_the_samples_of_connector_0_go_on_with_what_a_boot_interrupted(charger: Charger) -> None:
    """As those of connector 1 do."""
    running = charger.started(at(0), 501_000)
    charger.meter(None, meter_value(at(5), 501_500), connectorId=0, when=at(5))
    charger.boot(at(6))
    charger.meter(None, meter_value(at(10), 502_000), connectorId=0, when=at(10))
    assert books(running, "state", "energy", "flags") == ("active", Decimal(1000), "continued")


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_two_hours_off_changes_nothing(charger: Charger, hours: float) -> None:
    """Ahead or behind, by itself or against the start's."""
    off = 60 * hours
    running = charger.started(at(off), 1000, when=at(0))
    charger.meter(None, meter_value(at(off + 5), 1500), connectorId=0, when=at(5))
    charger.meter(None, meter_value(at(10), 2000), connectorId=0, when=at(10))
    assert books(running, "energy") == Decimal(1000)


def test_a_meter_that_counts_from_the_sessions_start_on_connector_0(charger: Charger) -> None:
    """Grizzl-E 5.x counts so."""
    running = charger.started(at(0), 500_000)
    for minute in (5, 10):
        charger.meter(None, meter_value(at(minute), 100 * minute), connectorId=0, when=at(minute))
    assert books(running, "energy", "flags") == (Decimal(1000), "session-register")


def test_the_sum_of_several_connectors_is_no_sessions(charger: Charger) -> None:
    """Connector 0 is the main meter there, whatever its register."""
    charger.status("Available", at(-5), connectorId=2)
    running = charger.started(at(0), 1000)
    charger.meter(None, meter_value(at(5), 1500), connectorId=0, when=at(5))
    assert books(running, "energy") is None
    assert Samples.objects.get().transaction_id is None


@pytest.mark.parametrize("wh", [90_000_000, 0.5 * 10**6])
def test_a_main_meter_beside_the_only_connector_is_another_meter(
    charger: Charger, wh: float
) -> None:
    """Its register does not go on from the session's."""
    running = charger.started(at(0), 400_000)
    charger.meter(None, meter_value(at(5), 401_000), when=at(5))
    charger.meter(None, meter_value(at(6), wh), connectorId=0, when=at(6))
    charger.meter(None, meter_value(at(10), 402_000), when=at(10))
    assert books(running, "energy", "flags") == (Decimal(2000), "")


def test_what_connector_0_kept_from_before_the_session_is_not_its(charger: Charger) -> None:
    """Dated before its start."""
    running = charger.started(at(0), 1000)
    charger.meter(None, meter_value(at(-60), 1000), connectorId=0, when=at(5))
    assert books(running, "energy") is None


def test_a_sample_without_its_connector_is_the_only_ones(charger: Charger) -> None:
    """connectorId is missing."""
    running = charger.started(at(0), 1000)
    charger.call("MeterValues", {"meterValue": [meter_value(at(5), 1500)]}, at(5))
    assert books(running, "energy") == Decimal(500)
