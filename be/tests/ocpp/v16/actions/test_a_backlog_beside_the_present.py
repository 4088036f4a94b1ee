"""A charger that tells a backlog and the present in turns, and names no session in the present."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import ChargePoint
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

pytestmark = pytest.mark.django_db


@pytest.fixture
def charger() -> Charger:
    """On line at twelve."""
    return Charger()


def told(charger: Charger, named: int, *samples: tuple[float, int]) -> None:
    """Out of the queue, two seconds each: (minute, Wh)."""
    for minute, wh in samples:
        when = charger.now + (at(2 / 60) - at(0))
        charger.meter(named, meter_value(at(minute), wh), when=when)


QUEUED = ((-79, 20), (-75, 107), (-70, 215), (-65, 323), (-60, 437))


def test_a_sample_of_the_present_is_not_of_the_session_that_is_being_told(
    charger: Charger,
) -> None:
    """699 Wh of 588, and its own stop waited for a person: its register counts each session."""
    started = charger.started(at(-80), 0, when=at(0), idTag="ANNA")
    told(charger, started, *QUEUED)
    charger.meter(-1, meter_value(at(1), 699), when=at(1))
    charger.stop(started, at(-50), 587, when=at(1.5))
    assert books(started, "state", "energy", "confidence") == ("stopped", Decimal(587), "high")


def test_nor_is_one_that_came_before_its_start_did(charger: Charger) -> None:
    charger.meter(-1, meter_value(at(-1), 655), when=at(-1))
    started = charger.started(at(-80), 0, when=at(0), idTag="ANNA")
    assert books(started, "energy", "meter_last") == (None, None)
    told(charger, started, *QUEUED)
    charger.stop(started, at(-50), 587, when=at(1.5))
    assert books(started, "state", "energy", "confidence") == ("stopped", Decimal(587), "high")


def test_a_session_that_is_told_up_to_now_goes_on_without_its_id(charger: Charger) -> None:
    started = charger.started(at(-80), 0, when=at(0), idTag="ANNA")
    told(charger, started, *QUEUED, (-40, 900), (-20, 1300), (-1, 1700))
    charger.meter(-1, meter_value(at(5), 1800), when=at(5))
    assert books(started, "state", "energy") == ("active", Decimal(1800))


def test_a_clock_that_is_set_in_the_session_is_no_backlog(charger: Charger) -> None:
    """It was 80 minutes behind, told what happened as it happened, and names no session."""
    started = charger.started(at(-80), 0, when=at(0), idTag="ANNA")
    for minute, wh in ((5, 20), (10, 107), (15, 215)):
        charger.meter(-1, meter_value(at(minute - 80), wh), when=at(minute))
    charger.meter(-1, meter_value(at(20), 323), when=at(20))
    assert books(started, "state", "energy") == ("active", Decimal(323))


@pytest.mark.parametrize("named", [-1, None])
def test_what_comes_late_by_minutes_joins_its_start_all_the_same(
    charger: Charger, named: Any
) -> None:
    charger.meter(named, meter_value(at(1), 1300), when=at(1))
    started = charger.started(at(0), 1000, when=at(2))
    assert books(started, "energy") == Decimal(300)


def test_the_first_sample_of_a_connector_that_names_the_session_of_another(
    charger: Charger,
) -> None:
    """Both registers count from 0; this one is below what the session that is named has shown."""
    ChargePoint.objects.update(quirk_overrides={"session_register": True})
    left = charger.started(at(0), 0, connectorId=2, idTag="ANNA")
    for minute, wh in ((0.3, 0), (1.3, 22), (2.3, 44)):
        charger.meter(left, meter_value(at(minute), wh), when=at(minute), connectorId=2)
    right = charger.started(at(2.4), 0, connectorId=4, idTag="BOB")
    charger.meter(left, meter_value(at(3), 17), when=at(3), connectorId=4)
    assert (books(right, "meter_last"), books(left, "meter_last")) == (17, 44)
