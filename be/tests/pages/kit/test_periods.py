"""Seven days, thirty, or a month, in the time zone of the site."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import translation

from levity.pages.kit.periods import Period, day_and_month, period_of

BERLIN = ZoneInfo("Europe/Berlin")
# In Berlin the first of December has begun.
TODAY = "25 November to 1 December 2026"
NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)


def asked(query: str) -> Period:
    return period_of(QueryDict(query), BERLIN, NOW)


@pytest.mark.parametrize(
    ("query", "first", "last", "text"),
    [
        ("", (2026, 11, 25), (2026, 12, 1), TODAY),
        ("period=7&day=2026-11-08", (2026, 11, 2), (2026, 11, 8), "2 to 8 November 2026"),
        ("period=30", (2026, 11, 2), (2026, 12, 1), "2 November to 1 December 2026"),
        ("period=month&day=2024-02-10", (2024, 2, 1), (2024, 2, 29), "February 2024"),
        ("day=2027-01-02", (2026, 12, 27), (2027, 1, 2), "27 December 2026 to 2 January 2027"),
        (
            "period=year&day=tomorrow",
            (2026, 11, 25),
            (2026, 12, 1),
            TODAY,
        ),
        ("day=0001-01-01", (2026, 11, 25), (2026, 12, 1), TODAY),
        ("day=9999-12-31", (2026, 11, 25), (2026, 12, 1), TODAY),
    ],
)
def test_what_is_asked_for(
    query: str, first: tuple[int, int, int], last: tuple[int, int, int], text: str
) -> None:
    period = asked(query)
    assert (period.first, period.last, period.text) == (date(*first), date(*last), text)


@pytest.mark.parametrize("kind", ["7", "30", "month"])
def test_earlier_and_later_lead_on_without_a_gap(kind: str) -> None:
    period = asked(f"period={kind}&day=2026-03-15")
    for _ in range(30):
        assert period.before.until == period.since
        assert period.after.since == period.until
        assert period.before.after == period == period.after.before
        assert period_of(QueryDict(period.query), BERLIN, NOW) == period
        period = period.before


def test_days_have_23_and_25_hours_when_clocks_change() -> None:
    days = [*(begins for _, begins in asked("period=month&day=2026-03-01").days)]
    hours = [(after - before).total_seconds() / 3600 for before, after in pairwise(days)]
    assert [(day + 1, length) for day, length in enumerate(hours) if length != 24] == [(29, 23)]
    autumn = asked("day=2026-10-27")
    assert (autumn.until - autumn.since).total_seconds() == 169 * 3600


def test_another_length_ends_on_the_same_day() -> None:
    period = asked("period=30&day=2026-11-08").of_kind("7")
    assert (period.first, period.last) == (date(2026, 11, 2), date(2026, 11, 8))
    assert asked("day=2026-11-08").of_kind("month").text == "November 2026"


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("en", "27 December 2026 to 2 January 2027", "2 Nov"),
        ("de", "27. Dezember 2026 bis 2. Januar 2027", "2. Nov"),
        ("fr", "27 décembre 2026 au 2 janvier 2027", "2 nov"),
        ("nl", "27 december 2026 tot en met 2 januari 2027", "2 nov"),
    ],
)
def test_days_are_written_as_the_reader_does(language: str, text: str, label: str) -> None:
    with translation.override(language):
        assert asked("day=2027-01-02").text == text
        assert day_and_month(date(2026, 11, 2)) == label
