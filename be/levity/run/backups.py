"""Backing up the database while Levity runs, and restoring it (docs/operating.md, Backup). Chargers
still know the numbers of sessions that began after the backup, which a restored database does not
contain. `settle` advances the counter, so that none of them is assigned again.
"""

import json
import math
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction
from django.db.models import Max
from django.utils import timezone

from levity.db.last_backup import noted_in
from levity.ocpp.decisions.restored import note_restore, ran_then
from levity.ocpp.models import ChargePoint, Command, Connector, Transaction
from levity.ocpp.store.messages.reading import newest_moment
from levity.run.reading_back import (
    BackupError,
    Copy,
    checked_dump,
    checked_sqlite,
    counted,
    on_disk_as_written,
)
from levity_ws.frozen import frozen

__all__ = ["BackupError", "Settled", "back_up", "check", "restore", "settle"]

# Sessions that one connector can begin in a day; a busy one has one every quarter of an hour.
SESSIONS_A_DAY = 96
LEAST_GAP = 10_000
INT4 = 2**31 - 1


@frozen
class Settled:
    """What was done to a restored database."""

    newest: datetime | None
    """The time of its newest entry."""
    next_transaction: int
    cancelled: int
    """Commands that were waiting when the backup was made."""
    campaigns: int = 0
    """Firmware campaigns that went on then; they are paused."""
    numbers: tuple[str, ...] = ()
    """What is to be said about the numbers of statements, a sentence for each issuer."""
    running: tuple[str, ...] = ()
    """Sessions that ran when the backup was made: number and charge point."""


def back_up(path: Path) -> Copy:
    """Write all of the database to this new file, and read it back. Levity may go on meanwhile.

    BackupError, and no file, where what was read back is not whole.
    """
    if path.exists():
        raise BackupError(f"{path} already exists: choose another file")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    # Created first with restricted permissions: the file contains everything.
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        if connection.vendor == "sqlite":
            least = _copy_sqlite(part)
        else:
            least = counted()
            _postgres("pg_dump", "--format=custom", "--no-owner", f"--file={part}")
        on_disk_as_written(part)
        copy = check(part, least)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _note_backup(path)
    return copy


def check(path: Path, least: Copy | None = None) -> Copy:
    """What this backup holds; BackupError if it is damaged, or has fewer sessions than `least`."""
    if not path.is_file():
        raise BackupError(f"{path} does not exist")
    if connection.vendor == "sqlite":
        return checked_sqlite(path, least)
    return checked_dump(_found("pg_restore"), path, least)


def _note_backup(path: Path) -> None:
    """Next to the database, not in it: it is needed when the database can't be read."""
    known = {"path": str(path.resolve()), "made_at": timezone.now().isoformat()}
    with suppress(OSError):
        noted_in().write_text(json.dumps(known))


def restore(path: Path) -> Path | None:
    """Restore the database from this file; returns where the old one was kept (SQLite). Levity must
    be stopped: raises BackupError if any process has the SQLite file open.
    """
    check(path)
    if connection.vendor == "sqlite":
        return _restore_sqlite(path)
    _postgres(
        "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(path)
    )
    return None


def settle(now: datetime, gap: int | None = None) -> Settled:
    """Make a restored database safe to use; call this before Levity starts on it. Advances the
    counter of transactionIds by `gap` (None: by more than can have begun since the backup), cancels
    commands that were waiting then, pauses firmware campaigns (chargers may have installed since
    what they would be sent again), goes on after the numbers of statements that are known to be
    given, and resets which chargers are connected.
    """
    with transaction.atomic():
        newest = _newest()
        if gap is None:
            days = math.ceil(max(0.0, (now - newest).total_seconds()) / 86_400) if newest else 0
            connectors = max(Connector.objects.count(), ChargePoint.objects.count(), 10)
            gap = max(LEAST_GAP, (days + 1) * connectors * SESSIONS_A_DAY)
        last = _move_counter(gap)
        cancelled = Command.objects.filter(
            state__in=(Command.State.QUEUED, Command.State.SENT)
        ).update(
            state=Command.State.CANCELLED,
            finished_at=now,
            deadline=None,
            error_description="The database was restored from a backup.",
        )
        paused = _pause_campaigns()
        ChargePoint.objects.filter(connection__isnull=False).update(connection=None, edge=None)
        running: tuple[str, ...] = ()
        if newest is not None:
            rows = ran_then(note_restore(now, newest)).select_related("charge_point")
            running = tuple(f"#{row.pk} ({row.charge_point.identity})" for row in rows)
        numbers = _settle_numbers()
    return Settled(newest, last + 1, cancelled, paused, numbers, running)


def _settle_numbers() -> tuple[str, ...]:
    if not apps.is_installed("levity.billing"):
        return ()
    from levity.billing.statements.numbers import after_restore

    return tuple(after_restore())


def _pause_campaigns() -> int:
    if not apps.is_installed("levity.files"):
        return 0
    from levity.files.campaigns import pause_all

    return pause_all()


def _newest() -> datetime | None:
    known = (
        newest_moment(),
        Transaction.objects.aggregate(last=Max("start_received_at"))["last"],
    )
    return max((moment for moment in known if moment is not None), default=None)


def _move_counter(gap: int) -> int:
    """The last number that now counts as assigned."""
    table = Transaction._meta.db_table
    highest = Transaction.objects.aggregate(last=Max("id"))["last"] or 0
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            row = cursor.fetchone()
        else:
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
            row = cursor.fetchone()
        last = max(highest, row[0] if row else 0) + gap
        if last > INT4:
            raise BackupError(
                f"transactionIds end at {INT4}, and {last} would be next: choose a smaller --gap"
            )
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
        else:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, last])
    return last


def _sqlite_path() -> Path:
    return Path(str(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"]))


def _copy_sqlite(target: Path) -> Copy:
    """What the database held when the copy was begun."""
    if not _sqlite_path().is_file() or not _sqlite_path().stat().st_size:
        raise BackupError(f"there is no database yet at {_sqlite_path()}")
    try:
        least = counted()
        with closing(sqlite3.connect(_sqlite_path(), timeout=30)) as source:
            source.execute("VACUUM INTO ?", [str(target)])
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise BackupError(f"{_sqlite_path()} can't be copied: {error}") from error
    return least


def _restore_sqlite(path: Path) -> Path | None:
    here = _sqlite_path()
    here.parent.mkdir(parents=True, exist_ok=True)
    connection.close()
    kept = here.with_name(f"{here.name}.before-{datetime.now():%Y%m%d-%H%M%S}")  # noqa: DTZ005
    had_one = here.is_file() and here.stat().st_size > 0
    if had_one and not _can_be_copied(here, kept):
        _put_aside(here, kept)
    with closing(sqlite3.connect(here, timeout=0, isolation_level=None)) as target:
        _alone(target, here)
        with closing(sqlite3.connect(path)) as source:
            source.backup(target)
    here.chmod(0o600)
    return kept if had_one else None


def _alone(file: sqlite3.Connection, here: Path) -> None:
    try:
        # Refused while any other process has the file open.
        file.execute("PRAGMA locking_mode = EXCLUSIVE")
        file.execute("BEGIN EXCLUSIVE")
        file.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise BackupError(f"{here} is in use: stop Levity first ({error})") from error


def _can_be_copied(here: Path, kept: Path) -> bool:
    """Copy the current database; False if it is too damaged to be read."""
    try:
        with closing(sqlite3.connect(here, timeout=0, isolation_level=None)) as file:
            _alone(file, here)
            file.execute("VACUUM INTO ?", [str(kept)])
    except sqlite3.DatabaseError as error:
        kept.unlink(missing_ok=True)
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return False
        raise
    kept.chmod(0o600)
    return True


def _put_aside(here: Path, kept: Path) -> None:
    """Keep the damaged file as it is, with its log, so that its content can be examined."""
    for end in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            here.with_name(here.name + end).replace(kept.with_name(kept.name + end))
    kept.chmod(0o600)


_BY_HAND = {
    "pg_dump": "docker compose exec -T postgres pg_dump --username=levity --format=custom levity"
    " >levity.dump",
    "pg_restore": "docker compose exec -T postgres pg_restore --username=levity --dbname=levity"
    " --clean --if-exists --no-owner --single-transaction <levity.dump\n"
    "and after it: docker compose run --rm be levity restore --done",
}


def _found(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            f"{program} is not installed here (Debian: postgresql-client). With Docker Compose:\n"
            f"{_BY_HAND[program]}"
        )
    return found


def _postgres(program: str, *arguments: str) -> None:
    found = _found(program)
    known = connections[DEFAULT_DB_ALIAS].settings_dict
    connection.close()
    # No password on the command line, where every user of this machine could read it.
    environ = {
        **os.environ,
        "PGHOST": str(known["HOST"] or ""),
        "PGPORT": str(known["PORT"] or ""),
        "PGUSER": str(known["USER"] or ""),
        "PGPASSWORD": str(known["PASSWORD"] or ""),
        "PGDATABASE": str(known["NAME"]),
    }
    environ = {name: value for name, value in environ.items() if value or not name.startswith("PG")}
    into = ["--dbname", str(known["NAME"])] if program == "pg_restore" else []
    done = subprocess.run(  # noqa: S603  # no word of it comes from outside
        [found, *into, *arguments], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{program} failed:\n{done.stderr.strip()[-2000:]}")
