"""Power times time, as the samples of a session tell it."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.effects import Sample
from levity.ocpp.rules import trail as kept
from levity.ocpp.rules.lives import NO_TRAIL, Trail, follow, read, written
from levity.ocpp.rules.powered import GAP, NO_WORK, Flow, Work, power_of, work_on
from levity.ocpp.rules.readings import Reading
from tests.ocpp.charger import NOW

SEEN = NOW.timestamp()
START = int(SEEN) - 40_000


def worked(*told: tuple[float, int], seen: float = SEEN) -> Work:
    """The work with these flows: (minute, W), a message each."""
    work = NO_WORK
    for minute, watts in told:
        work = work_on(work, [Flow(START + int(minute * 60), watts)], seen)
    return work


def sample(value: Any, measurand: str, phase: str = "", minute: float = 0, **more: Any) -> Sample:
    when = NOW + timedelta(minutes=minute)
    return Sample(when, measurand, str(value), Decimal(str(value)), phase=phase, **more)


def power(value: Any, phase: str = "", minute: float = 0, **more: Any) -> Sample:
    return sample(value, "Power.Active.Import", phase, minute, **more)


def current(value: Any, phase: str = "", minute: float = 0, **more: Any) -> Sample:
    return sample(value, "Current.Import", phase, minute, **more)


def volts(value: Any, phase: str = "") -> Sample:
    return sample(value, "Voltage", phase)


def watts(samples: Sequence[Sample]) -> list[tuple[int, str]]:
    return [(flow.watts, flow.source) for flow in power_of(samples)[1]]


def test_steady_power_times_time() -> None:
    work = worked((0, 2400), (60, 2400), (120, 2400))
    assert (work.wh, work.certain, work.possible, work.seconds, work.steps) == (
        4800,
        4800,
        4800,
        7200,
        2,
    )


def test_between_two_samples_it_is_the_mean_and_may_be_either() -> None:
    work = worked((0, 0), (15, 8000), (30, 0))
    assert (work.wh, work.certain, work.possible, work.steps) == (2000, 0, 4000, 0)
    assert work.peak == 8000


def test_one_sample_covers_no_time() -> None:
    assert worked((5, 7000)).seconds == 0


def test_a_gap_is_not_covered() -> None:
    work = worked((0, 7000), (10, 7000), (10 + GAP / 60, 7000), (20 + GAP / 60, 7000))
    assert (work.wh, work.seconds) == (pytest.approx(7000 / 3, abs=1), 1200)


@pytest.mark.parametrize("late", [(5, 9000), (10, 9000), (0, 0)])
def test_what_is_late_or_told_again_says_nothing(late: tuple[float, int]) -> None:
    told = [(0, 6000), (10, 6000)]
    assert worked(*told, late, (20, 6000)) == worked(*told, (20, 6000))


def test_a_clock_that_was_ahead_and_is_set_does_not_end_it() -> None:
    """Ten years ahead; when it is set the next two samples count again."""
    years = 5_000_000
    work = worked((years, 6000), (years + 10, 6000), (0, 6000), (10, 6000), seen=SEEN)
    assert (work.wh, work.seconds) == (2000, 1200)


def test_a_clock_that_is_set_forward_covers_no_years() -> None:
    work = worked((-20_000_000, 6000), (-19_999_990, 6000), (0, 6000), (10, 6000))
    assert (work.wh, work.seconds) == (2000, 1200)


def test_power_of_the_car_to_the_grid_is_none() -> None:
    assert worked((0, -5000), (30, -5000)).wh == 0


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ([power(7200)], [(7200, "")]),
        ([power(7200), sample(22_000, "Power.Offered")], [(7200, "")]),
        ([sample(22_000, "Power.Offered")], []),
        ([sample(32, "Current.Offered"), sample(230, "Voltage")], []),
        ([power(2400, "L1"), power(2500, "L2"), power(2600, "L3")], [(7500, "")]),
        ([power(2400, "L1")], [(2400, "L1")]),
        ([power(0), current(16)], [(0, "")]),
        ([power(7200), power(7300, minute=1)], [(7200, ""), (7300, "")]),
        ([power(9, location="EV")], []),
        # No power: current times voltage.
        ([current(16)], [(3680, "A1")]),
        ([current(10, "L1"), current(10, "L2"), current(9, "L3"), volts(240)], [(6960, "A")]),
        ([current(0, "L1"), current(0, "L2"), volts(240)], [(0, "A")]),
        ([current(10, "L1"), current(10, "L2"), volts(400, "L1-L2")], [(4618, "A")]),
        ([current(100), volts(400)], [(40_000, "A1")]),
        ([current(16, context="Transaction.Begin")], []),
        ([current(16), current(10, minute=1)], [(3680, "A1"), (2300, "A1")]),
        ([], []),
    ],
)
def test_what_flows(samples: Sequence[Sample], told: Any) -> None:
    assert watts(samples) == told


def test_the_strongest_is_what_flows_or_is_offered() -> None:
    assert power_of([power(7200), sample(22_000, "Power.Offered")])[0] == 22_000
    assert power_of([current(10, "L1"), current(10, "L2"), volts(230)])[0] == 4600
    assert power_of([current(10, "L1")])[0] == 0


def test_the_phases_in_messages_of_their_own_are_nothing_to_count_on() -> None:
    work = NO_WORK
    for second in range(0, 600, 60):
        for number, phase in enumerate(("L1", "L2", "L3")):
            work = work_on(work, [Flow(START + second + number, 2400, phase)], SEEN)
    assert (work.wh, work.source) == (0, "?")
    # A total beside them is.
    work = worked_on_total = work_on(work, [Flow(START + 600, 7200)], SEEN)
    work = work_on(work, [Flow(START + 601, 2400, "L1")], SEEN)
    assert work == worked_on_total
    assert work_on(work, [Flow(START + 1200, 7200)], SEEN).wh == 1200


def test_power_is_better_than_current() -> None:
    work = work_on(NO_WORK, [Flow(START, 3680, "A1"), Flow(START + 900, 3680, "A1")], SEEN)
    assert (work.wh, work.is_rough) == (920, True)
    work = work_on(work, [Flow(START + 901, 11_000)], SEEN)
    work = work_on(work, [Flow(START + 950, 3680, "A1"), Flow(START + 1801, 11_000)], SEEN)
    assert (work.wh, work.is_rough) == (2750, False)


# The text.


def grown(*rows: tuple[float, int, int]) -> Trail:
    """(minute, Wh, W)."""
    trail = NO_TRAIL
    for minute, wh, flow in rows:
        when = NOW + timedelta(minutes=minute)
        told = [Flow(int(when.timestamp()), flow)]
        trail = follow(trail, [Reading(when, Decimal(wh))], when, 22_000, flow, None, told)
    return trail


def by_the_release_before(text: str) -> list[Any]:
    """How a worker of the release before takes this text apart."""
    head, *rest = text.split(";")
    power, said, anew, *at_inlet = head.split(",")
    lives = []
    for life in rest:
        part = life.split(",")
        lives.append([Decimal(part[0]), *map(float, part[1:3]), Decimal(part[3]), int(part[8])])
        assert int(part[10]) >= 0
    anew, *phases = anew.split("|")
    for phase in phases:
        name, wh = phase.split("=")
        Decimal(wh.rstrip("*"))
        assert name
    return [int(power), int(said), bool(at_inlet), len(lives)]


def test_the_text_comes_back_as_it_was_written() -> None:
    trail = grown((0, 1000, 6000), (10, 2000, 6000), (20, 100, 6000), (30, 1100, 6000))
    assert trail.lives[1].gap == 1000
    text = written(trail)
    kept._recent.clear()
    assert read(text) == trail
    assert by_the_release_before(text) == [6000, 6000, False, 2]


@pytest.mark.parametrize(
    "text",
    [
        "3300,3300,0;2500,1.5,2.5,2500,1.5,2500,1.5,2.5,1,0,0",
        "0,0,1|L1=1000*|L2=7;2500,1.5,2.5,2500,1.5,2500,1.5,2.5,1,0,0",
        "0,0,0,1;2500,1.5,2.5,2500,1.5,2500,1.5,2.5,1,0,0",
    ],
)
def test_a_text_of_the_release_before_is_read(text: str) -> None:
    kept._recent.clear()
    trail = read(text)
    assert trail.work == NO_WORK
    assert trail.lives[0].last == 2500
    assert written(trail) == text


def test_a_text_without_power_is_as_it_was() -> None:
    trail = follow(NO_TRAIL, [Reading(NOW, Decimal(1000))], NOW, 22_000)
    assert written(trail).split(";")[0] == "0,0,0"
