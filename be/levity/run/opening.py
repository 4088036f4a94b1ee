"""Checks before a process uses the database: does it exist, is it intact, of this release, and
private? A failure is explained in plain lines, with the way to `levity restore` and without a
traceback.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections

from levity.db.last_backup import ways_back
from levity.installation import is_levitys_own
from levity.run.applied_migrations import look_at_migrations
from levity.run.cannot_open import CannotOpen
from levity.run.data_folder import keep_private, look_at_folder

__all__ = ["damaged", "open_database"]


def open_database() -> None:
    """Make sure that this process can use it, and that others can't read it; raises CannotOpen if
    not."""
    connection = connections[DEFAULT_DB_ALIAS]
    path = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor == "sqlite" and path.is_absolute():
        look_at_folder(path)
        if is_levitys_own():
            keep_private(path)
        _look_at_file(path)
    look_at_migrations(connection)


def _look_at_file(path: Path) -> None:
    """Read its first page and its list of tables, which also reveals a truncated file."""
    try:
        with closing(sqlite3.connect(path, timeout=20)) as file:
            file.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise CannotOpen(damaged(path, str(error))) from error
        raise CannotOpen(f"The database {path} can't be opened: {error}.\n{ways_back()}") from error


def damaged(path: object, why: str) -> str:
    """The message about a database that can't be read."""
    return (
        f"The database {path} is damaged: {why}.\nThis usually means that a disk or SD card is "
        f"failing; check it first. Nothing was changed.\n{ways_back()}"
    )
