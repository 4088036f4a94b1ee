"""Checks before a process uses the database: does it exist, is it intact, of this release, and
private? A failure is explained in plain lines, with the way to `levity restore` and without a
traceback.
"""

import logging
import os
import sqlite3
import stat
from collections.abc import Collection, Mapping
from contextlib import closing, suppress
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder

from levity.db.last_backup import ways_back
from levity.installation import data_dir, is_levitys_own
from levity_ws import __version__

__all__ = [
    "CannotOpen",
    "keep_private",
    "look_at_folder",
    "look_at_migrations",
    "open_database",
]

log = logging.getLogger(__name__)

# Files that Levity itself creates in its data folder.
OURS = ("secret_key", "static", "last_backup", "before-updates", "ca", "lint")
APPS = ("ocpp", "operation", "accounts")
# The last commit with the migrations that 0001_initial of each app replaces.
LAST_WITH_FORMER = "d3be4f5"
# (app, name) of a migration.
Names = Collection[tuple[str, str]]
OnDisk = Mapping[tuple[str, str], Migration]
OTHERS = stat.S_IRWXO
GROUP = stat.S_IRWXG


class CannotOpen(Exception):
    """This database can't be used as it is; the text says why, and what to do."""


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


def look_at_folder(path: Path) -> None:
    """Raises CannotOpen if the folder of this database is not writable."""
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        os.close(os.open(probe, os.O_CREAT | os.O_WRONLY, 0o600))
        probe.unlink()
    except OSError as error:
        raise CannotOpen(
            f"The data folder {folder} is not writable: "
            f"{error.strerror or error}.\n{_whose(folder)}\nLevity keeps its database there and "
            "must be able to write to the folder. Start it as the user who owns the folder, or "
            "set LEVITY_DATA_DIR to another folder.\nA disk or SD card that has become read-only "
            f"is failing: replace it.\n{ways_back()}"
        ) from error
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise CannotOpen(
            f"The database {path} can't be read and written by this user.\n{_whose(path)}\nStart "
            "Levity as the user who owns it, or change its owner (`sudo chown`)."
        )


def _whose(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "Its owner can't be determined."
    mode = stat.filemode(found.st_mode)
    return f"It belongs to user number {found.st_uid} ({mode}); this is user number {os.geteuid()}."


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


def keep_private(path: Path) -> None:
    """Make the database unreadable for other users of this machine: it contains names, cards and
    hashed passwords. A folder that contains other files is left as it is, and so is the access of a
    group other than the owner's own, which was given on purpose.
    """
    files = [*sorted(path.parent.glob(f"{path.name}*")), path.with_name("secret_key")]
    tightened = [each for each in files if _tighten(each)]
    if _is_ours(path.parent, path.name) and _tighten(path.parent):
        tightened.append(path.parent)
    if tightened:
        names = ", ".join(each.name for each in tightened)
        log.warning(
            "%s in %s was readable by others; permissions corrected", names, path.parent.parent
        )


def _tighten(path: Path) -> bool:
    """Remove the permissions of all others; True if there were any."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
            return False
        taken = OTHERS if found.st_gid != os.getegid() else OTHERS | GROUP
        if not found.st_mode & taken or found.st_mode & stat.S_ISVTX:
            return False
        path.chmod(stat.S_IMODE(found.st_mode) & ~taken)
    except OSError:
        return False
    return True


def _is_ours(folder: Path, name: str) -> bool:
    """True if it contains only files that Levity creates."""
    if folder != data_dir():
        return False
    with suppress(OSError):
        return all(
            each.name.startswith(name) or each.name.split(".")[0] in OURS
            for each in folder.iterdir()
        )
    return False


def look_at_migrations(connection: BaseDatabaseWrapper) -> None:
    """Raises CannotOpen if this release can't continue from the migrations applied to this
    database."""
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return  # it is not available: the process that uses it will report that
    on_disk = MigrationLoader(None).disk_migrations
    if names := _newer_than_this(applied, on_disk):
        connection.close()
        raise CannotOpen(_newer(names))
    if names := _stopped_halfway(applied, on_disk):
        connection.close()
        raise CannotOpen(_halfway(names))


def _newer_than_this(applied: Names, on_disk: OnDisk) -> list[str]:
    """Migrations of a later release that this one doesn't know."""
    known = {*on_disk, *(former for each in on_disk.values() for former in each.replaces)}
    newest = {app: max((name for label, name in known if label == app), default="") for app in APPS}
    return sorted(
        f"{app}.{name}"
        for app, name in applied
        if app in newest and name > newest[app] and (app, name) not in known
    )


def _stopped_halfway(applied: Names, on_disk: OnDisk) -> list[str]:
    """The last applied migration of each app with only some of its former migrations applied."""
    found = []
    for (app, name), migration in on_disk.items():
        former = set(migration.replaces)
        done = {*former, (app, name)} & set(applied)
        if app in APPS and former and done and not former <= set(applied):
            found.append(f"{app}.{max(name for _, name in done)}")
    return sorted(found)


def _halfway(names: list[str]) -> str:
    return (
        f"This database was last migrated by an early version of Levity: it stopped at "
        f"{', '.join(names)}.\nNothing was changed. Upgrade in two steps: check out the commit "
        f"{LAST_WITH_FORMER}, run `levity migrate` there, then come back to this release and "
        f"migrate again.\n{ways_back()}"
    )


def _newer(names: list[str]) -> str:
    return (
        f"This is Levity {__version__}, but its database was migrated by a later release: it has "
        f"{', '.join(names)}.\nNothing was changed. Start the later release (`git pull`, or the "
        "newer image). To go back to this release, restore a backup from before the "
        f"update.\n{ways_back()}"
    )
