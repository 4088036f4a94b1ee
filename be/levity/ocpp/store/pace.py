"""How much a step of a mover takes on: as much as goes into a short transaction on this machine."""

from collections import deque
from math import ceil

__all__ = ["Pace"]

STEP = 0.04
"""Seconds that a step should take, so that few take over 50 ms: chargers wait for it on SQLite."""
GROWS = 1.25
"""By this at most a step is larger than the last one: a fast one may have had luck."""
REMEMBERED = 5
"""The fastest of so many steps tells: what was slow once may have waited for others."""


class Pace:
    """`rows` is how many rows the next step takes on: between `least` and `most`, which it begins
    with.

    On an SD card the same rows take ten times as long as elsewhere. Tell it of each step by `took`.
    """

    def __init__(self, most: int, least: int) -> None:
        self.most, self.least = most, least
        self.rows = most
        self._last: deque[float] = deque(maxlen=REMEMBERED)

    def took(self, rows: int, seconds: float) -> None:
        """A step with so many rows took so long; nothing is learned of a small one."""
        if rows < self.least or seconds <= 0:
            return
        self._last.append(rows / seconds)
        fitting = int(max(self._last) * STEP)
        self.rows = max(self.least, min(fitting, ceil(self.rows * GROWS), self.most))
