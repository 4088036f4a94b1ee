"""Our own clock is set while chargers are on line."""

from datetime import timedelta

from levity.ocpp.worker.housekeeping import ClockSteps
from tests.ocpp.ledger_chargers import NOW, Charger, at


def test_presence_does_not_flap_when_our_clock_is_set() -> None:
    """D-20: forward by an hour; back is no silence of anybody's."""
    steps = ClockSteps()
    assert steps.is_calm(NOW, 0)
    assert steps.is_calm(at(1), 60)
    assert not steps.is_calm(at(62), 120)
    assert not steps.is_calm(at(62) + timedelta(seconds=599), 719)
    assert steps.is_calm(at(62) + timedelta(seconds=600), 720)
    assert steps.is_calm(at(0), 730)


def test_the_time_that_chargers_are_told_is_that_of_the_edge(charger: Charger) -> None:
    """D-20: which never goes back (test_wall.py)."""
    assert charger.call("Heartbeat", {}, at(5)) == {"currentTime": "2026-03-09T12:05:00.000Z"}
    assert charger.boot(at(6))["currentTime"] == "2026-03-09T12:06:00.000Z"
