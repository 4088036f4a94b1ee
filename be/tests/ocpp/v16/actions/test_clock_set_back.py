"""A charger whose clock is set back within a session, as the session's own samples show."""

from datetime import timedelta
from decimal import Decimal

import pytest

from levity.ocpp.models import QuarantinedMessage, Transaction
from levity.ocpp.rules.flags import HARMLESS, class_of
from tests.ocpp.ledger_chargers import Charger, at, books, iso, meter_value

SHOWN = ("state", "energy", "confidence", "flags", "stopped_at")


def _set_back(charger: Charger, back: timedelta) -> int:
    """100 Wh each other minute until minute 18; the clock is set back after minute 8."""
    started = charger.started(at(0), 100_000, idTag="CAROL")
    for number in range(1, 10):
        when = at(2 * number)
        said = when if number < 5 else when - back
        charger.meter(started, meter_value(said, 100_000 + 100 * number), when=when)
    return started


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1)])
@pytest.mark.parametrize("tag", [{}, {"idTag": "CAROL"}])
def test_its_own_stop_counts_by_the_time_of_its_arrival(
    charger: Charger, back: timedelta, tag: dict[str, str]
) -> None:
    """It was refused, "meter and time do not match", and somebody else's ended the session."""
    started = _set_back(charger, back)
    charger.stop(started, at(19) - back, 100_920, when=at(19), **tag)
    expected = ("stopped", Decimal(920), "high", "no-stop-time", at(19))
    assert books(started, *SHOWN) == expected
    assert class_of("no-stop-time", "high") == HARMLESS
    assert not QuarantinedMessage.objects.exists()
    # Said again, it is on the books.
    charger.stop(started, at(20) - back, 100_920, when=at(20), **tag)
    assert books(started, *SHOWN) == expected


def test_a_stop_by_another_clock_than_the_samples_is_still_of_a_session_before(
    charger: Charger,
) -> None:
    """A day before them: no clock of the session says so."""
    started = _set_back(charger, timedelta(hours=1))
    charger.stop(started, at(19) - timedelta(days=1), 100_920, when=at(19), idTag="BOB")
    assert books(started, "state") == "active"


def test_samples_of_a_session_before_do_not_show_a_clock_that_was_set_back(
    charger: Charger,
) -> None:
    """They come with this id, dated before it, and below its start."""
    started = charger.started(at(0), 100_000, idTag="CAROL")
    said = at(5) - timedelta(hours=1)
    charger.meter(started, meter_value(said, 99_900), when=at(5))
    stop = {"transactionId": started, "meterStop": 99_950, "timestamp": iso(at(-50))}
    charger.call("StopTransaction", stop, at(10))
    assert Transaction.objects.get().state == "active"
