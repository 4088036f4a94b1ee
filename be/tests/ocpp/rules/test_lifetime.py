"""A register of the meter's total that begins anew within a session, without a boot."""

from decimal import Decimal

from levity.ocpp.rules.flags import LOOK, class_of
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

SHOWN = ("energy", "energy_source", "confidence", "flags")


def _session(
    charger: Charger, minute: float, start: int, samples: tuple[int, ...], stop: int
) -> int:
    """With a sample each quarter of an hour."""
    started = charger.started(at(minute), start)
    for number, wh in enumerate(samples, start=1):
        when = at(minute + 15 * number)
        charger.meter(started, meter_value(when, wh), when=when)
    charger.stop(started, at(minute + 15 * len(samples) + 10), stop)
    return started


def test_a_meter_that_begins_anew_is_none_that_counts_sessions(charger: Charger) -> None:
    """3,000 Wh before it began anew are lost; it was billed short, as `session-register`."""
    _session(charger, 0, 100_000, (101_250, 102_500), 103_000)
    started = _session(charger, 180, 103_000, (1000,), 2000)
    assert books(started, *SHOWN) == (Decimal(2000), "samples", "low", "register-reset")
    assert class_of("register-reset", "low") == LOOK


def test_a_register_that_has_always_counted_sessions_still_does(charger: Charger) -> None:
    for minute in (0, 180):
        started = _session(charger, minute, 103_000 + 20 * int(minute), (1000, 2000), 2500)
        expected = (Decimal(2500), "session-register", "medium", "session-register")
        assert books(started, *SHOWN) == expected


def test_the_first_session_of_a_connector_shows_no_history(charger: Charger) -> None:
    started = _session(charger, 0, 103_000, (1000,), 2000)
    expected = (Decimal(2000), "session-register", "medium", "session-register")
    assert books(started, *SHOWN) == expected
