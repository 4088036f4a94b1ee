"""Which backup of the database is the newest, and how to get back to it."""

import json
from datetime import datetime
from pathlib import Path

from levity.installation import data_dir
from levity_ws.frozen import frozen

__all__ = ["LastBackup", "last_backup", "noted_in", "ways_back"]


@frozen
class LastBackup:
    """The newest that this machine has made, as far as is known."""

    path: Path
    made_at: datetime

    @property
    def when(self) -> str:
        """For people, in this machine's time."""
        return f"{self.made_at.astimezone():%Y-%m-%d %H:%M %Z}"


def last_backup() -> LastBackup | None:
    """The newest copy of `levity backup` that is still there; None if none is known."""
    try:
        known = json.loads(noted_in().read_text())
        found = LastBackup(Path(known["path"]), datetime.fromisoformat(known["made_at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.path.is_file() else None


def noted_in() -> Path:
    """The file that names it: beside the database, readable when that is not."""
    return data_dir() / "last_backup"


def ways_back() -> str:
    """Where the newest backup is, and how to get back to it."""
    known = last_backup()
    if known is None:
        return "To restore: `levity restore FILE`, with the newest file from `levity backup`."
    return f"To restore: `levity restore {known.path}` (a backup of {known.when})."
