"""A connector that charges with no session: FIRMWARE.md 3, and those around it."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.monitoring.alerts.conditions.without_session import charging_without_session
from levity.monitoring.alerts.raise_and_end import look, record
from levity.monitoring.models import Alert
from levity.ocpp.models import ChargePoint, Connector, Site
from tests.ocpp.clock_unset import play
from tests.ocpp.ledger_chargers import NOW, Charger, at, meter_value

pytestmark = pytest.mark.django_db


@pytest.fixture
def charger(db: None) -> Charger:
    return Charger()


def summaries(moment: datetime) -> list[str]:
    return [finding.summary for finding in charging_without_session(moment)]


def rising(charger: Charger, first: float, last: float, step: float, wh: float) -> None:
    minute, value = first, 5000.0
    while minute <= last:
        charger.meter(None, meter_value(at(minute), int(value)), when=at(minute))
        minute, value = minute + step, value + wh


def test_nine_samples_and_no_start() -> None:
    """Captured: 398 to 520 Wh, and no StartTransaction."""
    play(NOW)
    ChargePoint.objects.update(site=Site.objects.create(name="g", time_zone="Europe/Berlin"))
    [finding] = charging_without_session(NOW)
    assert finding.summary == "connector 1 of MO16: 122 Wh outside sessions since 12:59"
    assert finding.detail == "samples outside sessions: 398 to 520 Wh"
    assert finding.charge_point == ChargePoint.objects.get().pk
    assert finding.site == Site.objects.get().pk
    record(look(NOW), [], NOW)
    later = charging_without_session(NOW + timedelta(hours=15))
    assert later[0].summary.endswith("122 Wh outside sessions since 2026-03-09 12:59")
    assert later[0].key == finding.key
    # A day after it is over.
    assert charging_without_session(NOW + timedelta(hours=25)) == []


def test_it_is_over_when_a_session_runs_and_does_not_come_back(charger: Charger) -> None:
    rising(charger, 0, 30, 5, 100)
    assert summaries(at(31)) == ["connector 1 of CP1: 600 Wh outside sessions since 12:00"]
    started = charger.started(at(40), 5600)
    assert summaries(at(41)) == []
    charger.stop(started, at(50), 6600)
    assert summaries(at(51)) == []


def test_an_alert_is_raised_once_and_ends(charger: Charger) -> None:
    rising(charger, 0, 30, 5, 100)
    for minute in (31, 32):
        record(look(at(minute)), [], at(minute))
    [alert] = Alert.objects.filter(kind="charging-without-session")
    assert (alert.ended_at, alert.severity) == (None, "warning")
    charger.start(at(40), 5600)
    record(look(at(41)), [], at(41))
    alert.refresh_from_db()
    assert alert.ended_at == at(41)


def test_what_a_charger_draws_for_itself_is_no_alert(charger: Charger) -> None:
    """5 W, in a sample every quarter of an hour: 120 Wh a day."""
    rising(charger, -20 * 60, 0, 15, 1.25)
    assert summaries(at(1)) == []


def test_less_than_100_wh_is_no_alert(charger: Charger) -> None:
    rising(charger, 0, 9, 1, 10)
    assert summaries(at(10)) == []
    charger.meter(None, meter_value(at(10), 5100), when=at(10))
    assert summaries(at(11)) == ["connector 1 of CP1: 100 Wh outside sessions since 12:00"]


def test_a_connector_that_says_it_charges(charger: Charger) -> None:
    charger.status("Charging", at(0))
    assert summaries(at(4)) == []
    assert summaries(at(6)) == ["connector 1 of CP1 reports Charging without a session since 12:00"]
    started = charger.started(at(7), 1000)
    assert summaries(at(8)) == []
    charger.stop(started, at(9), 2000)
    # Most say so for a moment after their stop.
    assert summaries(at(10)) == []
    assert summaries(at(15)) == [
        "connector 1 of CP1 reports Charging without a session since 12:09"
    ]
    charger.status("Available", at(16))
    assert summaries(at(17)) == []


def test_not_of_those_that_are_away_or_retired(charger: Charger) -> None:
    charger.status("Charging", at(0))
    connected = ChargePoint.objects.get().connection
    ChargePoint.objects.update(connection=None)
    assert summaries(at(10)) == []
    ChargePoint.objects.update(connection=connected)
    assert len(summaries(at(10))) == 1
    ChargePoint.objects.update(retired_at=NOW)
    assert summaries(at(10)) == []


def test_not_of_the_main_meter(charger: Charger) -> None:
    for minute in range(5):
        charger.meter(None, meter_value(at(minute), 1000 * minute), connectorId=0)
    assert summaries(at(10)) == []


def test_as_many_statements_for_many(charger: Charger) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            summaries(at(31))
        return len(queries)

    rising(charger, 0, 30, 5, 100)
    asked()
    one = asked()
    assert one <= 8
    for number in range(2, 12):
        rising(Charger(f"CP{number}"), 0, 30, 5, 100)
    Connector.objects.update(status="Charging", status_since=at(0))
    assert asked() == one
    assert len(summaries(at(31))) == 11
