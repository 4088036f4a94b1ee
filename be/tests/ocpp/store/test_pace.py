"""A mover takes on what this machine can do in a short transaction."""

import pytest

from levity.ocpp.store.pace import Pace


@pytest.fixture
def pace() -> Pace:
    return Pace(most=1_000, least=250)


def test_it_begins_with_all_and_keeps_to_it_where_that_is_fast(pace: Pace) -> None:
    for _ in range(3):
        pace.took(1_000, 0.03)
    assert pace.rows == 1_000


def test_a_slow_machine_gets_smaller_steps_and_never_very_small_ones(pace: Pace) -> None:
    pace.took(800, 0.08)
    assert pace.rows == 400
    for _ in range(5):
        pace.took(400, 4.0)
    assert pace.rows == 250


def test_one_step_that_waited_for_others_changes_nothing(pace: Pace) -> None:
    pace.took(800, 0.03)
    pace.took(800, 3.0)
    assert pace.rows == 1_000


def test_it_grows_again_little_by_little(pace: Pace) -> None:
    pace.took(800, 0.08)
    pace.took(400, 0.01)
    assert pace.rows == 500
    pace.took(500, 0.01)
    assert pace.rows == 625


def test_nothing_is_learned_of_the_rest_of_a_day(pace: Pace) -> None:
    pace.took(3, 1.0)
    assert pace.rows == 1_000
