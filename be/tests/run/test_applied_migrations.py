"""Databases on which this release does not start, and those on which it does."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from levity.run.applied_migrations import look_at_migrations
from levity.run.cannot_open import CannotOpen

Open = Callable[[list[tuple[str, str]]], None]


@pytest.fixture
def opened(tmp_path: Path, django_db_blocker: Any) -> Iterator[Open]:
    """Look at a database to which these migrations were applied."""
    alias = f"opened-{uuid.uuid4().hex[:8]}"
    config = dj_database_url.parse(f"sqlite:///{tmp_path / 'opened.sqlite3'}")
    connections.settings[alias] = connections.configure_settings({"default": config})["default"]

    def look(applied: list[tuple[str, str]]) -> None:
        recorder = MigrationRecorder(connections[alias])
        for app, name in applied:
            recorder.record_applied(app, name)
        look_at_migrations(connections[alias])

    with django_db_blocker.unblock():
        yield look
        connections[alias].close()
    del connections[alias]
    del connections.settings[alias]


def former(app: str) -> list[tuple[str, str]]:
    """All that a database of the last commit before the folding has applied of an app."""
    on_disk = MigrationLoader(None).disk_migrations
    return [("ocpp", "0001_initial"), *on_disk[app, "0001_initial"].replaces]


def test_a_new_database_and_one_with_all_former_migrations_open(opened: Open) -> None:
    opened([])
    opened([*former("ocpp"), *former("operation"), *former("accounts")])


@pytest.mark.parametrize(
    ("app", "steps", "last"),
    [
        ("ocpp", 1, "ocpp.0001_initial"),
        ("ocpp", 10, "ocpp.0010_calls"),
        ("ocpp", 19, "ocpp.0019_audit"),
    ],
)
def test_one_in_the_middle_of_the_former_migrations_says_what_to_do(
    opened: Open, app: str, steps: int, last: str
) -> None:
    """Django would apply the folded one to tables that are there, or fail with a traceback."""
    with pytest.raises(CannotOpen) as told:
        opened(former(app)[:steps])
    said = " ".join(str(told.value).split())
    assert f"it stopped at {last}." in said
    assert "check out the commit d3be4f5, run `levity migrate` there" in said


@pytest.mark.parametrize("app", ["ocpp", "billing", "files"])
def test_one_of_a_later_release_is_named(opened: Open, app: str) -> None:
    with pytest.raises(CannotOpen, match=rf"later release: it has {app}\.9999_of_tomorrow\."):
        opened([*former("ocpp"), (app, "9999_of_tomorrow")])


def test_the_next_migration_is_of_a_later_release_though_former_ones_had_higher_numbers(
    opened: Open,
) -> None:
    newest = max(name for app, name in MigrationLoader(None).disk_migrations if app == "ocpp")
    name = f"{int(newest[:4]) + 1:04d}_of_tomorrow"
    with pytest.raises(CannotOpen, match=rf"later release: it has ocpp\.{name}\."):
        opened([*former("ocpp"), ("ocpp", name)])


def test_an_app_that_a_project_has_taken_out_is_of_no_later_release(opened: Open, settings) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if "accounts" not in app]
    opened([("accounts", "0001_initial"), ("elsewhere", "9999_of_tomorrow")])
