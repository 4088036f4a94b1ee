"""What one thread or process tells others the moment that it is committed.

Within a process the listeners are called after the commit; from process to process the word travels
as Postgres' NOTIFY (behind a pooler in transaction mode it does not, nor from SQLite to another
process). A notice says that it is worth looking now: whoever listens looks now and then anyway.
"""

import contextlib
import logging
import os
import select
import threading
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction

from levity.db.rows import also

__all__ = ["hear_others", "listen", "stop_hearing", "tell"]

log = logging.getLogger(__name__)

Listener = Callable[[str], None]
# Seconds.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
LONGEST_TEXT = 7_900
"""Bytes that NOTIFY takes; a longer text is left out."""

_listeners: dict[str, list[Listener]] = defaultdict(list)
_lock = threading.Lock()


def tell(channel: str, text: str = "") -> None:
    """Once this transaction is committed, whoever listens to this channel hears this text.

    No text: something has happened there. A channel is a name of small letters and underscores.
    """
    if len(text) > LONGEST_TEXT:
        text = ""
    if connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
        also("SELECT pg_notify(%s, %s)", (channel, text))
    transaction.on_commit(partial(_tell_here, channel, text), robust=True)


def listen(channel: str, listener: Listener) -> Callable[[], None]:
    """Call this with what is told on this channel, from any thread, until the function that is
    returned is called. It must return at once."""
    with _lock:
        _listeners[channel].append(listener)

    def end() -> None:
        with _lock, contextlib.suppress(ValueError):
            _listeners[channel].remove(listener)

    return end


def hear_others(*channels: str) -> None:
    """From now on also what other processes tell on these channels, where the database can."""
    if connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
        _ear.hear(channels)


def stop_hearing() -> None:
    """Give back the connection that `hear_others` needs."""
    _ear.close()


def _tell_here(channel: str, text: str) -> None:
    with _lock:
        listeners = list(_listeners[channel])
    for listener in listeners:
        listener(text)


class _Ear:
    """One connection of its own for the whole process, in one thread."""

    def __init__(self) -> None:
        self._channels: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._bell: tuple[int, int] = (-1, -1)
        self._closing = threading.Event()

    def hear(self, channels: tuple[str, ...]) -> None:
        """More channels; the thread starts with the first."""
        with self._lock:
            if self._channels.issuperset(channels):
                return
            self._channels |= set(channels)
            if self._thread is None:
                self._bell = os.pipe()
                self._closing = threading.Event()
                self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
                self._thread.start()
            else:
                os.write(self._bell[1], b".")

    def close(self) -> None:
        """End the thread, and forget all channels."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._channels = set()
            if thread is None:
                return
            self._closing.set()
            os.write(self._bell[1], b".")
        thread.join()
        for end in self._bell:
            os.close(end)

    def _run(self) -> None:
        closing, pause = self._closing, FIRST_PAUSE
        while not closing.is_set():
            database = connections.create_connection(DEFAULT_DB_ALIAS)
            try:
                database.connect()
                with database.wrap_database_errors:
                    self._hear(database.connection, closing)
                pause = FIRST_PAUSE
            except Exception as error:  # noqa: BLE001  # without this thread all would be as slow as before
                if pause == FIRST_PAUSE:
                    log.warning("no notices from the database (%s); looking now and then", error)
                closing.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
            finally:
                with contextlib.suppress(DatabaseError):
                    database.close()

    def _hear(self, raw: Any, closing: threading.Event) -> None:
        heard: set[str] = set()
        while not closing.is_set():
            for channel in self._channels - heard:
                with raw.cursor() as cursor:
                    cursor.execute(f'LISTEN "{channel}"')
                heard.add(channel)
                # What was told before is not heard any more.
                _tell_here(channel, "")
            ready, _, _ = select.select([raw, self._bell[0]], [], [])
            if self._bell[0] in ready:
                os.read(self._bell[0], 512)
            if raw in ready:
                raw.poll()
                while raw.notifies:
                    notice = raw.notifies.pop(0)
                    _tell_here(notice.channel, notice.payload)


_ear = _Ear()
