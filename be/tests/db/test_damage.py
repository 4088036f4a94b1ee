"""C2: a damaged page of the database is infrastructure trouble, and no charger's fault."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from levity.db import damage
from levity.monitoring.alerts.conditions.broken import damaged_database
from levity.ocpp.models import ChargePoint, FailedMessage, Transaction
from levity.ocpp.request import GetResponse, Request, Response
from levity.ocpp.worker.pipeline import DatabaseAway
from levity_ws.rpc.envelope import Close, Send, Spooled
from tests.ocpp.charger import CentralSystem, Charger


@pytest.fixture(autouse=True)
def undamaged() -> Iterator[None]:
    damage.forget()
    yield
    damage.forget()


def malformed(text: str = "database disk image is malformed", code: int = 11) -> DatabaseError:
    """As Django passes it on."""
    cause = sqlite3.DatabaseError(text)
    cause.sqlite_errorcode = code
    error = DatabaseError(text)
    error.__cause__ = cause
    return error


class Broken:
    """A middleware that meets a damaged page at the tag `BAD`."""

    errors: list[BaseException] = []

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain, or the error."""
        if request.payload.get("idTag") == "BAD" and self.errors:
            raise self.errors[0]
        return self.get_response(request)


@pytest.fixture
def site(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[CentralSystem]:
    settings.OCPP_MIDDLEWARE = [f"{__name__}.Broken"]
    Broken.errors = [malformed()]
    # Nothing is damaged in truth, so nothing can be mended.
    monkeypatch.setattr(damage, "rebuild", lambda connection, said: ())
    yield CentralSystem()
    Broken.errors = []


def test_a_frame_that_needs_a_damaged_table_is_not_parked_and_its_neighbours_are_served(
    site: CentralSystem,
) -> None:
    """All of them got a CALLERROR and were parked, one by one."""
    chargers = [Charger(f"CP{number}") for number in range(5)]
    site.take(*(charger.connects() for charger in chargers))
    frames = [
        charger.starts(idTag="BAD" if charger is chargers[2] else "TAG") for charger in chargers
    ]
    taken = site.take(*frames)
    commands = taken.reply.commands
    assert [each.connection for each in commands if isinstance(each, Close)] == [
        chargers[2].connection
    ]
    [close] = [each for each in commands if isinstance(each, Close)]
    assert (close.code, close.reason) == (1013, "the database is damaged; try again later")
    assert len([each for each in commands if isinstance(each, Send)]) == 4
    assert Transaction.objects.count() == 4
    assert FailedMessage.objects.count() == 0
    met = damage.seen()
    assert met == damage.Damage("database disk image is malformed", (), whole=False)


def test_a_frame_that_an_edge_has_answered_is_held(site: CentralSystem) -> None:
    """Nobody would send it again."""
    charger = Charger()
    start = charger.starts(idTag="BAD")
    fields = {
        name: getattr(start, name) for name in ("charge_point", "connection", "seq", "at", "text")
    }
    spooled = Spooled(**fields, answer='[3,"x",{}]', transaction=0)
    for _ in range(4):
        with pytest.raises(DatabaseAway):
            site.take(spooled, deliveries=1)
    assert FailedMessage.objects.count() == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (malformed(), True),
        (malformed("file is not a database", 26), True),
        (malformed("index corrupt", 779), True),
        (malformed("locked", 5), False),
        (malformed("no such table", 1), False),
        (ValueError("malformed"), False),
    ],
)
def test_what_counts_as_damage(error: Exception, expected: bool) -> None:
    assert damage.is_damage(error) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("58030", True),
        ("58P01", True),
        ("XX001", True),
        ("XX002", True),
        ("XX000", False),
        ("23505", False),
    ],
)
def test_what_counts_as_damage_in_postgres(code: str, expected: bool) -> None:
    class FromServer(Exception):
        pgcode = code

    error = DatabaseError("could not read block 3")
    error.__cause__ = FromServer()
    assert damage.is_damage(error) is expected


PAGE = 4096


@pytest.fixture
def file(tmp_path: Path, django_db_blocker: Any) -> Iterator[tuple[Path, BaseDatabaseWrapper]]:
    """A SQLite database of Levity's in a file that can be spoiled, with 200 charge points."""
    path, alias = tmp_path / "levity.sqlite3", "spoiled"
    settings = {**connection.settings_dict, "ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}
    connections.databases[alias] = {**settings, "NAME": str(path)}
    try:
        with django_db_blocker.unblock():
            with connections[alias].schema_editor() as editor:
                for model in apps.get_app_config("ocpp").get_models():
                    editor.create_model(model)
            points = [ChargePoint(identity=f"CP{number}") for number in range(200)]
            ChargePoint.objects.using(alias).bulk_create(points)
            yield path, connections[alias]
    finally:
        connections[alias].close()
        del connections[alias], connections.databases[alias]


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(os.urandom(PAGE))


def complaints(path: Path) -> list[str]:
    """Of SQLite's own check; pages that nobody uses any more are no harm."""
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("PRAGMA integrity_check(1000)").fetchall()
    lines = [line for (text,) in found for line in text.splitlines()]
    return [
        line for line in lines if line != "ok" and "is never used" not in line and "***" not in line
    ]


def roots(path: Path, kind: str) -> dict[str, int]:
    """The first page of each index or table."""
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT name, rootpage FROM sqlite_master WHERE type = ?", [kind])
        return dict(found.fetchall())


def test_every_index_that_is_damaged_is_built_anew(
    file: tuple[Path, BaseDatabaseWrapper],
) -> None:
    """Those that Django names, those that SQLite makes itself, and those of a part of a table."""
    path, database = file
    pages = roots(path, "index")
    assert len(pages) > 40
    database.close()
    for page in pages.values():
        spoil(path, page)
    with pytest.raises(DatabaseError, match="malformed"):
        ChargePoint.objects.using(database.alias).create(identity="CP-NEW")
    assert set(damage.rebuild(database)) == set(pages)
    assert complaints(path) == []
    # They are what they were: unique where they were unique.
    ChargePoint.objects.using(database.alias).create(identity="CP-NEW")
    with pytest.raises(IntegrityError):
        ChargePoint.objects.using(database.alias).create(identity="CP7")
    assert ChargePoint.objects.using(database.alias).get(identity="CP7").pk == 8
    assert roots(path, "index").keys() == pages.keys()
    database.close()
    assert complaints(path) == []


def test_a_damaged_index_is_built_anew_once_and_said(
    file: tuple[Path, BaseDatabaseWrapper], caplog: pytest.LogCaptureFixture
) -> None:
    path, database = file
    [name, *_] = [name for name in roots(path, "index") if "autoindex" in name]
    database.close()
    spoil(path, roots(path, "index")[name])
    assert damage.mend(database, malformed())
    assert damage.seen() == damage.Damage("database disk image is malformed", (name,), whole=True)
    assert "make a backup now" in caplog.text
    assert not damage.mend(database, malformed())


def test_a_damaged_table_is_left_as_it_is_and_the_way_back_is_named(
    file: tuple[Path, BaseDatabaseWrapper], caplog: pytest.LogCaptureFixture
) -> None:
    path, database = file
    database.close()
    spoil(path, roots(path, "table")[ChargePoint._meta.db_table])
    assert not damage.mend(database, malformed())
    met = damage.seen()
    assert met is not None
    assert not met.whole
    assert "levity restore" in caplog.text
    [finding] = damaged_database([{"damage": {"why": met.why, "mended": [], "whole": False}}, {}])
    assert finding.summary.startswith("A database table is damaged")
    assert "levity restore" in finding.detail
    assert damaged_database([{}]) == []
