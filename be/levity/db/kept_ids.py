"""Ids that are never given twice, through a migration that makes their table anew.

SQLite changes most things of a table by copying it to a new one, whose AUTOINCREMENT goes on from
the last row that is there: an id that was given to something without a row would be given again.
Postgres changes the table itself.
"""

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations import RunPython
from django.db.migrations.operations.base import Operation

__all__ = ["ids_kept"]


def ids_kept(table: str, operations: Sequence[Operation]) -> list[Operation]:
    """These operations of a migration, forwards or back, with the last id of the table kept."""
    last: dict[str, int] = {}

    def remember(apps: Any, editor: Any) -> None:
        if editor.connection.vendor == "sqlite":
            last[editor.connection.alias] = _last(editor.connection, table)

    def put_back(apps: Any, editor: Any) -> None:
        known = last.pop(editor.connection.alias, 0)
        if known:
            _set_last(editor.connection, table, known)

    return [RunPython(remember, put_back), *operations, RunPython(put_back, remember)]


def _last(connection: Any, table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
    return row[0] if row else 0


def _set_last(connection: Any, table: str, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
