"""The database of a run: one of its own, and one that is set back to an older copy."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from levity.ocpp.store.samples import shapes
from levity.run import backups
from levity_lab.oracle.direct import Moment
from levity_lab.oracle.oddities.restores import COPIED, RESTORED

__all__ = ["copies", "own_database"]


@contextmanager
def own_database() -> Iterator[None]:
    """An empty database of its own beside the one that Django was told: gone afterwards.

    SQLite in memory; on Postgres one that the user of DATABASE_URL makes.
    """
    named = connection.settings_dict["NAME"]
    test = connection.settings_dict.setdefault("TEST", {})
    if connection.vendor == "postgresql":
        test["NAME"] = f"levity_oracle_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(str(named), verbosity=0)


def copies() -> list[Moment]:
    """A copy is made, and later it is the database, as `levity backup` and `restore` do it."""
    folder = tempfile.TemporaryDirectory()
    copy = Path(folder.name) / "copy"

    def make() -> None:
        if connection.vendor == "sqlite":
            connection.ensure_connection()
            with sqlite3.connect(copy) as target:
                connection.connection.backup(target)
        else:
            backups.back_up(copy)

    def become() -> None:
        if connection.vendor == "sqlite":
            with sqlite3.connect(copy) as source:
                source.backup(connection.connection)
        else:
            backups.restore(copy)
        backups.settle(datetime.fromtimestamp(RESTORED, UTC))
        # The process that goes on has read no tables yet.
        shapes.store_again()
        folder.cleanup()

    return [(COPIED, make), (RESTORED, become)]
