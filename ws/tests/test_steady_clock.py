"""The edge's time of day."""

from itertools import pairwise

from levity_ws.edge.steady_clock import SteadyClock


def test_time_never_goes_back_and_comes_right_again() -> None:
    """D-20: the clock is set back by an hour, and later forward by two."""
    true, tick = 10_000.0, 0.0
    steady = SteadyClock(lambda: true, lambda: tick)
    said = [steady()]
    true -= 3600
    for _ in range(8000):
        true, tick = true + 1, tick + 1
        said.append(steady())
    assert all(before <= after for before, after in pairwise(said))
    assert said[1] == 10_000.5
    assert said[-1] == true
    true += 7200
    assert steady() == true
