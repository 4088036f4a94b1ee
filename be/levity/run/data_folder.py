"""The folder of the database: writable for us, and readable by no other user of this machine."""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

from levity.db.last_backup import ways_back
from levity.installation import data_dir
from levity.run.cannot_open import CannotOpen

__all__ = ["keep_private", "look_at_folder"]


log = logging.getLogger(__name__)
# Files that Levity itself creates in its data folder.
OURS = ("secret_key", "static", "last_backup", "before-updates", "ca", "lint")
OTHERS = stat.S_IRWXO
GROUP = stat.S_IRWXG


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
