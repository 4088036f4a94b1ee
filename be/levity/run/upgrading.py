"""A backup before an update changes the database (docs/operating.md, Updates).

The migrations of one release run together, and on both databases each is atomic. But this does not
protect against a bad release: the way back to the previous one is this backup.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from levity.installation import data_dir
from levity.ocpp.models import ChargePoint
from levity.run.backups import BackupError, back_up

__all__ = ["FOLDER", "KEPT", "back_up_before", "changes_ahead"]

FOLDER = "before-updates"
"""In the data folder; readable only for its owner."""
KEPT = 2
"""How many of these backups are kept: the newest ones."""
APP = "ocpp"
MEGA = 1e6


def changes_ahead() -> list[str]:
    """The migrations that `levity migrate` will apply to a database in use, by name.

    Empty for a database that is new, has no charge point yet, or is up to date.
    """
    executor = MigrationExecutor(connection)
    if not any(app == APP for app, _ in executor.loader.applied_migrations):
        return []
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    names = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
    if not names or not _has_charge_points():
        return []
    return names


def _has_charge_points() -> bool:
    # Only by its key: this release's other columns may not exist yet.
    return ChargePoint.objects.values_list("pk", flat=True).order_by().first() is not None


def back_up_before(names: list[str], say: Callable[[str], object]) -> Path | None:
    """Back up the database before these changes, and print where; None if that can't be done.
    Raises CommandError, and changes nothing, if the backup of a SQLite database fails, usually
    because the disk is too full. On Postgres without `pg_dump`, a line says that there is no backup
    and how to make one, and the update continues.
    """
    if connection.vendor != "sqlite" and shutil.which("pg_dump") is None:
        say(
            "No backup was made before this update: pg_dump is not installed here. Make one "
            "yourself before an update (docs/deploying.md)."
        )
        return None
    folder = data_dir() / FOLDER
    file = folder / f"{datetime.now():%Y%m%d-%H%M%S}.backup"  # noqa: DTZ005  # for people
    changes = f"{len(names)} change{'s' * (len(names) > 1)}"
    say(f"Backing up the database before the update ({changes}) to {file} ...")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _enough_room(folder)
        copy = back_up(file)
    except (BackupError, OSError) as error:
        raise CommandError(
            f"the backup before the update failed: {error}\nNothing was changed. Free some space, "
            "or back up elsewhere with `levity backup FILE` and then run `levity migrate "
            "--no-backup`."
        ) from error
    say(f"Backed up {copy}, and read it back. To go back: levity restore {file}")
    _forget_old(folder)
    return file


def _enough_room(folder: Path) -> None:
    """Raises OSError if a copy of the SQLite file would leave no room for the database itself."""
    if connection.vendor != "sqlite":
        return
    size = Path(str(connection.settings_dict["NAME"])).stat().st_size
    free = shutil.disk_usage(folder).free
    if free < 2 * size:
        raise OSError(
            f"{free / MEGA:.0f} MB are free at {folder}, and the copy and the update may need "
            f"{2 * size / MEGA:.0f} MB"
        )


def _forget_old(folder: Path) -> None:
    for old in sorted(folder.glob("*.backup"))[:-KEPT]:
        with suppress(OSError):
            old.unlink()
