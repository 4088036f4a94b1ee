"""A backup is read from the disk, not from memory, before anybody relies on it.

What was written is still in the system's memory, and reading it from there proves nothing about a
failing SD card or stick: so the memory is given back first, and what comes from the disk must be
the same, byte for byte. Then the copy is opened: its structure is whole, and no session is missing.
"""

import hashlib
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from levity.ocpp.models import ChargePoint, Transaction
from levity_ws.frozen import frozen

__all__ = ["BackupError", "Copy", "checked_dump", "checked_sqlite", "counted", "on_disk_as_written"]

CHARGE_POINTS, SESSIONS = ChargePoint._meta.db_table, Transaction._meta.db_table
_BLOCK = 1024 * 1024


class BackupError(Exception):
    """Nothing was changed; the text says why, and what to do."""


@frozen
class Copy:
    """What a backup holds, as it was read back."""

    charge_points: int
    sessions: int
    size: int = 0
    """Bytes of the file."""

    def __str__(self) -> str:
        return (
            f"{self.size / 1e6:.1f} MB with {_many(self.charge_points, 'charge point')} and "
            f"{_many(self.sessions, 'session')}"
        )


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def counted() -> Copy:
    """What the database holds now: a copy made after this has no fewer sessions."""
    return Copy(ChargePoint.objects.count(), Transaction.objects.count())


def on_disk_as_written(path: Path) -> None:
    """BackupError if the disk gives this new file back otherwise than it was written."""
    with path.open("rb") as file:
        written = _digest(file.fileno())
        os.fsync(file.fileno())
        _forget(file.fileno())
        if _digest(file.fileno()) != written:
            raise BackupError(
                f"{path.parent} gave the backup back otherwise than it was written: the disk, card "
                "or stick is failing; back up to another one"
            )


def _digest(file: int) -> bytes:
    found, place = hashlib.blake2b(), 0
    while block := os.pread(file, _BLOCK, place):
        found.update(block)
        place += len(block)
    return found.digest()


def _forget(file: int) -> None:
    """Let the system read the file from the disk the next time, where it can be told to."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def checked_sqlite(path: Path, least: Copy | None = None) -> Copy:
    """What this SQLite file holds; BackupError if it is damaged, or holds less than `least`."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
            if found != "ok":
                raise BackupError(f"{path} is damaged: {found}")
            names = {name for (name,) in copy.execute("SELECT name FROM sqlite_master")}
            tables = {CHARGE_POINTS, SESSIONS}
            if not names >= tables:
                raise BackupError(f"{path} is a database, but not Levity's")
            rows = {
                table: copy.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0]  # noqa: S608
                for table in tables
            }
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{path} is not a SQLite database: {error}") from error
    return _no_less(_copy(rows, path), least, path)


def checked_dump(program: str, path: Path, least: Copy | None = None) -> Copy:
    """The same of a dump of Postgres: `program` (pg_restore) unpacks all of its rows, into nothing.

    The definitions of the tables have no checksum there: only `on_disk_as_written` covers them.
    """
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603  # no word of it comes from outside
            [program, "--data-only", "--file=-", str(path)], stdout=subprocess.PIPE, stderr=errors
        ) as unpacking,
    ):
        assert unpacking.stdout is not None
        rows = _rows_of(unpacking.stdout)
        unpacking.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
    if unpacking.returncode:
        raise BackupError(f"{path} is damaged: {said[-2000:]}")
    if not rows.keys() >= {CHARGE_POINTS, SESSIONS}:
        raise BackupError(f"{path} is a dump, but not of Levity's database")
    return _no_less(_copy(rows, path), least, path)


def _copy(rows: Mapping[str, int], path: Path) -> Copy:
    return Copy(rows[CHARGE_POINTS], rows[SESSIONS], path.stat().st_size)


def _rows_of(lines: Iterable[bytes]) -> dict[str, int]:
    """How many rows each table has in this script (`COPY public.name (...) FROM stdin;`)."""
    rows: dict[str, int] = {}
    table = ""
    for line in lines:
        if table:
            if line == b"\\.\n":
                table = ""
            else:
                rows[table] += 1
        elif line.startswith(b"COPY "):
            table = line.split()[1].decode().rpartition(".")[2].strip('"')
            rows[table] = 0
    return rows


def _no_less(copy: Copy, least: Copy | None, path: Path) -> Copy:
    if least is not None and copy.sessions < least.sessions:
        raise BackupError(
            f"{path} has {_many(copy.sessions, 'session')}, and the database had {least.sessions:,}"
        )
    return copy
