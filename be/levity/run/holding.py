"""Which processes use the database: a single `levity serve`, or workers that share a broker. A
second `levity serve`, which would also consider itself the only edge, would mark all chargers of
the first one as offline. So every process that works on a database holds it: exclusively (`serve`
without a broker, `restore`) or together with others (workers and `serve` on a broker). With SQLite
it is a lock on a file beside the database, with Postgres an advisory lock: neither outlives its
process, however that ends. Pages and other commands are not restricted.
"""

import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from levity.run.data_folder import look_at_folder
from levity.run.holders import holders_in, session_name, told

__all__ = ["HeldByAnother", "Hold", "holding"]

log = logging.getLogger(__name__)

# The number after the one of `levity migrate`'s lock.
LOCK = 0x4C455649545A
# Seconds between two checks that we still hold the lock in Postgres.
LOOK = 10.0
# The locks of a session whose machine lost its power are released within half a minute, not after
# two hours.
GONE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4"


class HeldByAnother(Exception):
    """Another process works on this database; nothing was touched. The text says which."""


class Hold:
    """What other processes are told about us while we hold the database."""

    def __init__(self, what: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self._known: dict[str, Any] = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "what": what,
            "since": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        }
        self._tell = tell
        tell(self._known)

    def at(self, address: str) -> None:
        """Where our web pages are."""
        self._known["address"] = address
        self._tell(self._known)


@contextlib.contextmanager
def holding(
    what: str, *, alone: bool, on_lost: Callable[[], object] = lambda: None
) -> Iterator[Hold]:
    """Hold the database. Raises `HeldByAnother` at once if another process does, `CannotOpen` if it
    can't be opened. `on_lost` is called from a thread if Postgres was away and another process now
    holds it.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    place = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor == "postgresql" and alone:
        with _postgres_alone(connection, what, on_lost) as hold:
            yield hold
    elif connection.vendor == "postgresql":
        with _postgres_together(connection, what) as hold:
            yield hold
    elif connection.vendor == "sqlite" and place.is_absolute():
        with _file(place, what, alone=alone) as hold:
            yield hold
    else:
        yield Hold(what, lambda _: None)


@contextlib.contextmanager
def _file(database: Path, what: str, *, alone: bool) -> Iterator[Hold]:
    try:
        import fcntl
    except ImportError:  # Windows, where `levity serve` does not run
        yield Hold(what, lambda _: None)
        return
    path = database.with_name(f"{database.name}.lock")
    look_at_folder(database)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeldByAnother(told(str(database), holders_in(file), alone=alone)) from None
        except OSError as error:
            # Some network file systems; SQLite is not safe there either.
            log.warning(
                "%s can't be locked (%s): make sure that only one Levity uses it", path, error
            )

        def tell(known: dict[str, Any]) -> None:
            # The file is only information, the lock is what counts: a full disk must not prevent a
            # start.
            with contextlib.suppress(OSError):
                if alone:
                    file.truncate(0)
                file.write(json.dumps(known) + "\n")
                file.flush()

        yield Hold(what, tell)


def _try(connection: BaseDatabaseWrapper, *, alone: bool) -> bool:
    function = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [LOCK])  # a word from above
        return bool(cursor.fetchone()[0])


def _others(connection: BaseDatabaseWrapper) -> list[dict[str, Any]]:
    """The sessions that hold it, by their names and addresses."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT a.application_name, host(a.client_addr)"
            " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND (l.classid::bigint << 32 | l.objid::bigint) = %s"
            " AND a.datname = current_database() AND l.pid <> pg_backend_pid()",
            [LOCK],
        )
        return [{"name": name, "from": address} for name, address in cursor.fetchall()]


def _refuse(connection: BaseDatabaseWrapper, *, alone: bool) -> HeldByAnother:
    name = str(connection.settings_dict["NAME"])
    return HeldByAnother(told(f"Postgres, {name}", _others(connection), alone=alone))


@contextlib.contextmanager
def _postgres_alone(
    ours: BaseDatabaseWrapper, what: str, on_lost: Callable[[], object]
) -> Iterator[Hold]:
    connection = ours.copy()
    connection.inc_thread_sharing()
    name = [""]

    def take() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(GONE)
            cursor.execute("SELECT set_config('application_name', %s, false)", [name[0]])
        return _try(connection, alone=True)

    def tell(known: dict[str, Any]) -> None:
        name[0] = session_name(known)
        with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, false)", [name[0]])

    def keep() -> None:
        while not ending.wait(LOOK):
            try:
                if connection.is_usable():
                    continue
                connection.close()
                if not take():
                    log.critical("%s", _refuse(connection, alone=True))
                    on_lost()
                    return
            except DatabaseError:
                connection.close()

    ending = threading.Event()
    keeper = threading.Thread(target=keep, name="hold", daemon=True)
    try:
        if not take():
            raise _refuse(connection, alone=True)
        hold = Hold(what, tell)
        keeper.start()
        yield hold
    finally:
        ending.set()
        if keeper.is_alive():
            keeper.join(LOOK)
        connection.close()


@contextlib.contextmanager
def _postgres_together(ours: BaseDatabaseWrapper, what: str) -> Iterator[Hold]:
    """Each connection of this process holds it, from start to end."""

    name = [""]

    def take(connection: BaseDatabaseWrapper) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, false)", [name[0]])
        return _try(connection, alone=False)

    def begin(sender: Any, connection: BaseDatabaseWrapper, **_: Any) -> None:
        if connection.alias == ours.alias and not take(connection):
            log.error("%s", _refuse(connection, alone=False))

    hold = Hold(what, lambda known: name.__setitem__(0, session_name(known)))
    ours.ensure_connection()
    if not take(ours):
        raise _refuse(ours, alone=False)
    connection_created.connect(begin)
    try:
        yield hold
    finally:
        connection_created.disconnect(begin)
