"""Before anybody works on the database: is it there, whole, of this release, and nobody else's?

What can't go on says so in plain lines, with the way to `levity restore`, and no traceback.
"""

import logging
import os
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from levity.db.last_backup import ways_back
from levity.installation import data_dir, is_levitys_own
from levity_ws import __version__

__all__ = [
    "CannotOpen",
    "keep_private",
    "look_at_folder",
    "newer_than_this",
    "open_database",
]

log = logging.getLogger(__name__)

# What Levity itself puts into its data folder.
OURS = ("secret_key", "static", "last_backup", "before-updates", "ca", "lint")
APPS = ("ocpp", "operation", "accounts")
OTHERS = stat.S_IRWXO
GROUP = stat.S_IRWXG


class CannotOpen(Exception):
    """Nobody can work on this database as it is; the text says why, and what to do."""


def open_database() -> None:
    """Make sure that this process can work on it, and nobody else reads it; CannotOpen if not."""
    connection = connections[DEFAULT_DB_ALIAS]
    path = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor == "sqlite" and path.is_absolute():
        look_at_folder(path)
        if is_levitys_own():
            keep_private(path)
        _look_at_file(path)
    if names := newer_than_this(connection):
        connection.close()
        raise CannotOpen(_newer(names))


def look_at_folder(path: Path) -> None:
    """CannotOpen if the folder of this database can't be written."""
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
    """Its first page and its list of tables; a truncated file shows itself by them, too."""
    try:
        with closing(sqlite3.connect(path, timeout=20)) as file:
            file.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise CannotOpen(damaged(path, str(error))) from error
        raise CannotOpen(f"The database {path} can't be opened: {error}.\n{ways_back()}") from error


def damaged(path: object, why: str) -> str:
    """What is told of a database that can't be read."""
    return (
        f"The database {path} is damaged: {why}.\nThis usually means that a disk or SD card is "
        f"failing; check it first. Nothing was changed.\n{ways_back()}"
    )


def keep_private(path: Path) -> None:
    """Nobody else on this machine reads the database: names, cards, hashed passwords are in it.

    A folder in which there are other things, too, is left as it is, and so are the rights of a
    group other than the owner's own: somebody gave them on purpose.
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
    """Take from all others what they may; True if there was something to take."""
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
    """True if there is nothing in it but what Levity puts there."""
    if folder != data_dir():
        return False
    with suppress(OSError):
        return all(
            each.name.startswith(name) or each.name.split(".")[0] in OURS
            for each in folder.iterdir()
        )
    return False


def newer_than_this(connection: BaseDatabaseWrapper) -> list[str]:
    """Changes of the database that a later release has made, and that this one doesn't know."""
    try:
        loader = MigrationLoader(connection)
    except DatabaseError:
        return []  # it is away: whoever works on it will hear of that
    newest = {
        app: max((name for label, name in loader.disk_migrations if label == app), default="")
        for app in APPS
    }
    return sorted(
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in newest and name > newest[app] and (app, name) not in loader.disk_migrations
    )


def _newer(names: list[str]) -> str:
    return (
        f"This is Levity {__version__}, but its database was migrated by a later release: it has "
        f"{', '.join(names)}.\nNothing was changed. Start the later release (`git pull`, or the "
        "newer image). To go back to this release, restore a backup from before the "
        f"update.\n{ways_back()}"
    )
