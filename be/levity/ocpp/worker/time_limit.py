"""A frame may keep a worker busy for so long and no longer: a handler that never returns is parked.

Whoever waits for ever in Python gets an exception at the place where it waits. What does not even
hear that (a `sleep` of an hour, a call that hangs in C) is reported with every thread's stack, and
`on_stuck` decides; a worker of the fleet shape ends itself there, and the frame is found out as one
that kills workers is (`parking.py`).
"""

import ctypes
import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from levity.db.watchdog import watch
from levity.ocpp.request import GetResponse, Request, Response

__all__ = ["FrameTookTooLong", "TimeLimit"]

log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds after the limit within which the exception must have got through."""


T = TypeVar("T")


class FrameTookTooLong(Exception):
    """What is done for this frame took longer than `OCPP_FRAME_TIME_LIMIT`.

    `whose` is what was given to `within`; None where it was done for several frames at once.
    """

    whose: object = None


class Expired(BaseException):
    """Raised in the thread that is late. No Exception: a middleware that catches every Exception
    must not go on."""


class TimeLimit:
    """Watches what one pipeline does. `seconds` 0: no limit, and nothing is watched.

    Reading a frame, handlers, masking: by the clock, for nothing there waits for anybody. Loading
    and storing: by this thread's own processor time, for a slow disk and the lock of another are
    nobody's fault.
    """

    def __init__(self, seconds: float, on_stuck: Callable[[], None] = lambda: None) -> None:
        self.seconds = seconds
        self.on_stuck = on_stuck
        self._lock = threading.Lock()
        self._thread = 0
        self._frame = 0
        self._running = False
        self._expired = False
        self._busy = False
        """Only processor time counts."""
        self._began_at: float | None = None
        """The thread's processor time when the frame was first seen at work; None: by the clock."""
        self._about = ("", "")
        self._seen = 0
        self._held = 0.0
        self._reported = 0

    def around(self, chain: GetResponse) -> GetResponse:
        """The same chain, under the limit."""

        def limited(request: Request) -> Response:
            return self.within(request.charge_point.identity, request.action, chain, request)

        return limited

    def within(
        self,
        identity: str,
        what: str,
        work: Callable[..., T],
        *given: object,
        busy: bool = False,
        whose: object = None,
    ) -> T:
        """What this work returns; FrameTookTooLong where the limit is exceeded.

        `busy`: only the time counts in which this thread has the processor. `whose` tells the
        caller which frame it was.
        """
        if not self.seconds or (busy and not MEASURES_THREADS):
            return work(*given)
        if not self._thread:
            watch(self)
        try:
            self._begin(identity, what, busy=busy)
            try:
                return work(*given)
            finally:
                self._end()
        except Expired as expired:
            late = FrameTookTooLong(f"{what} took longer than {self.seconds:g} s")
            late.whose = whose
            raise late from expired

    def _begin(self, identity: str, what: str, *, busy: bool = False) -> None:
        self._about = (identity, what)
        self._thread = threading.get_ident()
        self._busy = busy
        self._frame += 1
        self._running = True

    def _end(self) -> None:
        with self._lock:
            self._running = False
            expired, self._expired = self._expired, False
        if expired:
            # It ended by itself in the last moment: take the exception back, if it is not here yet.
            _raise_in(self._thread, None)

    def look(self, passed: float) -> None:
        """Called by the watchdog every so many seconds."""
        frame = self._frame
        if not self._running or frame != self._seen:
            self._seen, self._held = frame, 0.0
            with self._lock:
                # Asked for here and not for every frame: hardly one is ever seen at work.
                is_busy = self._running and self._frame == frame and self._busy
                self._began_at = _processor_time(self._thread) if is_busy else None
            return
        self._held += passed
        with self._lock:
            # While it runs, there is such a thread: `_end` waits for this lock.
            if self._running and self._frame == frame and self._began_at is not None:
                self._held = _processor_time(self._thread) - self._began_at
        if self._held > self.seconds + GRACE and self._reported != frame:
            self._reported = frame
            log.critical(
                "%s: %s has blocked this worker for %.0f s and can't be interrupted; see the "
                "stacks",
                *self._about,
                self._held,
            )
            faulthandler.dump_traceback(file=sys.__stderr__ or sys.stderr)
            self.on_stuck()
        elif self._held > self.seconds:
            with self._lock:
                if self._running and self._frame == frame and not self._expired:
                    self._expired = True
                    _raise_in(self._thread, Expired)


MEASURES_THREADS = hasattr(time, "pthread_getcpuclockid")
"""Not everywhere can one thread ask how long another one was busy."""


def _processor_time(thread: int) -> float:
    return time.clock_gettime(time.pthread_getcpuclockid(thread))


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    target = ctypes.py_object(error) if error is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), target)
