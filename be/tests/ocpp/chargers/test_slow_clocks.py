"""Is it of now, or was it kept while the charger was offline? The lag of its own clock tells.

evcc#14609: an EVBox whose clock is 49 minutes slow got no automatic start, ever.
"""

from datetime import datetime, timedelta

import pytest

from levity.ocpp.chargers.clocks import Lag
from levity.ocpp.models import ChargePoint, Command
from tests.ocpp.charger import NOW
from tests.ocpp.ledger_chargers import Charger, iso

pytestmark = pytest.mark.django_db


def late(seconds: float) -> datetime:
    """So many seconds later."""
    return NOW + timedelta(seconds=seconds)


def starts() -> int:
    """How many automatic starts were asked for."""
    return Command.objects.filter(source="AutoRemoteStart").count()


class Slow:
    """A charger whose dates lie back by so many seconds."""

    def __init__(self, charger: Charger, lag: float) -> None:
        self.charger, self.lag = charger, lag

    def shows(self, status: str, at: float, connector: int = 1) -> None:
        """StatusNotification, dated by its own clock."""
        said = iso(late(at - self.lag))
        self.charger.status(status, late(at), connectorId=connector, timestamp=said)


@pytest.mark.parametrize(
    "minutes", [11, 25, 49, 49.08, 85, 169, 210, 345, 719, 60 * 30, -51, -9, 0]
)
def test_a_clock_that_is_slow_by_whatever_starts_like_any_other(
    charger: Charger, minutes: float
) -> None:
    """c21, c42, Newfoundland, Nepal: what came before had the same lag."""
    slow = Slow(charger, minutes * 60)
    slow.shows("Available", 0)
    slow.shows("Available", 0.2, connector=2)
    slow.shows("Preparing", 0.4, connector=2)
    assert starts() == 1
    slow.shows("Available", 9000, connector=2)
    slow.shows("Preparing", 9001, connector=2)
    assert starts() == 2


@pytest.mark.parametrize("hours", [1, 2.5, 3.5, 9.5])
def test_the_first_message_of_a_clock_in_another_zone_is_known_by_its_whole_hours(
    charger: Charger, hours: float
) -> None:
    """steve#136; Newfoundland's local time labelled Z."""
    Slow(charger, hours * 3600 + 20).shows("Preparing", 0)
    assert starts() == 1


@pytest.mark.parametrize("minutes", [11, 49, 60, 210, 72 * 60])
def test_a_message_that_was_kept_for_so_long_starts_nothing(
    charger: Charger, minutes: float
) -> None:
    """The clock is known to be right: whole hours are an outage, too."""
    Slow(charger, 0).shows("Available", -8000)
    Slow(charger, minutes * 60).shows("Preparing", 0)
    assert starts() == 0


def test_a_backlog_is_dated_as_things_happened_and_comes_at_once(charger: Charger) -> None:
    """Three cars while the line was cut; the last one left, too."""
    Slow(charger, 0).shows("Available", -8000)
    for number, (minutes, status) in enumerate(
        [(70, "Preparing"), (60, "Available"), (50, "Preparing"), (20, "Available")]
    ):
        Slow(charger, minutes * 60).shows(status, number * 0.1)
    assert starts() == 0
    Slow(charger, 0).shows("Preparing", 5)
    assert starts() == 1


def test_a_slow_clock_has_backlogs_of_its_own(charger: Charger) -> None:
    """49 minutes slow and an hour offline: what is 109 minutes old is of before, 49 is now."""
    slow = Slow(charger, 49 * 60)
    slow.shows("Available", 0)
    slow.shows("Available", 1, connector=2)
    Slow(charger, 109 * 60).shows("Preparing", 5000)
    assert starts() == 0
    slow.shows("Available", 5001)
    slow.shows("Preparing", 5002)
    assert starts() == 1


def test_a_clock_that_becomes_slow_is_believed_from_the_second_message_on(
    charger: Charger,
) -> None:
    """A flat battery: right for months, then 49 minutes behind; and set again some day."""
    Slow(charger, 0).shows("Available", 0)
    slow = Slow(charger, 49 * 60)
    slow.shows("Preparing", 100)
    assert starts() == 0
    slow.shows("Available", 200)
    slow.shows("Preparing", 300)
    assert starts() == 1
    Slow(charger, 0).shows("Available", 400)
    Slow(charger, 49 * 60).shows("Preparing", 500)
    assert starts() == 1


def test_the_same_words_twice_are_no_clock(charger: Charger) -> None:
    """After a reconnect: since when it is what it is. The second one comes five seconds later."""
    Slow(charger, 0).shows("Available", -8000)
    said = iso(late(-3000))
    charger.status("Preparing", late(0), timestamp=said)
    charger.status("Preparing", late(5), timestamp=said)
    assert starts() == 0


def test_the_lag_is_written_when_it_changes(charger: Charger) -> None:
    """Not with every frame."""
    slow = Slow(charger, 49 * 60)
    for second in range(3):
        slow.shows("Available", second)
    row = ChargePoint.objects.get()
    assert (row.clock_lag, row.clock_lag_seen) == (49 * 60, 49 * 60)
    lag = Lag(2940, 2940)
    assert lag.after(late(-2945), NOW) == lag


def test_a_charger_that_gives_no_dates_tells_nothing_of_its_clock(charger: Charger) -> None:
    """Nor does one that was never set."""
    charger.status("Available", NOW)
    charger.status("Available", NOW, timestamp="1970-01-01T00:00:05Z")
    row = ChargePoint.objects.get()
    assert (row.clock_lag, row.clock_lag_seen) == (None, None)
