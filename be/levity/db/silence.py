"""Hang up on a database server that accepts statements but never answers. It is paused, or a proxy
is still in front of one that is gone. TCP continues to acknowledge, so neither keepalive nor
`tcp_user_timeout` notices, and libpq waits for an answer for ever, even after another server has
taken over. Postgres' own `statement_timeout` needs a server that works.

Threads that ask for it (`answer_within`) have their statements watched; if nothing of the answer
arrives in time, the socket is shut down, and the statement fails as with a server that is gone.
"""

import contextlib
import logging
import os
import socket
import threading
from typing import Any

from levity.db.watchdog import watch

__all__ = ["SILENCE", "Question", "answer_within", "question"]

log = logging.getLogger(__name__)

SILENCE = 33.0
"""Seconds. More than statement_timeout (settings.py): a working server has cancelled the statement
by then."""


class Question:
    """The statements of one thread, one after the other."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._asked: Any = None
        self._number = self._seen = 0
        self._held = 0.0

    def begin(self, asked: Any) -> None:
        """A statement starts on this psycopg2 connection."""
        self._number += 1
        self._asked = asked

    def end(self) -> None:
        """The statement was answered, or failed."""
        with self._lock:
            self._asked = None

    def look(self, passed: float) -> None:
        """See `Watched`."""
        number = self._number
        if self._asked is None or number != self._seen:
            self._seen, self._held = number, 0.0
            return
        self._held += passed
        if self._held < self.seconds:
            return
        self._held = 0.0
        # With the lock, the socket can't be closed meanwhile and its number reused.
        with self._lock:
            if self._asked is None or self._number != number:
                return
            _shut_down(self._asked)
        log.error("the database has not responded for %.0f s: closing the connection", self.seconds)


def _shut_down(asked: Any) -> None:
    # OSError, or psycopg2's InterfaceError: it is closed already.
    with contextlib.suppress(Exception), socket.socket(fileno=os.dup(asked.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)


_thread = threading.local()


def answer_within(seconds: float) -> None:
    """From now on, this thread waits no longer than this for an answer of its database."""
    _thread.question = Question(seconds)
    watch(_thread.question)


def question() -> "Question | None":
    """The current statement of this thread, if it is watched."""
    asking: Question | None = getattr(_thread, "question", None)
    return asking
