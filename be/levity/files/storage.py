"""Files on the disk, under names of our own: written as they come, never held in memory.

`uploads/` has what chargers sent, `firmware/` what people uploaded, `incoming/` what is under way.
"""

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from levity.files import conf
from levity_ws.frozen import frozen

__all__ = [
    "RESERVE",
    "DiskFull",
    "Incoming",
    "NotStored",
    "TooLarge",
    "Written",
    "free",
    "path_of",
    "remove",
    "share_with_group",
    "used",
    "write",
]

RESERVE = 300_000_000
"""Bytes of the disk that files leave free: the database needs them more."""
LOOK_EVERY = 4_000_000
"""Bytes between two looks at the disk."""
UPLOADS, FIRMWARE, INCOMING = "uploads", "firmware", "incoming"


class NotStored(Exception):
    """The text says why, for people."""


class TooLarge(NotStored):
    """More than one file may have."""


class DiskFull(NotStored):
    """No room on the disk, or within the limit of all files."""


@frozen
class Written:
    """A file that is on the disk."""

    path: str
    """Below the folder."""
    size: int
    sha256: str


def free() -> int:
    """Bytes that are free where the files lie."""
    return shutil.disk_usage(_made(INCOMING)).free


def used() -> int:
    """Bytes that all files take."""
    return sum(
        entry.stat().st_size
        for kind in (UPLOADS, FIRMWARE, INCOMING)
        for entry in os.scandir(_made(kind))
        if entry.is_file(follow_symlinks=False)
    )


def path_of(stored: str) -> Path:
    """Where a file lies; ValueError for what is no name of ours."""
    kind, _, name = stored.partition("/")
    if kind not in (UPLOADS, FIRMWARE) or not (name.isascii() and name.isalnum()):
        raise ValueError("not the name of a stored file")
    return conf.folder() / kind / name


def share_with_group(stored: str) -> Path:
    """Let the group of this process read this one file, and no list of the folder: nginx is in that
    group. Returns where it lies; raises OSError.
    """
    path = path_of(stored)
    for each, mode in ((path.parent, 0o710), (path, 0o640)):
        if stat.S_IMODE(each.stat().st_mode) != mode:
            each.chmod(mode)
    return path


def remove(stored: str) -> None:
    """Delete a file; nothing happens if it is not there."""
    path_of(stored).unlink(missing_ok=True)


class Incoming:
    """A file that is being written; `keep` makes it a stored one, leaving without it deletes it."""

    def __init__(self, kind: str, limit: int) -> None:
        self.kind, self.limit = kind, limit
        self.size = 0
        self._looked_at = 0
        self._hash = hashlib.sha256()
        self._check()
        self.name = secrets.token_hex(16)
        self.path = _made(INCOMING) / self.name
        descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, chunk: bytes) -> None:
        """One piece more; raises `TooLarge` or `DiskFull`."""
        if self.size + len(chunk) > self.limit:
            raise TooLarge(f"more than {self.limit // conf.MEGABYTE:,} MB")
        if self.size - self._looked_at >= LOOK_EVERY:
            self._looked_at = self.size
            self._check()
        try:
            self._file.write(chunk)
        except OSError as error:
            raise DiskFull(f"the file can't be written: {error.strerror}") from error
        self._hash.update(chunk)
        self.size += len(chunk)

    def keep(self) -> Written:
        """Now it is whole, or all that will come."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise DiskFull(f"the file can't be written: {error.strerror}") from error
        self.path.replace(_made(self.kind) / self.name)
        return Written(f"{self.kind}/{self.name}", self.size, self._hash.hexdigest())

    def drop(self) -> None:
        """Delete it; nothing happens if it was kept."""
        if not self._file.closed:
            with suppress(OSError):
                self._file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> "Incoming":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def _check(self) -> None:
        left = free()
        if left < RESERVE:
            raise DiskFull(
                f"only {left // conf.MEGABYTE:,} MB are free on the disk of the files, and "
                f"{RESERVE // conf.MEGABYTE:,} MB are left to the database"
            )


def write(kind: str, chunks: Iterable[bytes], limit: int) -> Written:
    """Store all of these pieces."""
    with Incoming(kind, limit) as incoming:
        for chunk in chunks:
            incoming.write(chunk)
        return incoming.keep()


def _made(kind: str) -> Path:
    folder = conf.folder() / kind
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
