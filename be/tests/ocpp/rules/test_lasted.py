"""How long a session lasted bounds its energy, and not every clock tells that.

5 MWh in 0 s were *high* and priced: the bound of power was void for two ends of one second, and
56 years of a clock that begins in 1970 allow for anything.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.ocpp.ledger_chargers import Charger, at, books

FIGURES = ("energy", "confidence", "flags")
ZERO = datetime.fromisoformat("1970-01-01T00:00:30Z")


@pytest.mark.parametrize("wh", [700, 15_156, 800_000, 5_000_000])
def test_more_than_can_flow_in_no_time(charger: Charger, wh: int) -> None:
    started = charger.started(at(0), 0, when=at(0))
    charger.stop(started, at(0), wh, when=at(0))
    assert books(started, *FIGURES) == (Decimal(wh), "low", "implausible-energy")


def test_what_a_meter_rises_by_while_a_car_refuses_is_fine(charger: Charger) -> None:
    started = charger.started(at(0), 5000, when=at(0))
    charger.stop(started, at(0), 5010, when=at(0))
    assert books(started, *FIGURES) == (Decimal(10), "high", "")


def test_a_clock_that_stands_still_says_nothing_and_ours_does(charger: Charger) -> None:
    """An hour by our clock: 7 kWh can flow in it, and 800 can't."""
    for wh, confidence, flags in ((7000, "high", ""), (800_000, "low", " implausible-energy")):
        started = charger.started(ZERO, 0, when=at(0))
        charger.stop(started, ZERO, wh, when=at(60))
        unset = "start-clock-unset stop-clock-unset"
        assert books(started, *FIGURES) == (Decimal(wh), confidence, unset + flags)
        charger = Charger("another")


@pytest.mark.parametrize(
    ("begun", "ended"),
    [
        (ZERO, at(40)),
        (at(0), at(40) + timedelta(days=1)),
        # The date of a firmware, nine months ago: a charger may be offline for a while, not so.
        (at(0) - timedelta(days=270), at(40)),
    ],
)
@pytest.mark.parametrize("wh", [800_000, 6_000_000])
def test_a_clock_that_was_set_or_lies_ahead_is_no_room_for_a_meters_life(
    charger: Charger, begun: datetime, ended: datetime, wh: int
) -> None:
    started = charger.started(begun, 100_000, when=at(0))
    charger.stop(started, ended, 100_000 + wh, when=at(40))
    energy, confidence, flags = books(started, *FIGURES)
    assert (energy, confidence) == (Decimal(wh), "low")
    assert "implausible-energy" in flags


def test_a_clock_that_was_set_within_may_hide_hours(charger: Charger) -> None:
    """60 kWh in 40 minutes: it may have begun long before its start came. A person looks."""
    started = charger.started(ZERO, 100_000, when=at(0))
    charger.stop(started, at(40), 160_000, when=at(40))
    flags = "start-clock-unset duration-unknown"
    assert books(started, *FIGURES) == (Decimal(60_000), "medium", flags)


def test_what_can_have_flowed_since_it_came_is_sure_all_the_same(charger: Charger) -> None:
    started = charger.started(ZERO, 100_000, when=at(0))
    charger.stop(started, at(40), 104_000, when=at(40))
    assert books(started, *FIGURES) == (Decimal(4000), "high", "start-clock-unset")


def test_months_of_a_wrong_date_are_no_reason_to_think_of_kwh(charger: Charger) -> None:
    started = charger.started(at(0) - timedelta(days=270), 100_000, when=at(0))
    charger.stop(started, at(40), 103_000, when=at(40))
    assert books(started, *FIGURES) == (Decimal(3000), "high", "")


def test_sixty_hours_offline_are_what_the_charger_says(charger: Charger) -> None:
    charger.boot(at(-1))
    started = charger.started(at(-3600), 1_000_000, when=at(0))
    charger.stop(started, at(-10), 1_200_000, when=at(0))
    assert books(started, *FIGURES)[:2] == (Decimal(200_000), "high")


def test_a_stop_that_lies_ahead_is_now_at_the_latest(charger: Charger) -> None:
    """200 kWh can flow in a day; in the 40 minutes that have passed only at a DC charger, and 240
    nowhere in 20."""
    for minutes, wh, confidence, flag in (
        (40, 200_000, "medium", "above-ac"),
        (20, 240_000, "low", "implausible-energy"),
    ):
        started = charger.started(at(0), 100_000, when=at(0))
        ended = at(minutes) + timedelta(days=1)
        charger.stop(started, ended, 100_000 + wh, when=at(minutes))
        flags = f"stop-clock-ahead {flag}"
        assert books(started, *FIGURES) == (Decimal(wh), confidence, flags)
        charger = Charger("another")
