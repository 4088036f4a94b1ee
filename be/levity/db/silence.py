"""A database server that takes what is sent and says nothing: its connection is ended.

It stands still, or a proxy stands before one that is gone. TCP goes on acknowledging, so that
neither keepalive nor `tcp_user_timeout` notices, and libpq waits for an answer for ever: also when
another server has long taken over. Postgres' own `statement_timeout` is for a server that lives.

Threads that ask for it (`answer_within`) have their statements watched; where none of the answer
came in time, the socket is shut down, and the statement fails as with a server that is gone.
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
"""Seconds. More than statement_timeout (settings.py): a server that lives has cancelled it then."""


class Question:
    """What one thread asks its database, one statement after the other."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._asked: Any = None
        self._number = self._seen = 0
        self._held = 0.0

    def begin(self, asked: Any) -> None:
        """This connection of psycopg2's is asked something."""
        self._number += 1
        self._asked = asked

    def end(self) -> None:
        """It has answered, or failed."""
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
        # With the lock, nobody closes the socket meanwhile, whose number might be another one's.
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
    """From now on, this thread waits for no answer of its database for longer than so."""
    _thread.question = Question(seconds)
    watch(_thread.question)


def question() -> "Question | None":
    """What this thread is asking, where it asked for it to be watched."""
    asking: Question | None = getattr(_thread, "question", None)
    return asking
