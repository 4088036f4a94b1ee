"""Small file systems that may run full: one tmpfs each, if we may mount."""

import contextlib
import os
import subprocess
import threading
from pathlib import Path

__all__ = ["Disk"]

BLOCK = 64 * 1024


class Disk:
    """A folder on a file system of its own where that is allowed (`real`), else a plain folder."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.real = _mount(folder, megabytes)
        self._ballast = folder / "ballast"
        self._wanted = threading.Event()
        self._lock = threading.Lock()

    def begin(self) -> None:
        """From now on it may be filled."""
        self._wanted.set()

    def fill(self) -> None:
        """Leave not a byte free, unless `empty` came first or comes meanwhile."""
        # As root the last blocks count as free, too; a file of zeros takes them all.
        for size in (BLOCK, 512):
            with self._lock:
                if not self._wanted.is_set():
                    return
                with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
                    while self._wanted.is_set():
                        file.write(bytes(size))

    def empty(self) -> None:
        """Give the space back; whoever is filling it in another thread stops."""
        self._wanted.clear()
        with self._lock:
            self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount."""
        if self.real:
            self.real = False
            subprocess.run(["umount", "-l", str(self.folder)], check=False)  # noqa: S603, S607


def _mount(folder: Path, megabytes: int) -> bool:
    if os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603
    return done.returncode == 0
