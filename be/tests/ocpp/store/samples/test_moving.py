"""What moves into traces is as it was, whatever is asked or done afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from levity.ocpp.models import MeterValue, SampleTrace, Transaction
from levity.ocpp.store.samples.moving import Mover, move_some
from tests.kept import Samples
from tests.ocpp.ledger_chargers import Charger, at, meter_value
from tests.ocpp.store.samples.weeks import ACTIONS, Week, last_moment, outcome, seen

pytestmark = pytest.mark.django_db
KEPT = timedelta(days=2)


def move_all() -> int:
    return move_some(last_moment(), 60.0, KEPT)


def assert_same(told: dict[str, Any], before: dict[str, Any]) -> None:
    for part in told:
        if part == "pages":
            for address in told[part]:
                assert told[part][address] == before[part][address], address
        assert told[part] == before[part], part


@pytest.mark.slow
def test_everything_is_the_same_before_and_after_the_move() -> None:
    """Pages, lists, charts, corrections, decisions, late samples, replays."""
    week = Week()
    assert MeterValue.objects.exists()
    before = {name: outcome(week, action) for name, action in ACTIONS.items()}
    pages = outcome(week, ACTIONS["nothing"], pages=True)
    keys = list(Samples.objects.values_list("id", "raw_value"))
    assert move_all() > 0
    assert not MeterValue.objects.exists()
    assert list(Samples.objects.values_list("id", "raw_value")) == keys
    assert_same(outcome(week, ACTIONS["nothing"], pages=True), pages)
    for name, action in ACTIONS.items():
        assert_same(outcome(week, action), before[name])


@pytest.mark.slow
def test_what_came_after_the_move_joins_it_at_the_next() -> None:
    week = Week()
    move_all()
    traces = SampleTrace.objects.count()
    for action in (week.late, week.goes_on, week.correct_more):
        action()
    before = seen(week, pages=True)
    assert MeterValue.objects.exists()
    move_all()
    assert_same(seen(week, pages=True), before)
    # What was known already is shown once before it is moved, and gone afterwards.
    week.again()
    rows = MeterValue.objects.count()
    assert_same(seen(week), before)
    move_all()
    assert_same(seen(week), before)
    assert MeterValue.objects.count() == rows - 2
    # (The session that goes on is not over.)
    assert set(MeterValue.objects.values_list("transaction", flat=True)) == {
        week.sessions["goes on"]
    }
    assert SampleTrace.objects.count() == traces
    # There is nothing more to do.
    assert move_all() == 0


class Killed(Exception):
    """The process is gone."""


@pytest.mark.slow
def test_a_move_that_is_killed_at_any_statement_loses_and_doubles_nothing() -> None:
    week = Week()
    before = seen(week)
    died = 0
    while True:
        left = [died + 1]

        def dies(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
            left[0] -= 1  # noqa: B023
            if left[0] == 0:  # noqa: B023
                raise Killed
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(dies):
                Mover().step(last_moment(), KEPT)
        except Killed:
            died += 1
        if left[0] > 0:
            break
        assert sum(1 for _ in Samples.objects) == len(before["samples"])
    assert died > 8
    assert seen(week) == before
    move_all()
    assert seen(week) == before


def test_sessions_that_are_not_over_for_long_stay_rows(charger: Charger) -> None:
    started = charger.started()
    charger.meter(started, meter_value(at(1), 1100), when=at(1))
    assert move_some(at(60 * 24 * 9), 9.0, KEPT) == 0
    charger.stop(started, at(60), 2000)
    assert move_some(at(60 + 47 * 60), 9.0, KEPT) == 0
    assert move_some(at(60 + 49 * 60), 9.0, KEPT) == 1
    row = SampleTrace.objects.get()
    assert (row.transaction_id, row.elements, row.samples) == (started, 1, 1)
    assert (row.first_at, row.last_at) == (at(1), at(1))


def test_a_long_session_is_several_traces_and_each_step_is_short(charger: Charger) -> None:
    started = charger.started()
    for hour in range(30):
        values = [meter_value(at(hour * 60 + n), 1000 + hour * 6000 + n * 100) for n in range(60)]
        charger.meter(started, *values, when=at(hour * 60 + 59))
    charger.stop(started, at(1800), 181_000)
    before = list(Samples.objects.values())
    mover = Mover(clock=lambda: 0.0)
    steps = []
    while step := mover.step(last_moment(), KEPT):
        steps.append(step)
    assert steps == [500, 500, 500, 300]
    assert list(SampleTrace.objects.order_by("id").values_list("elements", flat=True)) == [
        1000,
        800,
    ]
    assert list(Samples.objects.values()) == before
    size = sum(len(bytes(data)) for data in SampleTrace.objects.values_list("data", flat=True))
    assert size / 1800 < 8


def test_the_mover_passes_what_cannot_move(
    charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("levity.ocpp.store.samples.moving.LOOK", 3)
    other = Charger("CP2")
    running = charger.started()
    for minute in range(1, 12):
        charger.meter(running, meter_value(at(minute), 1000 + minute), when=at(minute))
    over = other.started(at(20))
    other.meter(over, meter_value(at(21), 1100), when=at(21))
    other.stop(over, at(30), 1200)
    assert move_all() == 1
    assert Transaction.objects.get(pk=running).state == "active"
    assert MeterValue.objects.count() == 11
