"""How fast the free space of a disk shrinks, and so how many days are left."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Growth", "growth"]

HOUR, DAY = 3600.0, 86400.0
WEEK_HOURS = 7 * 24
SURE_AFTER = 6 * HOUR
"""A backup or an update takes space for a while and frees it again; only steady use is growth."""
AT_ONCE = 0.25
"""Days: with so few left, don't wait for certainty."""
STEPS = 6
"""From so many on, one of them that took more than all others together is no growth."""

Point = tuple[float, float]
"""Seconds of any clock, bytes that were free then."""


@dataclass(slots=True)
class Growth:
    """The free space of each disk, once an hour; in this process."""

    _seen: dict[str, deque[Point]] = field(default_factory=dict)

    def days_left(self, path: str, now: float, free: float) -> float | None:
        """Days until this disk is full at the current rate; None: not known, or it does not fill.

        `now` is any clock's seconds, `free` bytes. It goes on as in the last day or in the last
        week, whichever was faster: a charger that has begun to say too much shows in a day, and a
        backup each night shows in a week. What was taken in one go, by an update for instance, does
        not go on.
        """
        seen = self._seen.setdefault(path, deque(maxlen=WEEK_HOURS + 1))
        if not seen or now - seen[-1][0] >= HOUR:
            seen.append((now, free))
        passed = now - seen[0][0]
        if passed < 0.5 * HOUR:
            return None
        points = [*seen, (now, free)]
        today = [point for point in points if now - point[0] <= DAY]
        fastest = max(_rate(points), _rate(today))
        if fastest <= 0:
            return None
        days = free / fastest / DAY
        return days if passed >= SURE_AFTER or days < AT_ONCE else None


def _rate(points: Sequence[Point]) -> float:
    """Bytes a second that went between the first point and the last; 0 or less: none did."""
    steps = [(end[0] - start[0], start[1] - end[1]) for start, end in pairwise(points)]
    passed = sum(seconds for seconds, _ in steps)
    gone = sum(taken for _, taken in steps)
    if len(steps) >= STEPS:
        seconds, most = max(steps, key=lambda step: step[1])
        if most > gone / 2:
            passed, gone = passed - seconds, gone - most
    return gone / passed if passed > 0 else 0.0


growth = Growth()
