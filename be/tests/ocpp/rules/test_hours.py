"""A session by the hour, as `levity.ocpp.rules.hours` divides it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from levity.ocpp.rules.hours import MOST_HOURS, HourOfSession, Metered, hours_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def registers(*values: tuple[float, int]) -> list[tuple[datetime, Decimal]]:
    """(minutes after noon, Wh)."""
    return [(at(minutes), Decimal(wh)) for minutes, wh in values]


def session(wh: int, start: float, end: float, *values: tuple[float, int], **other: object):
    """One with these values of the register, which began at 50,000 Wh."""
    first = {"meter_start": Decimal(50_000), "meter_stop": Decimal(50_000 + wh), **other}
    return Metered(at(start), at(end), Decimal(wh), registers=registers(*values), **first)


def energies(divided: Metered) -> list[int]:
    """Wh of each hour."""
    return [int(hour.wh) for hour in hours_of(divided)]


def test_energy_is_divided_by_the_samples_and_linear_between_two_of_them() -> None:
    """From 13:55 to 14:05 it rises by 1,000 Wh: half of it before the hour."""
    divided = session(9_000, 115, 135, (115, 50_000), (125, 51_000))
    assert hours_of(divided) == [
        HourOfSession(at(60), Decimal(500), 300, 6_000),
        HourOfSession(at(120), Decimal(8_500), 900, 48_000),
    ]


def test_a_session_within_an_hour_is_one_hour_and_one_without_energy_too() -> None:
    """Each session has at least one row, however short it was."""
    assert energies(session(700, 5, 50)) == [700]
    assert hours_of(session(0, 5, 5)) == [HourOfSession(NOON, Decimal(), 0, None)]


def test_energy_without_samples_is_taken_evenly() -> None:
    """Neither register says when."""
    assert energies(session(6_000, 30, 150, meter_start=None, meter_stop=None)) == [
        *(1_500, 3_000, 1_500)
    ]


def test_a_register_that_counts_from_the_sessions_start_divides_as_well() -> None:
    """Grizzl-E 5.x: start and stop are the meter's, samples the session's."""
    divided = session(4_000, 0, 120, (1, 0), (60, 3_000), (119, 4_000))
    assert energies(divided) == [3_000, 1_000]


def test_values_that_can_not_be_the_register_move_no_energy_to_another_hour() -> None:
    """One fell to 0 for a moment, one is far beyond."""
    divided = session(
        4_000, 0, 120, (30, 52_000), (40, 0), (50, 52_000), (55, 9_999_999), (60, 53_000)
    )
    assert energies(divided) == [3_000, 1_000]


def test_the_greatest_power_is_the_one_that_was_told() -> None:
    """By the register only where no power is told; -1 and what nothing delivers are no power."""
    powers = [(at(10), Decimal(7_400)), (at(20), Decimal(-1)), (at(70), Decimal(5_000_000))]
    told = [hour.power for hour in hours_of(session(4_000, 0, 120, powers=powers))]
    assert told == [7_400, None]


def test_a_session_since_1970_has_no_more_than_some_hours() -> None:
    """A charger whose clock was never set."""
    divided = session(4_000, -29_000_000, 0)
    found = hours_of(divided)
    assert len(found) <= MOST_HOURS
    assert sum(hour.wh for hour in found) == 4_000


@given(
    st.integers(0, 100_000),
    st.integers(0, 3_000),
    st.lists(st.tuples(st.integers(-10, 3_010), st.integers(-5, 200_000)), max_size=12),
    st.sampled_from([None, 0, 50_000]),
)
def test_the_hours_add_up_to_the_session_whatever_the_samples_say(
    wh: int, minutes: int, values: list[tuple[int, int]], start: int | None
) -> None:
    """To the Wh; no hour is below 0, and they follow each other."""
    first = None if start is None else Decimal(start)
    found = hours_of(session(wh, 0, minutes, *values, meter_start=first))
    assert sum(hour.wh for hour in found) == wh
    assert all(hour.wh >= 0 for hour in found)
    assert [hour.hour for hour in found] == [at(60 * number) for number in range(len(found))]
    assert sum(hour.seconds for hour in found) == minutes * 60
