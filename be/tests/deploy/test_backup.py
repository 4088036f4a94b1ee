"""Backup and restore, drilled (CHECKS.md P-09, F-30): real processes, both databases."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16 import call

from levity.ocpp.models import ChargePoint, Command, Transaction
from tests.system.books import Books, postgres_database
from tests.system.chargers import independent_charger
from tests.system.processes import Process, python, run
from tests.system.site import POSTGRES_URL, clean_environ, embedded, serve


async def sessions(url: str, *numbers: int) -> list[int]:
    """One whole session for each number; always the same words for the same number."""
    given = []
    async with independent_charger(url, "CP-P09") as charger:
        await charger.call(call.BootNotification("Model S1", "Independent"))
        for number in numbers:
            started = await charger.call(
                call.StartTransaction(1, "TAG", number * 1000, f"2026-11-22T0{number}:00:00Z")
            )
            given.append(started.transaction_id)
            await charger.call(
                call.StopTransaction(
                    number * 1000 + 500, f"2026-11-22T0{number}:30:00Z", started.transaction_id
                )
            )
    return given


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as database:
        tables = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            table: sorted(database.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr)
            for table in tables
        }


@pytest.mark.slow
def test_a_site_on_sqlite_comes_back_whole_and_gives_no_number_twice(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    """P-09, F-30: copied while it runs, 0 rows differ; replays are absorbed, lost ids stay lost."""
    copy = tmp_path / "levity.backup"
    with embedded(tmp_path, django_db_blocker) as site:
        before = asyncio.run(sessions(site.url(), 1, 2))
        ran = site.levity("backup", str(copy))
        assert ran.returncode == 0, ran.stderr
        assert copy.stat().st_mode & 0o077 == 0
        assert "already exists" in site.levity("backup", str(copy)).stderr
        # What the copy does not know.
        lost = asyncio.run(sessions(site.url(), 3, 4))
        refused = site.levity("restore", "--no-input", str(copy))
        assert (refused.returncode, "stop Levity first" in refused.stderr) == (1, True)
        assert site.edges[0].stop() == 0

        ran = site.levity("restore", "--no-input", str(copy))
        assert ran.returncode == 0, ran.stderr
        assert "The next transactionId is 1" in ran.stdout
        here = site.folder / "data/levity.sqlite3"
        restored, copied = content(here), content(copy)
        differ = {table for table in copied if copied[table] != restored[table]}
        # The counter was moved on, nobody is connected to a site that stands still, and what is
        # missing is noted down.
        assert differ <= {"sqlite_sequence", "ocpp_chargepoint", "ocpp_installation"}
        assert len(restored["ocpp_transaction"]) == len(before)
        assert list(here.parent.glob("levity.sqlite3.before-*"))

        serve(site)
        again = asyncio.run(sessions(site.url(), 1, 2, 3, 4, 5))
        assert again[:2] == before
        assert not set(again[2:]) & set(before + lost)
        assert len(set(again)) == 5
        rows = site.books.rows(Transaction, "id", "state")
        assert rows == [(number, "stopped") for number in sorted(again)]
        assert not site.tracebacks()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a database on Postgres without tables."""
    with postgres_database(POSTGRES_URL) as url:
        yield environ_of(url, tmp_path)


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The same with the tables of today."""
    with postgres_database(POSTGRES_URL, migrated=True) as url:
        yield environ_of(url, tmp_path)


def environ_of(url: str, folder: Path) -> dict[str, str]:
    return clean_environ(folder, DATABASE_URL=url, SECRET_KEY="of-no-value-" * 5)


@pytest.mark.services
@pytest.mark.deploy
def test_a_site_on_postgres_comes_back_and_its_commands_are_not_sent_again(
    migrated: dict[str, str], tmp_path: Path, django_db_blocker: Any
) -> None:
    """P-09, F-30: pg_dump and pg_restore, and what Levity does after them."""
    books = Books(migrated["DATABASE_URL"], django_db_blocker)

    def levity(*arguments: str) -> str:
        ran = run(python("-m", "levity", *arguments), migrated, tmp_path)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    with books.open(Transaction) as rows:
        charger = ChargePoint.objects.using(books.alias).create(identity="CP1")
        rows.create(
            charge_point=charger,
            connector=1,
            started_at="2026-11-22T01:00:00Z",
            meter_start=0,
        )
        Command.objects.using(books.alias).create(charge_point=charger, action="Reset")
    levity("backup", str(tmp_path / "levity.dump"))
    with books.open(Transaction) as rows:
        charger = ChargePoint.objects.using(books.alias).get()
        lost = rows.create(
            charge_point=charger, connector=1, started_at="2026-11-22T02:00:00Z", meter_start=0
        ).pk
    said = levity("restore", "--no-input", str(tmp_path / "levity.dump"))
    assert "1 waiting commands were cancelled" in said
    assert books.rows(Command, "state") == [("cancelled",)]
    assert len(books.rows(Transaction, "id")) == 1
    with books.open(Transaction) as rows:
        charger = ChargePoint.objects.using(books.alias).get()
        new = rows.create(
            charge_point=charger, connector=1, started_at="2026-11-22T03:00:00Z", meter_start=0
        ).pk
    assert new >= lost + 10_000
    # By hand, as with Docker Compose: only what comes after pg_restore.
    assert "The next transactionId is " in levity("restore", "--done", "--gap", "5")


def test_what_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    environ = clean_environ(tmp_path)
    data = tmp_path / "data"

    def restore(path: Path) -> str:
        ran = run(python("-m", "levity", "restore", "--no-input", str(path)), environ, tmp_path)
        assert ran.returncode == 1
        return ran.stderr

    (tmp_path / "text").write_text("no database at all, whatever its name says")
    sqlite3.connect(tmp_path / "other").execute("CREATE TABLE shop (id int)").connection.close()
    assert "does not exist" in restore(tmp_path / "none")
    assert "is not a SQLite database" in restore(tmp_path / "text")
    assert "not Levity's" in restore(tmp_path / "other")
    # (Every command makes the file, for its owner alone, before it is a database.)
    assert (data / "levity.sqlite3").stat().st_size == 0
    ran = run(python("-m", "levity", "backup", str(tmp_path / "copy")), environ, tmp_path)
    assert "there is no database yet" in ran.stderr
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.services
def test_of_several_that_start_at_once_one_brings_the_database_up_to_date(
    empty: dict[str, str], tmp_path: Path
) -> None:
    """T-21: every container migrates at its start; the others wait and find it done."""
    racing = [
        Process(f"migrate-{number}", python("-m", "levity", "migrate"), empty, tmp_path)
        for number in range(3)
    ]
    assert [each.wait(120) for each in racing] == [0, 0, 0]
    applied = [each.log.count("... OK") for each in racing]
    assert sorted(applied)[:2] == [0, 0]
    assert max(applied) > 10
    assert any("waiting for it" in each.log for each in racing)
