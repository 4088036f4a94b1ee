"""F-30: a transactionId is never given twice, not by a release that changes the table either."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.core.management import call_command
from django.db import connections

SEQUENCE = "SELECT seq FROM sqlite_sequence WHERE name = 'ocpp_transaction'"


@pytest.fixture
def oldest(tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """The alias of a SQLite file with the first tables that this release goes on from."""
    alias = f"oldest-{uuid.uuid4().hex[:8]}"
    config = dj_database_url.parse(f"sqlite:///{tmp_path / 'oldest.sqlite3'}")
    connections.settings[alias] = connections.configure_settings({"default": config})["default"]
    with django_db_blocker.unblock():
        call_command("migrate", "ocpp", "0001", database=alias, verbosity=0)
        yield alias
        connections[alias].close()
    del connections[alias]
    del connections.settings[alias]


@pytest.mark.slow
def test_ids_that_only_the_quarantine_knows_are_not_given_again(oldest: str) -> None:
    """On SQLite the table is made anew for its constraint, and its numbers would begin at the last
    row: 17 went to a StartTransaction that made no sense. See `levity.db.kept_ids`."""
    with connections[oldest].cursor() as cursor:
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('ocpp_transaction', 17)")
        call_command("migrate", "ocpp", database=oldest, verbosity=0)
        cursor.execute(SEQUENCE)
        assert cursor.fetchall() == [(17,)]
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'transaction_once'")
        [(sql,)] = cursor.fetchall()
        assert sql.endswith("""WHERE "wire_id" = ''""")
