"""An update of a database in use begins with a backup that was read back."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from levity.ocpp.models import ChargePoint
from levity.run import upgrading
from levity.run.reading_back import Copy
from levity.run.upgrading import FOLDER, KEPT, back_up_before, changes_ahead
from tests.migrated import copy_file
from tests.system.processes import Ran, python, run
from tests.system.site import clean_environ

ONE = ["ocpp.0002_more"]


def levity(folder: Path, *words: str) -> Ran:
    return run(python("-m", "levity", *words), clean_environ(folder), folder)


def give_a_charge_point(database: Path) -> None:
    code = "from levity.ocpp.models import ChargePoint; ChargePoint.objects.create(identity='CP-1')"
    assert levity(database.parents[1], "shell", "--command", code).returncode == 0


@pytest.mark.slow
def test_an_update_backs_the_database_up_and_says_where(tmp_path: Path) -> None:
    data = tmp_path / "data"
    copy_file(data)
    # Back to a release before: one change fewer.
    back = levity(tmp_path, "migrate", "axes", "0009")
    assert back.returncode == 0, back.stderr
    assert not (data / FOLDER).exists(), "nobody's data are in it yet"
    give_a_charge_point(data / "levity.sqlite3")

    ran = levity(tmp_path, "migrate", "--verbosity", "0")
    assert ran.returncode == 0, ran.stderr
    [copy] = (data / FOLDER).iterdir()
    assert f"before the update (1 change) to {copy}" in ran.stdout
    assert f"To go back: levity restore {copy}" in ran.stdout
    assert copy.stat().st_mode & 0o077 == 0
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT identity FROM ocpp_chargepoint").fetchall() == [("CP-1",)]
    again = levity(tmp_path, "migrate", "--verbosity", "0")
    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.django_db
def test_a_new_database_and_one_that_is_up_to_date_need_no_backup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert changes_ahead() == []
    ChargePoint.objects.create(identity="CP-1", last_seen_at=timezone.now())
    assert changes_ahead() == []

    class Ahead:
        app_label, name = "ocpp", "0002_more"

    def plan(*_: Any) -> list[tuple[Any, bool]]:
        return [(Ahead, False)]

    monkeypatch.setattr(upgrading.MigrationExecutor, "migration_plan", plan)
    assert changes_ahead() == ONE
    ChargePoint.objects.all().delete()
    assert changes_ahead() == []


@pytest.mark.django_db
@pytest.mark.usefixtures("sqlite_file")
class TestOnSqlite:
    def test_without_room_for_the_copy_nothing_is_changed(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(upgrading.shutil, "disk_usage", lambda _: usage._replace(free=1000))
        with pytest.raises(CommandError, match="Nothing was changed") as told:
            back_up_before(ONE, lambda _: None)
        assert "0 MB are free" in str(told.value)
        assert not list((tmp_path / FOLDER).iterdir())

    def test_the_newest_backups_are_kept(self, tmp_path: Path) -> None:
        folder = tmp_path / FOLDER
        folder.mkdir()
        for day in range(1, 6):
            (folder / f"2026010{day}-000000.backup").write_text("old")
        mine = folder / "by-hand.sqlite3"
        mine.write_text("a person's")
        file = back_up_before(ONE, lambda _: None)
        left = sorted(each.name for each in folder.iterdir())
        assert file is not None
        assert left == ["20260105-000000.backup", file.name, mine.name]
        assert len(left) == KEPT + 1


@pytest.fixture
def sqlite_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As if this file were the database: tests have theirs in memory."""
    database = tmp_path / "levity.sqlite3"
    with sqlite3.connect(database) as file:
        file.execute("CREATE TABLE ocpp_transaction (id INTEGER)")

    def copy(path: Path) -> Copy:
        shutil.copy(database, path)
        return Copy(1, 0, path.stat().st_size)

    class Connection:
        vendor = "sqlite"
        settings_dict = {"NAME": str(database)}

    monkeypatch.setattr(upgrading, "back_up", copy)
    monkeypatch.setattr(upgrading, "connection", Connection)
    monkeypatch.setattr(upgrading, "data_dir", lambda: tmp_path)


def test_postgres_without_pg_dump_says_that_there_is_no_backup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Connection:
        vendor = "postgresql"

    monkeypatch.setattr(upgrading, "connection", Connection)
    monkeypatch.setattr(upgrading.shutil, "which", lambda _: None)
    said: list[str] = []
    assert back_up_before(ONE, said.append) is None
    assert said[0].startswith("No backup was made before this update: pg_dump is not installed")


@pytest.mark.django_db
def test_a_person_may_go_without_a_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "levity.run.management.commands.migrate.changes_ahead", lambda: asked.append("x") or ONE
    )
    monkeypatch.setattr(
        "levity.run.management.commands.migrate.back_up_before",
        lambda names, _: asked.extend(names),
    )
    monkeypatch.setattr("levity.run.management.commands.migrate.open_database", lambda: None)
    call_command("migrate", "--no-backup", verbosity=0)
    assert asked == []
    call_command("migrate", verbosity=0)
    assert asked == ["x", *ONE]
