"""A database with damaged pages: caused by a failing disk or SD card, never by a frame. An index
contains nothing that its table doesn't, so a damaged one is rebuilt, once, and reported. Anything
else stays as it is: frames that need it are held, all others are served.
"""

import logging
import sqlite3
import threading
import time

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from levity.db.last_backup import ways_back
from levity_ws.frozen import frozen

__all__ = ["Damage", "forget", "is_damage", "mend", "rebuild", "seen"]

log = logging.getLogger(__name__)

# Postgres: an error of the system or of its files; unreadable data or an unreadable index.
SYSTEM, DATA = "58", ("XX001", "XX002")
# Seconds between two attempts to repair, because each may read the whole database.
PAUSE = 600.0
SPARE = "levity_built_anew"


@frozen
class Damage:
    """The damage that this process has met since its start."""

    why: str
    mended: tuple[str, ...]
    """Indexes that were rebuilt."""
    whole: bool
    """As far as is known, nothing is damaged any more."""


class _Met:
    """Shared by the threads of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.damage: Damage | None = None
        self.next_try = 0.0


_met = _Met()


def seen() -> Damage | None:
    """The damage that this process has met, or None."""
    return _met.damage


def forget() -> None:
    """Reset, as after a start."""
    _met.damage, _met.next_try = None, 0.0


def is_damage(error: BaseException | None) -> bool:
    """True if the error means that the database can't read its own pages; also for errors caused by
    that."""
    while error is not None:
        if isinstance(error, sqlite3.DatabaseError):
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                return True
        state = getattr(error, "pgcode", None) or ""
        if state.startswith(SYSTEM) or state in DATA:
            return True
        error = error.__cause__
    return False


def mend(connection: BaseDatabaseWrapper, error: BaseException) -> bool:
    """Rebuild damaged indexes; True if that was done, so that another attempt makes sense. At most
    once in ten minutes, and by one thread; the others get False.
    """
    if not _met.lock.acquire(blocking=False):
        return False
    try:
        why = (str(error).strip().splitlines() or ["unknown"])[0]
        before = _met.damage
        if time.monotonic() < _met.next_try:
            return False
        _met.next_try = time.monotonic() + PAUSE
        log.error("the database is damaged (%s); looking for indexes to rebuild", why)
        try:
            names = rebuild(connection, str(error))
        except DatabaseError as failure:
            connection.close()
            names = ()
            log.error("no index could be rebuilt (%s)", failure)
        _met.damage = Damage(why, (*(before.mended if before else ()), *names), bool(names))
    finally:
        _met.lock.release()
    if not names:
        log.critical("A table of the database is damaged, not just an index. %s", ways_back())
        return False
    log.critical(
        "Damaged indexes were rebuilt: %s. No data was lost, but the disk or SD card is failing: "
        "make a backup now (`levity backup FILE`) and replace it.",
        ", ".join(names),
    )
    return True


def rebuild(connection: BaseDatabaseWrapper, said: str = "") -> tuple[str, ...]:
    """The names of the rebuilt indexes; `said`: the one that Postgres named."""
    if connection.vendor == "sqlite":
        return _rebuild_sqlite(connection)
    return _rebuild_postgres(connection, said)


def _rebuild_sqlite(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
        )
        indexes = cursor.fetchall()
    damaged = [found for found in indexes if not _can_be_walked(connection, *found)]
    for name, table, sql in damaged:
        _build_anew(connection, name, table, sql)
    if not damaged:
        # Intact, but different from the table: SQLite notices that when it deletes a row.
        with connection.cursor() as cursor:
            cursor.execute("REINDEX")
        return ("all of them",)
    return tuple(name for name, _, _ in damaged)


def _can_be_walked(connection: BaseDatabaseWrapper, name: str, table: str, sql: str | None) -> bool:
    """Every page of this index, and none of its table."""
    quote = connection.ops.quote_name
    only = (sql or "").partition(" WHERE ")[2]
    where = f" WHERE {only}" if only else ""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                # Not count(*): for that SQLite always uses the smallest index.
                f"SELECT sum(1) FROM {quote(table)} INDEXED BY {quote(name)}{where}"
            )
            cursor.fetchone()
    except DatabaseError as error:
        if is_damage(error):
            return False
        raise
    return True


def _build_anew(connection: BaseDatabaseWrapper, name: str, table: str, sql: str | None) -> None:
    """Under its name, from its table. The old pages must not be read, as REINDEX and DROP INDEX
    would."""
    quote = connection.ops.quote_name
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if sql:
            # As Django writes it: CREATE [UNIQUE] INDEX "name" ON ...
            made = sql.replace(quote(name), quote(SPARE), 1)
        else:
            # What SQLite makes by itself for UNIQUE and PRIMARY KEY.
            cursor.execute(f"PRAGMA index_info({quote(name)})")
            columns = ", ".join(quote(column) for _, _, column in cursor.fetchall())
            made = f"CREATE UNIQUE INDEX {quote(SPARE)} ON {quote(table)} ({columns})"
        cursor.execute(made)
        cursor.execute("PRAGMA writable_schema = ON")
        try:
            cursor.execute(
                "UPDATE sqlite_master SET rootpage ="
                " (SELECT rootpage FROM sqlite_master WHERE name = %s) WHERE name = %s",
                [SPARE, name],
            )
            cursor.execute("DELETE FROM sqlite_master WHERE name = %s", [SPARE])
            cursor.execute("PRAGMA schema_version")
            version = cursor.fetchone()[0]
            # Makes every connection read the list of tables again.
            cursor.execute(f"PRAGMA schema_version = {version + 1}")
        finally:
            cursor.execute("PRAGMA writable_schema = RESET")


def _rebuild_postgres(connection: BaseDatabaseWrapper, said: str) -> tuple[str, ...]:
    """The index that the error names: 'index "x" contains unexpected zero page ...'."""
    name = said.partition('index "')[2].partition('"')[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_indexes WHERE schemaname = current_schema() AND indexname = %s",
            [name],
        )
        if not name or cursor.fetchone() is None:
            return ()
        cursor.execute("SET statement_timeout = 0")
        try:
            cursor.execute(f"REINDEX INDEX {connection.ops.quote_name(name)}")
        finally:
            cursor.execute("RESET statement_timeout")
    return (name,)
