"""How fast the free space of a disk goes, and so how many days are left."""

from collections import deque
from dataclasses import dataclass, field

__all__ = ["Growth", "growth"]

HOUR, DAY = 3600.0, 86400.0
KEPT_HOURS = 48
SURE_AFTER = 6 * HOUR
"""A backup or an update takes room at once and gives it back; what goes on is growth."""
AT_ONCE = 0.25
"""Days: so little is left that nobody waits until it is sure."""


@dataclass(slots=True)
class Growth:
    """What was free, once an hour, of each disk; in this process."""

    _seen: dict[str, deque[tuple[float, float]]] = field(default_factory=dict)

    def days_left(self, path: str, now: float, free: float) -> float | None:
        """Days until this disk is full as it goes on now; None: not known, or it does not grow.

        `now` is any clock's seconds, `free` bytes.
        """
        seen = self._seen.setdefault(path, deque(maxlen=KEPT_HOURS))
        if not seen or now - seen[-1][0] >= HOUR:
            seen.append((now, free))
        since, before = seen[0]
        passed, gone = now - since, before - free
        if passed < 0.5 * HOUR or gone <= 0:
            return None
        days = free / (gone / passed) / DAY
        return days if passed >= SURE_AFTER or days < AT_ONCE else None


growth = Growth()
