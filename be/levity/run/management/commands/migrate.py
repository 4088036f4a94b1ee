"""`levity migrate`: Django's own, one at a time, after a backup of a database in use.

Every container brings the database up to date when it starts; if several start at once, one does it
and the others wait.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from levity.installation import is_levitys_own
from levity.run.cannot_open import CannotOpen
from levity.run.opening import open_database
from levity.run.upgrading import back_up_before, changes_ahead

__all__ = ["Command", "one_at_a_time"]

# An advisory lock's number is one for the whole database: "LEVITY" in hexadecimal ASCII.
LOCK = 0x4C4556495459
PAUSE = 0.5  # seconds
PATIENCE = 900.0
TRIES = 10
DEADLOCK = "40P01"


class Command(migrate.Command):
    """Waits for another migration of the same database, up to a quarter of an hour."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--no-backup",
            action="store_true",
            help="update a database in use without a backup before (you have made one)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Like Django's command, with the lock unless nothing is to be written."""
        if options["check_unapplied"] or options["plan"]:
            super().handle(*args, **options)
            return

        def say(text: str) -> None:
            if options["verbosity"]:
                self.stdout.write(text)

        try:
            open_database()
        except CannotOpen as error:
            raise CommandError(str(error)) from error
        connection = connections[options["database"]]
        outermost = not connection.in_atomic_block
        backed_up = bool(options["no_backup"])
        for left in reversed(range(TRIES)):
            try:
                with one_at_a_time(connection, say):
                    if not backed_up and is_levitys_own() and (ahead := changes_ahead()):
                        # Printed at any verbosity: `serve` migrates silently, and it may take
                        # minutes.
                        back_up_before(ahead, self.stdout.write)
                    backed_up = True
                    super().handle(*args, **options)
                return
            except OperationalError as error:
                # Workers write while it asks for locks on several tables. Postgres has undone
                # this one migration, and the next try begins with it.
                if not left or getattr(error.__cause__, "pgcode", None) != DEADLOCK:
                    raise
                say("Workers and this update waited for each other; trying again ...")
                if outermost and connection.in_atomic_block:
                    _begin_anew(connection)


def _begin_anew(connection: BaseDatabaseWrapper) -> None:
    """Leave the transaction of a migration whose last statements failed.

    Django's schema editor runs those that it puts off (foreign keys, indexes) when its block ends,
    and leaves the transaction open if one of them fails; nothing but a new connection ends it.
    """
    connection.close()
    connection.connect()


@contextlib.contextmanager
def one_at_a_time(connection: BaseDatabaseWrapper, say: Callable[[str], object]) -> Iterator[None]:
    """Hold the lock for changing this database's tables; raises CommandError if it can't be
    taken.
    """
    place = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor == "postgresql":
        with _postgres(connection, say):
            yield
    elif connection.vendor == "sqlite" and place.is_absolute():
        with _file(place, say):
            yield
    else:
        yield


@contextlib.contextmanager
def _postgres(connection: BaseDatabaseWrapper, say: Callable[[str], object]) -> Iterator[None]:
    def locked() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            return bool(cursor.fetchone()[0])

    _wait_for(locked, say)
    try:
        with connection.cursor() as cursor:
            # Filling a new column of a large table takes longer than a worker's statement may.
            cursor.execute("SET statement_timeout = 0")
        yield
    finally:
        # A closed connection has released its locks.
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
                cursor.execute("RESET statement_timeout")


@contextlib.contextmanager
def _file(database: Path, say: Callable[[str], object]) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows, where only one runs
        yield
        return
    path = database.with_name(f"{database.name}.migrating")
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:

        def locked() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait_for(locked, say)
        yield


def _wait_for(locked: Callable[[], bool], say: Callable[[str], object]) -> None:
    until = time.monotonic() + PATIENCE
    told = False
    while not locked():
        if not told:
            say("Another process is migrating this database; waiting for it ...")
            told = True
        if time.monotonic() > until:
            raise CommandError(
                f"another process has been migrating this database for {PATIENCE / 60:.0f} "
                "minutes; check its output, or stop it, and try again"
            )
        time.sleep(PAUSE)
