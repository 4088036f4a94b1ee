"""The newest backup of the database, and how to restore it."""

import json
from datetime import datetime
from pathlib import Path

from levity.installation import data_dir
from levity_ws.frozen import frozen

__all__ = ["LastBackup", "last_backup", "noted_in", "ways_back"]


@frozen
class LastBackup:
    """The newest known backup from this machine."""

    path: Path
    made_at: datetime

    @property
    def when(self) -> str:
        """For people, in this machine's time zone."""
        return f"{self.made_at.astimezone():%Y-%m-%d %H:%M %Z}"


def last_backup() -> LastBackup | None:
    """The newest file from `levity backup` that still exists; None if none is known."""
    try:
        known = json.loads(noted_in().read_text())
        found = LastBackup(Path(known["path"]), datetime.fromisoformat(known["made_at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.path.is_file() else None


def noted_in() -> Path:
    """The file that names it: next to the database, so that it is readable when the database is
    not."""
    return data_dir() / "last_backup"


def ways_back() -> str:
    """Where the newest backup is, and how to restore it."""
    known = last_backup()
    if known is None:
        return "To restore: `levity restore FILE`, with the newest file from `levity backup`."
    return f"To restore: `levity restore {known.path}` (a backup of {known.when})."
