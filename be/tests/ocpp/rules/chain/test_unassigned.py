"""What the register of a connector moved in no session, to the Wh."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levity.ocpp.rules.chain.unassigned import (
    BETWEEN,
    SAMPLES,
    TO_SAMPLE,
    TO_START,
    Interval,
    Point,
    Unassigned,
    segments,
    unassigned,
)
from levity.ocpp.rules.lives import ROUNDING

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def session(
    number: int, since: float, until: float | None, first: Any, last: Any, **more: Any
) -> Interval:
    ends = [None if wh is None else Decimal(wh) for wh in (first, last)]
    return Interval(number, at(since), None if until is None else at(until), *ends, **more)


def point(minutes: float, wh: Any) -> Point:
    return Point(at(minutes), Decimal(wh))


def found(*args: Any) -> list[tuple[Any, ...]]:
    return [
        (item.wh_from, item.wh_until, item.before, item.after, item.shown_by)
        for item in unassigned(*args)
    ]


FIRST, SECOND = session(1, 0, 60, 1000, 5000), session(2, 120, 180, 8000, 9000)


def test_what_lies_between_two_sessions() -> None:
    [stretch] = unassigned([SECOND, FIRST], [])
    assert stretch == Unassigned(
        at(60), at(120), Decimal(5000), Decimal(8000), before=1, after=2, shown_by=BETWEEN
    )
    assert stretch.wh == 3000
    assert stretch.evidence == (
        "from the end of a session to the start of the next: 5,000 to 8,000 Wh"
    )


def test_nothing_where_one_goes_on_from_the_other() -> None:
    for start in (4995, 5000, 5010):
        assert unassigned([FIRST, session(2, 120, 180, start, 9000)], []) == []


def test_samples_outside_of_sessions() -> None:
    points = [point(minute, 5000 + 100 * minute) for minute in range(70, 80)]
    assert found([FIRST], points) == [
        (5000, 12000, 1, None, TO_SAMPLE),
        (12000, 12900, 1, None, SAMPLES),
    ]
    # The end of the session is where they begin.
    assert found([FIRST], [point(61, 5000), *points])[0] == (5000, 12900, 1, None, SAMPLES)
    assert found([], points) == [(12000, 12900, None, None, SAMPLES)]


def test_samples_and_then_a_session() -> None:
    points = [point(70, 5000), point(80, 5500), point(90, 5500)]
    assert found([FIRST, SECOND], points) == [
        (5000, 5500, 1, 2, SAMPLES),
        (5500, 8000, 1, 2, TO_START),
    ]


def test_what_comes_within_a_session_is_its_own() -> None:
    points = [point(30, 3000), point(150, 8500)]
    assert found([FIRST, SECOND], points) == [(5000, 8000, 1, 2, BETWEEN)]
    running = session(2, 120, None, 5000, 6000)
    assert found([FIRST, running], [point(130, 7000), point(900, 9000)]) == []


def test_a_long_pause_divides() -> None:
    points = [point(70, 5000), point(80, 5500), point(200, 5500), point(210, 6500)]
    assert [item[:2] for item in found([FIRST], points)] == [(5000, 5500), (5500, 6500)]
    # Too little to be anything is no stretch of its own.
    few = [point(70, 5000), point(80, 5008), point(200, 5008), point(210, 6500)]
    assert [item[:2] for item in found([FIRST], few)] == [(5000, 6500)]


def test_a_register_that_begins_anew_opens_a_segment() -> None:
    """Nothing is made up for it; what samples show within it counts."""
    grizzl_e = [session(1, 0, 60, 0, 40330), session(2, 120, 180, 0, 640)]
    assert unassigned(grizzl_e, []) == []
    points = [point(70, 0), point(80, 0), point(90, 700)]
    assert found(grizzl_e[:1], points) == [(0, 700, None, None, SAMPLES)]
    anew = session(2, 60, 180, 5000, 300, anew=True)
    assert found([FIRST, anew, session(3, 200, 260, 900, 1000)], []) == [(300, 900, 2, 3, BETWEEN)]


def test_one_that_counts_from_the_start_of_the_session_says_nothing_of_the_meter() -> None:
    own = session(2, 70, 80, 0, 3000, by_session=True)
    assert unassigned([FIRST, own, SECOND], [point(75, 2000)]) == []
    unknown = session(2, 70, 80, None, None)
    assert unassigned([FIRST, unknown, SECOND], []) == []


@pytest.mark.parametrize(
    "slips",
    [
        [(70, 900_000)],
        [(70, 0)],
        [(70, 0), (71, 0)],
        [(70, 900_000), (71, 900_001)],
        [(65, 5000), (70, 0), (75, 5000)],
        [(65, 5000), (70, 300_000), (75, 5000)],
    ],
)
def test_values_that_nothing_goes_on_from_are_slips(slips: list[tuple[float, int]]) -> None:
    points = [point(*slip) for slip in slips]
    assert unassigned([FIRST, session(2, 120, 180, 5000, 9000)], points, 43_000) == []
    later = [*points, point(80, 5000), point(90, 5600)]
    assert sum(item.wh for item in unassigned([FIRST], later, 43_000)) == 600


def test_a_register_that_rises_faster_than_can_have_flowed_has_jumped() -> None:
    jumped = session(2, 120, 180, 5_000_000, 5_001_000)
    assert unassigned([FIRST, jumped], [], 43_000) == []


def test_whole_kwh_and_samples_to_the_wh() -> None:
    told = [session(n, -100 * n, 50 - 100 * n, 6000 - 1000 * n, 7000 - 1000 * n) for n in (2, 3, 4)]
    points = [point(70, 5430), point(80, 5430)]
    assert unassigned(told, points) == []
    assert unassigned([*told, session(1, 120, 180, 5000, 9000)], points) == []
    assert [item.wh for item in unassigned(told, [*points, point(90, 6430)])] == [1000]
    # One alone may end there.
    assert [item.wh for item in unassigned([FIRST], points)] == [430]


def test_two_sessions_of_the_same_wh_leave_nothing() -> None:
    both = [session(1, 0, 100, 100_000, 115_000), session(2, 50, 101, 106_000, 115_000)]
    [segment] = segments(both, [])
    assert (segment.moved, segment.in_sessions, segment.stretches) == (15_000, 15_000, [])


@dataclass
class History:
    """A meter that is known, and what was told of it."""

    sessions: list[Interval]
    points: list[Point]
    outside: list[Decimal]
    """Wh of each gap of each life, as far as something is known on both sides."""


WH = st.integers(0, 40_000).map(Decimal)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("session"), WH),
        st.tuples(st.just("silence"), WH),
        st.tuples(st.just("samples"), st.lists(WH, min_size=1, max_size=4)),
        st.tuples(st.just("another meter"), st.just(None)),
    ),
    max_size=12,
)


def told(steps: list[tuple[str, Any]]) -> History:
    numbers, minute = count(1), 0
    life = 9
    wh = Decimal(life * 10**9)
    known: Decimal | None = None
    history = History([], [], [])
    gap: list[Decimal] = []
    for kind, value in steps:
        minute += 600
        if kind == "session":
            if known is not None:
                gap.append(wh - known)
            history.outside.append(sum(gap, Decimal(0)))
            gap = []
            last = wh + value
            history.sessions.append(session(next(numbers), minute, minute + 500, wh, last))
            wh = known = last
        elif kind == "silence":
            wh += value
        elif kind == "samples":
            for rise in value:
                minute += 600
                if known is not None:
                    gap.append(wh + rise - known)
                wh += rise
                known = wh
                history.points.append(point(minute, wh))
        elif life > 1:
            history.outside.append(sum(gap, Decimal(0)))
            gap, known, life = [], None, life - 1
            wh = Decimal(life * 10**9)
    history.outside.append(sum(gap, Decimal(0)))
    return history


@given(STEPS)
def test_sessions_and_unassigned_are_what_the_register_moved(
    steps: list[tuple[str, Any]],
) -> None:
    history = told(steps)
    parts = segments(history.sessions, history.points)
    for part in parts:
        assert part.in_sessions + sum(item.wh for item in part.stretches) + part.rounding == (
            part.moved
        )
        assert all(item.wh > ROUNDING for item in part.stretches)
    charged = sum((item.wh_until or 0) - (item.wh_from or 0) for item in history.sessions)
    assert sum(part.in_sessions for part in parts) == charged
    outside = sum(sum(item.wh for item in part.stretches) + part.rounding for part in parts)
    assert outside == sum(history.outside)


ANYTHING = st.lists(
    st.tuples(
        st.integers(0, 3000), st.integers(0, 900), st.integers(0, 60_000), st.integers(0, 60_000)
    ),
    max_size=8,
)


@given(ANYTHING, st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 90_000)), max_size=12))
def test_whatever_chargers_tell_each_segment_adds_up(
    sessions: list[tuple[int, int, int, int]], points: list[tuple[int, int]]
) -> None:
    """Overlaps, registers that fall and wild samples: no Wh is in two places."""
    told_of = [
        session(number, since, since + lasts, first, last)
        for number, (since, lasts, first, last) in enumerate(sessions, 1)
    ]
    samples = [point(*each) for each in points]
    parts = segments(told_of, samples, 43_000)
    for part in parts:
        whole = part.in_sessions + sum(item.wh for item in part.stretches) + part.rounding
        assert whole == part.moved
        for item, following in zip(part.stretches, part.stretches[1:], strict=False):
            assert item.wh_until <= following.wh_from
            assert item.since <= item.until <= following.until


@given(STEPS, st.randoms())
def test_the_order_of_arrival_does_not_matter(steps: list[tuple[str, Any]], chance: Any) -> None:
    history = told(steps)
    expected = unassigned(history.sessions, history.points)
    chance.shuffle(history.sessions)
    chance.shuffle(history.points)
    assert unassigned(history.sessions, history.points) == expected
