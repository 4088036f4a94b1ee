"""How the database is opened: what was answered is on the disk, and no log grows for good."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.utils import ConnectionHandler

from levity.db.options import tuned

FULL = 2


@pytest.fixture
def database(tmp_path: Path, django_db_blocker: Any) -> Iterator[Any]:
    """A new SQLite file, opened as `levity serve` opens its own."""
    entry = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "levity.sqlite3")}
    with django_db_blocker.unblock():
        opened = ConnectionHandler({"default": tuned(entry)})["default"]
        yield opened
        opened.close()


def pragma(database: Any, name: str) -> Any:
    with database.cursor() as cursor:
        return cursor.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_commit_on_sqlite_waits_for_the_disk(database: Any) -> None:
    """Promise 1: with NORMAL, a power cut takes back what a charger was told."""
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == FULL


def test_a_page_of_sqlite_is_one_of_the_file_system(database: Any) -> None:
    """Smaller ones share a block: a cut while one is written tears the others."""
    assert pragma(database, "page_size") == 4096


def test_a_log_that_one_large_transaction_has_let_grow_is_cut_back(
    database: Any, tmp_path: Path
) -> None:
    log = tmp_path / "levity.sqlite3-wal"
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE large (words TEXT)")
        cursor.execute("BEGIN")
        cursor.executemany("INSERT INTO large VALUES (?)", [("x" * 10_000,)] * 4_000)
        cursor.execute("COMMIT")
        assert log.stat().st_size > 30_000_000
        # The first write after a checkpoint begins the log anew.
        cursor.execute("INSERT INTO large VALUES ('x')")
        cursor.execute("INSERT INTO large VALUES ('x')")
    assert log.stat().st_size <= 16 * 1024 * 1024
