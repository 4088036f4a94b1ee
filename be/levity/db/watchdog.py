"""One thread that checks, twice a second, everything that must not take for ever."""

import logging
import threading
import time
import weakref
from typing import Protocol

__all__ = ["Watched", "watch"]

log = logging.getLogger(__name__)

TICK = 0.5


class Watched(Protocol):
    """Something with a time limit."""

    def look(self, passed: float) -> None:
        """Called at each interval, in the watchdog's thread."""


class _Watchdog:
    """It starts with the first object to watch."""

    def __init__(self) -> None:
        self._watched: weakref.WeakSet[Watched] = weakref.WeakSet()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def watch(self, watched: Watched) -> None:
        """Watch this object from now on, as long as it is referenced."""
        with self._lock:
            self._watched.add(watched)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        before = time.monotonic()
        # Not time.sleep: it fails if the clock is faked (libfaketime, in `make soak`).
        pause = threading.Event()
        while True:
            pause.wait(TICK)
            now = time.monotonic()
            # A process that was paused (SIGSTOP, a suspended machine) was not busy meanwhile.
            passed, before = min(now - before, 2 * TICK), now
            with self._lock:
                all_watched = list(self._watched)
            for watched in all_watched:
                try:
                    watched.look(passed)
                except Exception:
                    # Without this thread, there would be no time limits.
                    log.exception("the watchdog failed at %r", watched)


watch = _Watchdog().watch
