"""A frame may keep a worker busy for so long and no longer: a handler that never returns is parked.

Whoever waits for ever in Python gets an exception at the place where it waits. What does not even
hear that (a `sleep` of an hour, a call that hangs in C) is reported with every thread's stack, and
`on_stuck` decides; a worker of the fleet shape ends itself there, and the frame is found out as one
that kills workers is (`attempts.py`).
"""

import ctypes
import faulthandler
import logging
import sys
import threading
from collections.abc import Callable

from levity.ocpp.request import GetResponse, Request, Response
from levity.ocpp.watchdog import watch

__all__ = ["FrameTookTooLong", "TimeLimit"]

log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds after the limit within which the exception must have got through."""


class FrameTookTooLong(Exception):
    """The handlers of this frame took longer than `OCPP_FRAME_TIME_LIMIT`."""


class Expired(BaseException):
    """Raised in the thread that is late. No Exception: a middleware that catches every Exception
    must not go on."""


class TimeLimit:
    """Watches the chain of one pipeline. `seconds` 0: no limit, and nothing is watched."""

    def __init__(self, seconds: float, on_stuck: Callable[[], None] = lambda: None) -> None:
        self.seconds = seconds
        self.on_stuck = on_stuck
        self._lock = threading.Lock()
        self._thread = 0
        self._frame = 0
        self._running = False
        self._expired = False
        self._about = ("", "")
        self._seen = 0
        self._held = 0.0
        self._reported = 0

    def around(self, chain: GetResponse) -> GetResponse:
        """The same chain, under the limit; FrameTookTooLong where it is exceeded."""
        if not self.seconds:
            return chain

        def limited(request: Request) -> Response:
            if not self._thread:
                watch(self)
            try:
                self._begin(request)
                try:
                    return chain(request)
                finally:
                    self._end()
            except Expired as expired:
                raise FrameTookTooLong(
                    f"{request.action} took longer than {self.seconds:g} s"
                ) from expired

        return limited

    def _begin(self, request: Request) -> None:
        self._about = (request.charge_point.identity, request.action)
        self._thread = threading.get_ident()
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
            return
        self._held += passed
        if self._held > self.seconds + GRACE and self._reported != frame:
            self._reported = frame
            log.critical(
                "%s: %s holds up this worker for %.0f s and can't be interrupted; see the stacks",
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


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    target = ctypes.py_object(error) if error is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), target)
