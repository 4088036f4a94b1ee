"""A backup is read back: what the disk has spoiled, or what is missing, is noticed at once."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection

from levity.ocpp.models import ChargePoint, Transaction
from levity.run import backups, reading_back
from levity.run.reading_back import (
    BackupError,
    Copy,
    checked_dump,
    checked_sqlite,
    counted,
    on_disk_as_written,
)
from tests.migrated import copy_file
from tests.ocpp.charger import NOW
from tests.system.processes import python, run
from tests.system.site import clean_environ

SESSIONS = 2_000


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A SQLite file like Levity's, of some hundred pages."""
    path = tmp_path / "levity.sqlite3"
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE ocpp_chargepoint (id INTEGER PRIMARY KEY)")
        file.execute("CREATE TABLE ocpp_transaction (id INTEGER PRIMARY KEY, id_tag TEXT)")
        file.execute("CREATE INDEX by_tag ON ocpp_transaction (id_tag)")
        file.executemany("INSERT INTO ocpp_chargepoint VALUES (?)", [(n,) for n in range(3)])
        rows = [(n, f"TAG{n:06d}" * 10) for n in range(SESSIONS)]
        file.executemany("INSERT INTO ocpp_transaction VALUES (?, ?)", rows)
    return path


def spoil(path: Path, share: float, length: int = 512) -> None:
    """Other bytes at this place of the file, as a card gives them back whose cells have aged."""
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * share))
        spoiled = bytes(byte ^ 0x5A for byte in file.read(length))
        file.seek(-len(spoiled), os.SEEK_CUR)
        file.write(spoiled)


def test_a_copy_says_what_it_holds(database: Path) -> None:
    found = checked_sqlite(database)
    assert found == Copy(3, SESSIONS, database.stat().st_size)
    assert str(found).endswith(" MB with 3 charge points and 2,000 sessions")
    assert str(Copy(1, 0, 1_000_000)) == "1.0 MB with 1 charge point and 0 sessions"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_a_damaged_copy_is_noticed(database: Path, share: float) -> None:
    page = 4096 / database.stat().st_size
    spoil(database, int(share / page) * page)
    with pytest.raises(BackupError, match=r"is damaged|is not a SQLite database"):
        checked_sqlite(database)


def test_a_copy_that_ends_too_early_is_noticed(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)
    with pytest.raises(BackupError, match=r"is damaged|is not a SQLite database"):
        checked_sqlite(database)


def test_a_copy_without_the_last_sessions_is_noticed(database: Path) -> None:
    with pytest.raises(BackupError, match="has 2,000 sessions, and the database had 2,001"):
        checked_sqlite(database, Copy(3, SESSIONS + 1))
    assert checked_sqlite(database, Copy(9, SESSIONS)).sessions == SESSIONS


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A card that is to give the next file back spoiled at this place."""

    def fails(share: float) -> None:
        def forget(file: int) -> None:
            spoil(Path(f"/proc/self/fd/{file}").readlink(), share, length=1)

        monkeypatch.setattr(reading_back, "_forget", forget)

    return fails


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_byte_that_the_card_has_changed_is_noticed(
    database: Path, card: Callable[[float], None], share: float
) -> None:
    """SQLite has no checksums: it does not see another letter in an id tag."""
    on_disk_as_written(database)
    card(share)
    with pytest.raises(BackupError, match="the disk, card or stick is failing"):
        on_disk_as_written(database)


@pytest.mark.django_db
def test_a_backup_that_comes_back_spoiled_leaves_no_file_and_no_note(
    database: Path,
    card: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    class Connection:
        vendor = "sqlite"

    noted = tmp_path / "last_backup"
    monkeypatch.setattr(backups, "connection", Connection)
    monkeypatch.setattr(backups, "_sqlite_path", lambda: database)
    monkeypatch.setattr(backups, "noted_in", lambda: noted)
    copy = tmp_path / "stick" / "levity.backup"
    copy.parent.mkdir()
    assert backups.back_up(copy).sessions == SESSIONS
    assert noted.is_file()
    shutil.move(copy, tmp_path / "kept")
    noted.unlink()
    card(0.5)
    with pytest.raises(BackupError):
        backups.back_up(copy)
    assert list(copy.parent.iterdir()) == []
    assert not noted.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_dump_is_unpacked_and_its_rows_are_counted(tmp_path: Path) -> None:
    program, packer = shutil.which("pg_restore"), shutil.which("pg_dump")
    assert program, "postgresql-client is installed with the tests' services"
    assert packer
    one = ChargePoint.objects.create(identity="CP1")
    Transaction.objects.bulk_create(
        [
            Transaction(
                charge_point=one,
                connector=1,
                started_at=NOW,
                meter_start=number,
                # (What a line of a dump looks like at its end, and what packs badly.)
                id_tag=f"\\.\n\\.{uuid4()}",
            )
            for number in range(3_000)
        ]
    )
    dump, known = tmp_path / "levity.dump", connection.settings_dict
    subprocess.run(
        [packer, "--format=custom", f"--file={dump}", str(known["NAME"])],
        env={
            **os.environ,
            "PGHOST": str(known["HOST"]),
            "PGPORT": str(known["PORT"] or 5432),
            "PGUSER": str(known["USER"]),
            "PGPASSWORD": str(known["PASSWORD"] or ""),
        },
        check=True,
    )
    assert checked_dump(program, dump, counted()) == Copy(1, 3_000, dump.stat().st_size)
    with pytest.raises(BackupError, match="has 3,000 sessions, and the database had 3,001"):
        checked_dump(program, dump, Copy(1, 3_001))
    whole = dump.read_bytes()
    # The rows are at the end of the file.
    for share in (0.0, 1 - 20_000 / len(whole), 1 - 40_000 / len(whole)):
        dump.write_bytes(whole)
        spoil(dump, share, 64)
        with pytest.raises(BackupError, match="is damaged"):
            checked_dump(program, dump)
    dump.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(BackupError, match="is damaged"):
        checked_dump(program, dump)


@pytest.mark.slow
def test_the_command_says_what_it_has_read_back(tmp_path: Path) -> None:
    def levity(*words: str) -> tuple[int, str, str]:
        ran = run(python("-m", "levity", *words), clean_environ(tmp_path), tmp_path)
        return ran.returncode, ran.stdout, ran.stderr

    copy_file(tmp_path / "data")
    copy = tmp_path / "levity.backup"
    code, said, _ = levity("backup", str(copy))
    assert code == 0
    assert said.endswith(" MB with 0 charge points and 0 sessions, read back and whole\n")
    assert levity("backup", "--check", str(copy))[1] == said
    os.truncate(copy, copy.stat().st_size // 2)
    code, _, why = levity("backup", "--check", str(copy))
    assert code == 1
    assert "is damaged" in why or "is not a SQLite database" in why
    assert levity("restore", "--no-input", str(copy))[0] == 1
