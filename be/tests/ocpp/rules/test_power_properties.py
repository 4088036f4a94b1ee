"""What power may do to a figure, for any session."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from levity.ocpp.request import TransactionState
from levity.ocpp.rules.checks import KINDS, VERDICTS
from levity.ocpp.rules.energy import at_stop
from levity.ocpp.rules.figures import Energy
from levity.ocpp.rules.lives import NO_TRAIL, Trail, written
from levity.ocpp.rules.powered import Flow
from levity.ocpp.rules.readings import Reading
from levity.ocpp.rules.sampled import Meter, charged, grown
from tests.ocpp.charger import NOW
from tests.ocpp.states import running

METER = Meter(43_000)
ORDER = {"low": 0, "medium": 1, "high": 2}
# (seconds since the one before, register, W)
Rows = list[tuple[int, int, int | None]]

registers = st.one_of(st.integers(0, 3000), st.integers(0, 2 * 10**7))
rows = st.lists(
    st.tuples(
        st.integers(-600, 7200),
        registers,
        st.one_of(
            st.none(), st.sampled_from((0, 0, 7, 2300, 7000, 11_000)), st.integers(0, 50_000)
        ),
    ),
    max_size=10,
)


def told(start: int, rows: Rows, *, power: bool = True) -> tuple[TransactionState, Trail, int]:
    """The session, what its samples have shown, and the seconds until the last."""
    session = running(meter_start=Decimal(start), started_at=NOW, start_received_at=NOW)
    trail, now = NO_TRAIL, 0
    for seconds, register, watts in rows:
        now += seconds
        when = NOW + timedelta(seconds=now)
        flows = [Flow(int(when.timestamp()), watts)] if power and watts is not None else []
        said = watts if power and watts else 0
        trail = grown(session, trail, [Reading(when, Decimal(register))], when, METER, said, flows)
    text = written(trail)
    return (
        running(meter_start=Decimal(start), started_at=NOW, start_received_at=NOW, lives=text),
        trail,
        now,
    )


def stopped(start: int, rows: Rows, stop: int, after: int, *, power: bool = True) -> Energy:
    session, _, now = told(start, rows, power=power)
    return at_stop(session, Decimal(stop), NOW + timedelta(seconds=now + after), METER)


@given(registers, rows, registers, st.integers(-600, 7200))
@settings(max_examples=300)
def test_energy_is_never_negative_and_everything_is_told(
    start: int, rows: Rows, stop: int, after: int
) -> None:
    session, trail, _ = told(start, rows)
    found = stopped(start, rows, stop, after)
    assert found.wh >= 0
    assert found.confidence in ORDER
    assert len(set(found.flags)) == len(found.flags)
    assert [check.kind for check in found.checks if check.kind != "limit"] == [
        kind for kind in KINDS if kind != "limit"
    ]
    assert {check.verdict for check in found.checks} <= set(VERDICTS)
    live = charged(session, trail, METER)
    assert live is None or live.wh >= 0


@given(registers, rows, registers, st.integers(-600, 7200))
@settings(max_examples=300)
def test_nothing_is_multiplied_without_power(start: int, rows: Rows, stop: int, after: int) -> None:
    silent = [(seconds, register, None) for seconds, register, _ in rows]
    assert "registers-in-kwh" not in stopped(start, silent, stop, after).flags
    idle = [(seconds, register, 0) for seconds, register, _ in rows]
    assert "registers-in-kwh" not in stopped(start, idle, stop, after).flags


@given(
    st.integers(0, 10**6),
    st.integers(1, 60),
    st.integers(60, 900),
    st.integers(0, 30),
    st.sampled_from((0, 5, 100)),
)
def test_an_idle_car_is_never_multiplied(
    start: int, count: int, period: int, wh: int, watts: int
) -> None:
    """Whatever the power was in a single sample."""
    for seen in (0, count // 2, count - 1):
        rows: Rows = [
            (period, start + wh * n // count, 7000 if n == seen else watts) for n in range(count)
        ]
        assume(watts * period * count / 3600 < 200)
        assert "registers-in-kwh" not in stopped(start, rows, start + wh, period).flags


@given(
    st.integers(0, 10**8),
    st.lists(st.integers(1400, 22_000), min_size=2, max_size=12),
    st.integers(60, 3600),
    st.data(),
)
def test_power_that_agrees_never_lowers_confidence(
    start: int, powers: list[int], period: int, data: Any
) -> None:
    """Each figure with the power of some samples more."""
    register, rows = float(start), []
    for before, watts in zip([powers[0], *powers], powers, strict=False):
        register += (before + watts) / 2 * period / 3600
        rows.append((period, int(register), watts))
    stop = int(register + powers[-1] * period / 3600)
    count = data.draw(st.integers(0, len(rows)))
    fewer = [
        (seconds, wh, watts if n < count else None) for n, (seconds, wh, watts) in enumerate(rows)
    ]
    without = stopped(start, fewer, stop, period, power=False)
    some, every = stopped(start, fewer, stop, period), stopped(start, rows, stop, period)
    assert ORDER[without.confidence] <= ORDER[some.confidence] <= ORDER[every.confidence]
    assert abs(every.wh - (stop - start)) <= 1


@given(st.integers(10**4, 10**6), st.integers(1400, 22_000), st.integers(3, 12))
def test_kwh_that_power_proves_are_wh(start: int, watts: int, count: int) -> None:
    rows: Rows = [(1800, start + watts * n // 2000, watts) for n in range(1, count + 1)]
    stop = start + watts * (count + 1) // 2000
    assume(stop - start >= 2)
    found = stopped(start, rows, stop, 1800)
    assert (found.wh, found.confidence) == ((stop - start) * 1000, "medium")
    assert "registers-in-kwh" in found.flags


@pytest.mark.parametrize("confidence", ["high"])
def test_an_ordinary_session_is_high(confidence: str) -> None:
    found = stopped(1000, [(900, 2750, 7000), (900, 4500, 7000)], 6250, 900)
    assert (found.wh, found.confidence, found.flags) == (5250, confidence, ())
    assert found.checks[2].detail == "power x time says 1,750 Wh in 0 h 15 min"
