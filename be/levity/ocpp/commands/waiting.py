"""Waiting for the end of a command, without a connection to the database and without a lock."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

from levity.db.notices import hear_others, listen
from levity.ocpp.conf import setting
from levity.ocpp.models import Command
from levity.ocpp.store.news import COMMANDS_ENDED

__all__ = ["OPEN", "place_to_wait", "wait_for", "wait_for_all"]

OPEN = (Command.State.QUEUED, Command.State.SENT)
# Seconds after which a waiter looks by itself, whatever it has heard.
LOOK = 0.5


class _Waiters:
    """The events of those who wait in this process, by command."""

    def __init__(self) -> None:
        self._events: dict[int, set[threading.Event]] = defaultdict(set)
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None

    @contextmanager
    def waiting(self, command_id: int) -> Iterator[threading.Event]:
        """An event that is set when this command may have ended."""
        event = threading.Event()
        with self._lock:
            self._events[command_id].add(event)
            if self._end is None:
                self._end = listen(COMMANDS_ENDED, self._heard)
        try:
            yield event
        finally:
            with self._lock:
                self._events[command_id].discard(event)
                if not self._events[command_id]:
                    del self._events[command_id]

    def _heard(self, text: str) -> None:
        ended = {int(word) for word in text.split(",") if word.isdecimal()}
        with self._lock:
            for command_id, events in self._events.items():
                if not ended or command_id in ended:
                    for event in events:
                        event.set()


_waiters = _Waiters()
_places_taken = 0
_places = threading.Lock()


@contextmanager
def place_to_wait() -> Iterator[bool]:
    """True if one more request may wait in this process: the others go on answering at once."""
    global _places_taken  # noqa: PLW0603  (of the process, like the threads that it counts)
    with _places:
        found = _places_taken < setting("OCPP_WAITING_REQUESTS")
        _places_taken += found
    try:
        yield found
    finally:
        with _places:
            _places_taken -= found


def wait_for(command: Command, seconds: float) -> bool:
    """True once this command has ended, False after so many seconds; it is read anew either way.

    Outside of a transaction. The connection to the database is given back while nothing happens.
    """
    end = time.monotonic() + seconds
    with _waiters.waiting(command.pk) as news:
        hear_others(COMMANDS_ENDED)
        while True:
            command.refresh_from_db()
            if command.state not in OPEN:
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            _let_go()
            news.wait(min(LOOK, left))
            news.clear()


def wait_for_all(commands: QuerySet[Command], seconds: float) -> bool:
    """True once all of these have ended, False after so many seconds; see `wait_for`.

    It looks twice a second, however many they are.
    """
    end = time.monotonic() + seconds
    still = commands.filter(state__in=OPEN).order_by()
    while still.exists():
        left = end - time.monotonic()
        if left <= 0:
            return False
        _let_go()
        time.sleep(min(LOOK, left))
    return True


def _let_go() -> None:
    database = connections[DEFAULT_DB_ALIAS]
    if not database.in_atomic_block:
        database.close()
