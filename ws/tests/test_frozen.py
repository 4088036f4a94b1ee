"""Values never change: mypy says so, and the tests run with them frozen."""

import dataclasses
import os
import subprocess
import sys

import pytest

from levity_ws.frozen import frozen

TRY = """
from levity_ws.rpc.envelope import Disconnected
import dataclasses
event = Disconnected("a", "b", 0, 0.0)
try:
    event.seq = 1
except dataclasses.FrozenInstanceError:
    print("frozen")
"""


@frozen
class Point:
    """A value."""

    x: int
    y: int = 0


def test_values_are_equal_and_hashed_by_their_fields() -> None:
    """Frozen at run time or not."""
    assert Point(1) == Point(1, 0)
    assert {Point(1), Point(1)} == {Point(1)}
    assert dataclasses.replace(Point(1), y=2) == Point(1, 2)
    assert not hasattr(Point(1), "__dict__")


@pytest.mark.parametrize(("setting", "told"), [("1", "frozen"), ("", "")])
def test_a_change_is_an_error_in_the_tests_and_costs_nothing_elsewhere(
    setting: str, told: str
) -> None:
    """`make test` sets it."""
    environment = {**os.environ, "LEVITY_FROZEN": setting}
    done = subprocess.run(
        [sys.executable, "-c", TRY], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == told
