"""Whether this release can go on from the migrations that were applied to a database."""

from collections.abc import Collection, Mapping

from django.db import Error as DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder

from levity.db.last_backup import ways_back
from levity.run.cannot_open import CannotOpen
from levity_ws import __version__

__all__ = ["look_at_migrations"]


# The last commit with the migrations that 0001_initial of each app replaces.
LAST_WITH_FORMER = "d3be4f5"
# (app, name) of a migration.
Names = Collection[tuple[str, str]]
OnDisk = Mapping[tuple[str, str], Migration]


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
    newest: dict[str, str] = {}
    # Not among the former names: they have higher numbers than those of today.
    for app, name in _ours(on_disk):
        newest[app] = max(name, newest.get(app, ""))
    return sorted(
        f"{app}.{name}"
        for app, name in applied
        if app in newest and name > newest[app] and (app, name) not in known
    )


def _ours(on_disk: OnDisk) -> OnDisk:
    """Without those of Django, of libraries and of the project that Levity is part of."""
    return {
        key: each for key, each in on_disk.items() if type(each).__module__.startswith("levity.")
    }


def _stopped_halfway(applied: Names, on_disk: OnDisk) -> list[str]:
    """The last applied migration of each app with only some of its former migrations applied."""
    found = []
    for (app, name), migration in _ours(on_disk).items():
        former = set(migration.replaces)
        done = {*former, (app, name)} & set(applied)
        if former and done and not former <= set(applied):
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
