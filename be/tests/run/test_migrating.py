"""`levity migrate`: what Levity adds to Django's command."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import OperationalError, connection

pytestmark = pytest.mark.django_db


class Undone(Exception):
    """What psycopg2 says of a statement that the server took back."""

    def __init__(self, pgcode: str) -> None:
        super().__init__("deadlock detected")
        self.pgcode = pgcode


def failing(times: int, pgcode: str, seen: list[int]) -> Any:
    def handle(*_: Any, **__: Any) -> None:
        seen.append(1)
        if len(seen) <= times:
            raise OperationalError("deadlock detected") from Undone(pgcode)

    return handle


def test_an_update_begins_again_where_workers_stood_in_its_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of its locks and two of a batch's waited for each other, and the update gave up."""
    seen: list[int] = []
    monkeypatch.setattr(migrate.Command, "handle", failing(2, "40P01", seen))
    call_command("migrate", no_backup=True)
    assert len(seen) == 3
    assert capsys.readouterr().out.count("trying again") == 2


@pytest.mark.parametrize(("pgcode", "tries"), [("40P01", 10), ("42P07", 1)])
def test_an_update_gives_up_in_the_end_and_at_once_where_waiting_is_no_help(
    pgcode: str, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(migrate.Command, "handle", failing(99, pgcode, seen))
    with pytest.raises(OperationalError):
        call_command("migrate", no_backup=True, verbosity=0)
    assert len(seen) == tries


DEADLOCK = """DO $$ BEGIN RAISE 'deadlock detected' USING ERRCODE = '40P01'; END $$"""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_update_begins_again_where_a_statement_that_was_put_off_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Django leaves the transaction of a foreign key's or an index's statement open."""
    tables: list[list[str]] = []

    def handle(*_: Any, **__: Any) -> None:
        tables.append(connection.introspection.table_names())
        if len(tables) == 1:
            with connection.schema_editor() as editor:
                editor.deferred_sql.append(DEADLOCK)

    monkeypatch.setattr(migrate.Command, "handle", handle)
    call_command("migrate", no_backup=True, verbosity=0)
    assert len(tables) == 2
    assert tables[0] == tables[1]
    assert not connection.in_atomic_block
