"""The time that events are stamped with: what the clock on the wall says, but never back."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["SteadyClock"]


@dataclass(slots=True)
class SteadyClock:
    """POSIX seconds that never go back.

    Chargers set their clocks by what they are told, and sessions are counted by it. When our
    clock is set back, this one goes on at half speed until the other has caught up; when it is
    set forward, this one follows at once.
    """

    wall: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    _said: float = field(init=False, default=0.0)
    _at: float = field(init=False, default=0.0)

    def __call__(self) -> float:
        now, at = self.wall(), self.clock()
        if now < self._said:
            now = self._said + max(0.0, at - self._at) / 2
        self._said, self._at = now, at
        return now
