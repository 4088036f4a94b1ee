"""How many requests a caller may make: a bucket that fills with time, in this process's memory."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from levity_ws.frozen import frozen

__all__ = ["Bucket", "Throttle"]

MOST_CALLERS = 10_000


@frozen
class Bucket:
    """How many requests are left at a moment of the clock."""

    left: float
    at: float


class Throttle:
    """So many requests a minute for each caller, of which up to a `burst` may come at once."""

    def __init__(
        self, per_minute: int, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, burst, clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def wait_for(self, caller: str) -> int:
        """Take one request from the caller's bucket: 0; or how many seconds to wait for one."""
        if self._rate <= 0:
            return 0
        now = self._clock()
        with self._lock:
            before = self._buckets.pop(caller, Bucket(self._burst, now))
            left = min(self._burst, before.left + (now - before.at) * self._rate)
            allowed = left >= 1
            self._buckets[caller] = Bucket(left - allowed, now)
            while len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - left) / self._rate))

    def clear(self) -> None:
        """Forget everybody."""
        with self._lock:
            self._buckets.clear()
