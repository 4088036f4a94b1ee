"""Where the energy went: the equation of the house."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from levity.billing.rules.balance import KINDS, Counted, balance

START = datetime(2026, 11, 1, tzinfo=UTC)


def sessions(*rows, place=(1, 1)):
    return [
        Counted(
            place,
            START + timedelta(hours=at),
            None if first is None else Decimal(first),
            None if last is None else Decimal(last),
            Decimal(wh),
            kind,
        )
        for at, (first, last, wh, kind) in enumerate(rows)
    ]


def test_what_moved_between_sessions_is_in_none():
    found = balance(sessions((1000, 6000, 5000, "billed"), (6500, 8000, 1500, "held")))
    assert (found.moved, found.outside, found.difference) == (7000, 500, 0)
    assert (found.by_kind["billed"], found.by_kind["held"]) == (5000, 1500)


def test_a_corrected_figure_shows_as_a_difference():
    found = balance(sessions((0, 5000, 4000, "billed")))
    assert (found.moved, found.difference) == (5000, 1000)


def test_a_new_meter_and_one_that_says_nothing():
    rows = ((9000, 9500, 500, "billed"), (0, 300, 300, "billed"), (None, None, 700, "excluded"))
    found = balance(sessions(*rows))
    assert (found.moved, found.outside, found.difference) == (1500, 0, 0)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.integers(0, 10**6), st.integers(0, 10**5), st.sampled_from(KINDS)
        ),
        max_size=12,
    )
)
def test_it_holds_to_the_wh(rows):
    at_place = {}
    counted = []
    for number, (place, gap, wh, kind) in enumerate(rows):
        first = at_place.get(place, 0) + gap
        at_place[place] = first + wh
        counted += [
            Counted(
                (place, 1),
                START + timedelta(hours=number),
                Decimal(first),
                Decimal(first + wh),
                Decimal(wh),
                kind,
            )
        ]
    found = balance(counted)
    assert found.moved == sum(found.by_kind.values()) + found.outside
    assert found.difference == 0
