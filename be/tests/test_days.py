"""Days begin when the clock of their place says so."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from levity.days import Days, midnight, month_before, month_of

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 1), 24)],
)
def test_a_day_is_as_long_as_the_clock_of_its_place_makes_it(day, hours):
    days = Days(day, day, BERLIN)
    assert days.until - days.since == timedelta(hours=hours)


def test_a_day_begins_at_midnight_of_its_place():
    assert midnight(date(2026, 7, 1), BERLIN) == datetime(2026, 6, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "this", "before"),
    [
        (date(2027, 1, 31), (1, 31), (date(2026, 12, 1), date(2026, 12, 31))),
        (date(2028, 2, 1), (1, 29), (date(2028, 1, 1), date(2028, 1, 31))),
        (date(2026, 12, 31), (1, 31), (date(2026, 11, 1), date(2026, 11, 30))),
    ],
)
def test_months_have_their_first_and_last_days(day, this, before):
    first, last = this
    assert month_of(day) == (day.replace(day=first), day.replace(day=last))
    assert month_before(day) == before
