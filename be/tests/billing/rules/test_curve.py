"""When a session used its energy, of its samples; how much is decided elsewhere."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from levity.billing.rules.curve import curve, full_spans
from levity.billing.rules.usage import Point, Span, checked

START = datetime(2026, 11, 3, 20, tzinfo=UTC)
END = START + timedelta(hours=2)


def at(minutes):
    return START + timedelta(minutes=minutes)


def points(*values):
    return [Point(at(minutes), Decimal(wh)) for minutes, wh in values]


def test_a_lifetime_register_and_one_of_the_session_are_the_same_curve():
    wanted = points((0, 0), (30, 2000), (60, 5000), (120, 8000))
    lifetime = points((30, 902_000), (60, 905_000), (120, 908_000))
    assert curve(START, END, Decimal(8000), Decimal(900_000), lifetime) == wanted
    of_session = points((30, 2000), (60, 5000))
    assert curve(START, END, Decimal(8000), Decimal(900_000), of_session) == wanted
    assert curve(START, END, Decimal(8000), None, of_session) == wanted


def test_samples_never_change_the_figure():
    wild = points((10, 900_500), (20, 10**9), (30, 100), (119, 900_600))
    found = curve(START, END, Decimal(1000), Decimal(900_000), wild)
    assert [point.wh for point in found] == [0, 500, 1000, 1000, 1000, 1000]


@given(
    st.lists(st.tuples(st.integers(-10, 200), st.integers(-(10**7), 10**7)), max_size=8),
    st.integers(0, 10**6),
    st.none() | st.integers(0, 10**6),
)
def test_whatever_was_sampled_it_can_be_priced(samples, wh, meter_start):
    begin = None if meter_start is None else Decimal(meter_start)
    found = curve(START, END, Decimal(wh), begin, points(*samples))
    assert checked(START, END, found).wh == wh


def test_a_car_is_full_while_it_takes_nothing_and_keeps_the_place():
    statuses = [
        (at(-5), "Charging"),
        (at(30), "SuspendedEV"),
        (at(40), "Finishing"),
        (at(50), "Charging"),
        (at(60), "SuspendedEVSE"),
        (at(100), "SuspendedEV"),
    ]
    assert full_spans(START, END, statuses) == [Span(at(30), at(50)), Span(at(100), END)]
    assert full_spans(START, END, [(at(-9), "SuspendedEV"), (at(9), "Available")]) == [
        Span(START, at(9))
    ]
