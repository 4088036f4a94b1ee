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
def older(tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """The alias of a SQLite file as the release before 0005 left it."""
    alias = f"older-{uuid.uuid4().hex[:8]}"
    config = dj_database_url.parse(f"sqlite:///{tmp_path / 'older.sqlite3'}")
    connections.settings[alias] = connections.configure_settings({"default": config})["default"]
    with django_db_blocker.unblock():
        call_command("migrate", "ocpp", "0004", database=alias, verbosity=0)
        yield alias
        connections[alias].close()
    del connections[alias]
    del connections.settings[alias]


@pytest.mark.parametrize("given", [0, 17])
def test_ids_that_only_the_quarantine_knows_are_not_given_again(older: str, given: int) -> None:
    """On SQLite the table is made anew for its constraint, and its numbers would begin at the last
    row: 17 went to a StartTransaction that made no sense."""
    with connections[older].cursor() as cursor:
        cursor.execute(SEQUENCE)
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "UPDATE sqlite_sequence SET seq = %s WHERE name = 'ocpp_transaction'", [given]
        )
        call_command("migrate", "ocpp", "0005", database=older, verbosity=0)
        cursor.execute(SEQUENCE)
        assert cursor.fetchone() == (given,)
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'ocpp_transaction'")
        (sql,) = cursor.fetchone()
        assert '"meter_start", "occurrence")' in sql
        call_command("migrate", "ocpp", "0004", database=older, verbosity=0)
        cursor.execute(SEQUENCE)
        assert cursor.fetchone() == (given,)
