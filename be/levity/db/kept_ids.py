"""Ids that are never given twice, through a migration that makes their table anew.

SQLite changes most things of a table by copying it to a new one, whose AUTOINCREMENT goes on from
the last row that is there: an id that was given to something without a row would be given again.
Postgres changes the table itself.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.migrations.operations.base import Operation, OperationCategory

__all__ = ["ids_kept"]


def ids_kept(table: str, operations: Sequence[Operation]) -> list[Operation]:
    """These operations of a migration, forwards or back, with the last id of the table kept."""
    last: dict[str, int] = {}

    def remember(connection: Any) -> None:
        last[connection.alias] = _last(connection, table)

    def put_back(connection: Any) -> None:
        known = last.pop(connection.alias, 0)
        if known:
            _set_last(connection, table, known)

    return [_OnSqlite(remember, put_back), *operations, _OnSqlite(put_back, remember)]


class _OnSqlite(Operation):
    """Call one of these with the connection, as RunPython does, but without rendering models."""

    category = OperationCategory.PYTHON
    reduces_to_sql = False

    def __init__(
        self, forwards: Callable[[Any], object], backwards: Callable[[Any], object]
    ) -> None:
        self.forwards = forwards
        self.backwards = backwards

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "sqlite":
            self.forwards(schema_editor.connection)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "sqlite":
            self.backwards(schema_editor.connection)


def _last(connection: Any, table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
    return row[0] if row else 0


def _set_last(connection: Any, table: str, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
