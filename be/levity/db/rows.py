"""Many rows in one statement: insert, update and upsert of plain tuples, on Postgres and SQLite.

Django's bulk_create and bulk_update cost several times more CPU per row, and an UPDATE made of CASE
WHEN grows with the square of the rows; these statements have the same short text whatever the
number of rows. Postgres gets the columns as arrays; SQLite, which has no round trips to save, runs
one prepared statement of one row for each of them. Values are Python's own (datetime, Decimal,
UUID, str, int, None); a JSON column takes JSON text. Column names are attribute names as in
`Field.attname`.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

from levity.db.plans import array_text, plain_value, planned
from levity.db.round_trips import write_last
from levity.db.row_sql import (
    column_of,
    insert_sql,
    last_sql,
    update_sql,
    upsert_sql,
)

__all__ = [
    "also",
    "delete_rows",
    "insert_rows",
    "reserve_ids",
    "update_rows",
    "upsert_rows",
    "written_together",
]

Row = Sequence[Any]


def insert_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    new_only: bool = False,
    unless_same: Sequence[str] = (),
) -> None:
    """Insert the rows; with `new_only`, rows that violate a unique constraint are left out.

    `unless_same`: so are those of which the table had a row before with the same values in these
    columns, none of them NULL. An index must be on the first two; of many rows that share these
    two, only some (`row_sql.LOOK_AT_SAME`) are looked at, so that nobody can make it slow.
    """
    if not rows:
        return
    conflict = "DO NOTHING" if new_only else ""
    sql = insert_sql(model, tuple(columns), conflict, tuple(unless_same), alone=len(rows) == 1)
    _run(sql, model, columns, rows, before=bool(unless_same) and len(rows) > 1)


def upsert_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    update: Sequence[str] = (),
    add: Sequence[str] = (),
    mostly_there: bool = False,
) -> None:
    """Insert the rows, or where one with this `key` is there: set `update`, add 1 to `add`.

    The rows must differ in their key (ValueError). `mostly_there` says that nearly all of them
    exist: the result is the same, and Postgres writes less.
    """
    if not rows:
        return
    if len(rows) > 1:
        places = [columns.index(name) for name in key]
        if len({tuple([row[place] for place in places]) for row in rows}) < len(rows):
            raise ValueError(f"{model.__name__}: two rows with the same {', '.join(key)}")
    sql = upsert_sql(
        model,
        tuple(columns),
        tuple(key),
        tuple(update),
        tuple(add),
        alone=len(rows) == 1,
        mostly_there=mostly_there,
    )
    _run(sql, model, columns, rows)


def update_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    key: int = 1,
    keep_null: Sequence[str] = (),
) -> None:
    """Set the columns of existing rows; the first `key` columns say which row is meant.

    A None for a column in `keep_null` leaves it as it is. Of rows with the same key, the last
    counts.
    """
    if not rows:
        return
    if len(rows) > 1:
        rows = _last_of_each(columns, rows, key, keep_null)
    sql = update_sql(model, tuple(columns), key, tuple(keep_null), alone=len(rows) == 1)
    _run(sql, model, columns, _in_key_order(rows))


def delete_rows(model: type[Model], pks: Sequence[int]) -> int:
    """Delete the rows with these ids, without reading them or what points to them; how many there
    were."""
    if not pks:
        return 0
    database = connections[DEFAULT_DB_ALIAS]
    table = database.ops.quote_name(model._meta.db_table)
    if database.vendor == "postgresql":
        among, listed = "= ANY(%s::bigint[])", array_text(pks)
    else:
        among, listed = "IN (SELECT value FROM json_each(%s))", str(list(pks))
    with database.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id {among}", [listed])
        return int(cursor.rowcount)


def _last_of_each(
    columns: Sequence[str], rows: Sequence[Row], key: int, keep_null: Sequence[str]
) -> Sequence[Row]:
    """One row for each key: Postgres would use any of them, SQLite one after the other."""
    last = {row[:key]: row for row in rows}
    if len(last) == len(rows):
        return rows
    kept = [number for number, name in enumerate(columns) if name in keep_null]
    for row in reversed(rows):
        newer = last[row[:key]]
        if any(newer[number] is None for number in kept):
            last[row[:key]] = tuple(
                row[number] if value is None and number in kept else value
                for number, value in enumerate(newer)
            )
    return list(last.values())


def _in_key_order(rows: Sequence[Row]) -> Sequence[Row]:
    """Sorted by key, so that two workers take the row locks in the same order."""
    return sorted(rows, key=lambda row: row[0]) if len(rows) > 1 else rows


def reserve_ids(model: type[Model], count: int) -> list[int]:
    """Ids that no other row of the table will ever have; only inside a transaction.

    Postgres takes them from the table's sequence. On SQLite the transaction holds the write lock,
    so no one else can use the next ids until the rows are there.
    """
    if count == 0:
        return []
    table = model._meta.db_table
    database = connections[DEFAULT_DB_ALIAS]
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            sql = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
            cursor.execute(planned(database, sql), [table, count])
            return [row[0] for row in cursor.fetchall()]
        # Advanced at once: an id for a quarantined message gets no row here.
        advance = "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s RETURNING seq"
        cursor.execute(advance, [count, table])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, count]
            )
        last = row[0] if row else count
        return list(range(last - count + 1, last + 1))


class _Together(threading.local):
    """The statements of this thread that wait for their round trip; None: they don't wait."""

    statements: list[str] | None = None
    values: list[Any]
    """For all their placeholders."""


_together = _Together()


def also(sql: str, values: Sequence[Any]) -> None:
    """Execute this statement, whose result is of no interest, in the round trip of the rows."""
    database = connections[DEFAULT_DB_ALIAS]
    if _together.statements is not None and database.connection is not None:
        _together.statements.append(planned(database, sql))
        _together.values += values
        return
    with database.cursor() as cursor:
        cursor.execute(sql, values)


@contextmanager
def written_together() -> Iterator[None]:
    """What this module writes inside this context goes to Postgres in one round trip.

    At the end, or before any other statement, so that the order is kept. Only as the last part of a
    transaction: an error is raised here, and undoes all of it. In `in_few_trips`, the COMMIT is
    sent with the statements that wait at the end.
    """
    _together.statements, _together.values = [], []
    database = connections[DEFAULT_DB_ALIAS]
    # The outermost wrapper, not the innermost as with `execute_wrapper`: waiting statements come
    # first, and the others see them first.
    database.execute_wrappers.insert(0, _after_what_waits)
    try:
        try:
            yield
        finally:
            database.execute_wrappers.remove(_after_what_waits)
        if waiting := _take_what_waits():
            write_last(database, *waiting)
    finally:
        _together.statements = None


def _after_what_waits(execute: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
    if waiting := _take_what_waits():
        with context["connection"].cursor() as cursor:
            cursor.execute(*waiting)
    return execute(sql, parameters, many, context)


def _take_what_waits() -> tuple[str, list[Any]] | None:
    """The statements as one text, and their values; from now on they don't wait any more."""
    if not _together.statements:
        return None
    waiting = ";\n".join(_together.statements), _together.values
    _together.statements, _together.values = [], []
    return waiting


def _run(
    sql: str,
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    before: bool = False,
) -> None:
    """Execute the statement; `before` distinguishes rows that already existed from these.

    Postgres sees the table as it was when the statement began. SQLite runs a statement for each
    row, and has to be told which row was the last before the first of them.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql":
        if len(rows) == 1:
            values = [plain_value(value) for value in rows[0]]
        else:
            values = [array_text(column) for column in zip(*rows, strict=True)]
        if _together.statements is not None and database.connection is not None:
            _together.statements.append(planned(database, sql))
            _together.values += values
            return
        with database.cursor() as cursor:
            cursor.execute(planned(database, sql), values)
        return
    found = _sqlite_rows(model, tuple(columns), rows)
    with database.cursor() as cursor:
        if before:
            cursor.execute(last_sql(model))
            last = cursor.fetchone()
            found = [(*row, *last) for row in found]
        cursor.executemany(sql, found)


def _sqlite_rows(model: type[Model], columns: tuple[str, ...], rows: Sequence[Row]) -> list[Row]:
    """The rows as SQLite stores them: column by column, because most columns need no conversion."""
    found = list(zip(*rows, strict=True))
    for number, change in _sqlite_converters(model, columns):
        found[number] = _changed(found[number], change)
    return list(zip(*found, strict=True))


def _changed(column: Row, change: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Each value as SQLite stores it; cached, because thousands of samples have the same time."""
    changed, last, new = [], None, None
    for value in column:
        if value is not last:
            last, new = value, None if value is None else change(value)
        changed.append(new)
    return tuple(changed)


@lru_cache(maxsize=256)
def _sqlite_converters(
    model: type[Model], columns: tuple[str, ...]
) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """The columns that SQLite stores as something else, and how."""
    kinds = [column_of(model, name).get_internal_type() for name in columns]
    return tuple((number, _SQLITE[kind]) for number, kind in enumerate(kinds) if kind in _SQLITE)


def _sqlite_time(value: datetime) -> str:
    # In UTC in nearly all cases; the last six characters are "+00:00".
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(" ")[:-6]


def _sqlite_uuid(value: UUID | str) -> str:
    return value.hex if isinstance(value, UUID) else value.replace("-", "")


def _sqlite_decimal(value: Decimal) -> str:
    return format(value, "f")


_SQLITE: dict[str, Callable[[Any], Any]] = {
    "DateTimeField": _sqlite_time,
    "UUIDField": _sqlite_uuid,
    "DecimalField": _sqlite_decimal,
    "BooleanField": int,
}
