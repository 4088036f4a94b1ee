"""Many rows in one statement: insert, update and upsert of plain tuples, on Postgres and SQLite.

Django's bulk_create and bulk_update cost several times more CPU a row, and an UPDATE built of
CASE WHEN grows with the square of the rows; these statements have the same short text whatever
the number of rows. Postgres gets the columns as arrays; SQLite, which has no round trips to save,
runs one prepared statement of one row for each of them. Values are Python's own (datetime, Decimal,
UUID, str, int, None); a JSON column takes JSON text. Column names are attribute names as in
`Field.attname`.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Field, Model

from levity.ocpp.store.planned import array_text, planned
from levity.ocpp.store.trips import committed, with_commit

__all__ = [
    "clear_column",
    "insert_rows",
    "reserve_ids",
    "update_rows",
    "upsert_rows",
    "written_together",
]

Row = Sequence[Any]

# Of rows with the same first two columns, so many are compared (`unless_same`).
LOOK_AT_SAME = 64


def insert_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    new_only: bool = False,
    unless_same: Sequence[str] = (),
) -> None:
    """Insert the rows; with `new_only` those that break a unique constraint are left out.

    `unless_same`: so are those of which the table has a row with the same values in these columns,
    none of them NULL. An index must be on the first two; of many rows that share these two, only
    some (`LOOK_AT_SAME`) are looked at, so that nobody can make it slow.
    """
    if not rows:
        return
    conflict = "DO NOTHING" if new_only else ""
    sql = _insert_sql(model, tuple(columns), conflict, tuple(unless_same))
    _run(sql, model, columns, rows)


def upsert_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    update: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Insert the rows, or where one with this `key` is there: set `update`, add 1 to `add`.

    The rows must differ in their key.
    """
    if not rows:
        return
    fields = [_field(model, name) for name in key]
    target = ", ".join(_quoted(item.column) for item in fields)
    table = _quoted(model._meta.db_table)
    sets = [f"{c} = excluded.{c}" for c in (_quoted(_field(model, n).column) for n in update)]
    sets += [f"{c} = {table}.{c} + 1" for c in (_quoted(_field(model, n).column) for n in add)]
    action = f"({target}) DO UPDATE SET {', '.join(sets)}" if sets else f"({target}) DO NOTHING"
    _run(_insert_sql(model, tuple(columns), action), model, columns, rows)


def update_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    key: int = 1,
    keep_null: Sequence[str] = (),
) -> None:
    """Set the columns of existing rows; the first `key` columns say which row is meant.

    A None for a column in `keep_null` leaves it as it is.
    """
    if not rows:
        return
    _run(
        _update_sql(model, tuple(columns), key, tuple(keep_null)),
        model,
        columns,
        _in_key_order(rows),
    )


def clear_column(model: type[Model], column: str, values: Collection[int]) -> None:
    """Set the column to NULL in the rows in which it has one of these values."""
    if values:
        _run(_clear_sql(model, column), model, (column,), [(value,) for value in sorted(values)])


def _in_key_order(rows: Sequence[Row]) -> Sequence[Row]:
    """By their key, so that two workers take the row locks in the same order."""
    return sorted(rows, key=lambda row: row[0]) if len(rows) > 1 else rows


def reserve_ids(model: type[Model], count: int) -> list[int]:
    """Ids that no other row of the table will ever have; only inside a transaction.

    Postgres takes them from the table's sequence. SQLite's write lock, which the transaction
    holds, keeps everybody else from the next ids until the rows are there.
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
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        if row is None:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, 0)", [table])
        first = (row[0] if row else 0) + 1
        # Moved on at once: an id that goes to a quarantined message gets no row here.
        cursor.execute(
            "UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [first + count - 1, table]
        )
        return list(range(first, first + count))


class _Together(threading.local):
    """The statements of this thread that wait for their round trip; None: they don't wait."""

    statements: list[str] | None = None
    values: list[Any]
    """For the place holders of all of them."""


_together = _Together()


@contextmanager
def written_together() -> Iterator[None]:
    """What this module writes in here goes to Postgres in one round trip.

    At the end, or before any other statement, so that the order is kept. Only as the last part of
    a transaction: an error is raised here, and undoes all of it. What waits at the end takes the
    COMMIT along, in `in_few_trips`.
    """
    _together.statements, _together.values = [], []
    database = connections[DEFAULT_DB_ALIAS]
    # The outermost, and not the innermost as with `execute_wrapper`: what waits comes first, and
    # the others see it first.
    database.execute_wrappers.insert(0, _after_what_waits)
    try:
        yield
        _send_what_waits(database, last=True)
    finally:
        database.execute_wrappers.remove(_after_what_waits)
        _together.statements = None


def _after_what_waits(execute: Any, sql: Any, parameters: Any, many: bool, context: Any) -> Any:
    _send_what_waits(context["connection"])
    return execute(sql, parameters, many, context)


def _send_what_waits(database: Any, *, last: bool = False) -> None:
    if _together.statements:
        text, values = ";\n".join(_together.statements), _together.values
        _together.statements, _together.values = [], []
        with database.cursor() as cursor:
            cursor.execute(with_commit(text, database) if last else text, values)
        if last:
            committed(database)


def _run(sql: str, model: type[Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql":
        arrays = [array_text(column) for column in zip(*rows, strict=True)]
        if _together.statements is not None and database.connection is not None:
            _together.statements.append(planned(database, sql))
            _together.values += arrays
            return
        with database.cursor() as cursor:
            cursor.execute(planned(database, sql), arrays)
        return
    with database.cursor() as cursor:
        cursor.executemany(sql, _sqlite_rows(model, tuple(columns), rows))


def _sqlite_rows(model: type[Model], columns: tuple[str, ...], rows: Sequence[Row]) -> list[Row]:
    """The rows as SQLite stores them: column by column, for most columns stay as they are."""
    found = list(zip(*rows, strict=True))
    for number, change in _sqlite_converters(model, columns):
        found[number] = tuple([None if value is None else change(value) for value in found[number]])
    return list(zip(*found, strict=True))


@lru_cache(maxsize=256)
def _insert_sql(
    model: type[Model],
    columns: tuple[str, ...],
    on_conflict: str,
    unless_same: tuple[str, ...] = (),
) -> str:
    fields = [_field(model, name) for name in columns]
    table = _quoted(model._meta.db_table)
    others = _with_default(model, columns)
    names = ", ".join(_quoted(item.column) for item in [*fields, *others])
    tail = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    if connection.vendor == "postgresql":
        arrays = ", ".join(_array(item) for item in fields)
        given = [f"v.c{number}" for number in range(len(fields))]
        source = f" FROM unnest({arrays}) AS v({', '.join(name[2:] for name in given)})"
    else:
        given = _numbered(len(fields))
        source = ""
    values = ", ".join([*given, *(_literal(item) for item in others)])
    # "WHERE true" tells SQLite's parser that ON CONFLICT is not a join's ON.
    where = "true"
    if unless_same:
        pairs = {
            item.attname: f"o.{_quoted(item.column)} = {value}"
            for item, value in zip(fields, given, strict=True)
        }
        near, same = (
            " AND ".join(pairs[name] for name in part)
            for part in (unless_same[:2], unless_same[2:])
        )
        rows = f"SELECT * FROM {table} o WHERE {near} LIMIT {LOOK_AT_SAME}"
        where = f"NOT EXISTS (SELECT 1 FROM ({rows}) AS o WHERE {same})"
    return f"INSERT INTO {table} ({names}) SELECT {values}{source} WHERE {where}{tail}"


def _with_default(model: type[Model], columns: tuple[str, ...]) -> "list[Field[Any, Any]]":
    """The columns that are not given and may not be null: Django's defaults are not the
    database's, so a plain INSERT has to name them."""
    return [
        item
        for item in model._meta.concrete_fields
        if item.attname not in columns and not item.null and not item.primary_key
    ]


def _literal(field: "Field[Any, Any]") -> str:
    value = field.get_default()
    if value is False or value is True:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value == {}:
        return "'{}'::jsonb" if connection.vendor == "postgresql" else "'{}'"
    if value == "" or (isinstance(value, str) and value.isalnum()):
        return f"'{value}'"
    raise ValueError(f"{field}: give a value, its default is no constant")


@lru_cache(maxsize=256)
def _update_sql(
    model: type[Model], columns: tuple[str, ...], key: int, keep_null: tuple[str, ...]
) -> str:
    fields = [_field(model, name) for name in columns]
    table = _quoted(model._meta.db_table)
    names = [_quoted(item.column) for item in fields]
    if connection.vendor == "postgresql":
        arrays = ", ".join(_array(item) for item in fields)
        given = [f"v.c{number}" for number in range(len(fields))]
        source = f" FROM unnest({arrays}) AS v({', '.join(name[2:] for name in given)})"
    else:
        given = _numbered(len(fields))
        source = ""
    sets = ", ".join(
        f"{name} = COALESCE({value}, {table}.{name})"
        if item.attname in keep_null
        else f"{name} = {value}"
        for item, name, value in list(zip(fields, names, given, strict=True))[key:]
    )
    where = " AND ".join(
        f"{table}.{name} = {value}" for name, value in list(zip(names, given, strict=True))[:key]
    )
    return f"UPDATE {table} SET {sets}{source} WHERE {where}"


@lru_cache(maxsize=16)
def _clear_sql(model: type[Model], column: str) -> str:
    field = _field(model, column)
    table, name = _quoted(model._meta.db_table), _quoted(field.column)
    if connection.vendor == "postgresql":
        return f"UPDATE {table} SET {name} = NULL WHERE {name} = ANY({_array(field)})"
    return f"UPDATE {table} SET {name} = NULL WHERE {name} = ?1"


def _numbered(count: int) -> list[str]:
    """SQLite's names of the values of a row."""
    return [f"?{number}" for number in range(1, count + 1)]


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    for item in model._meta.concrete_fields:
        if item.attname == name:
            return item
    raise ValueError(f"{model.__name__} has no column {name}")


def _array(field: "Field[Any, Any]") -> str:
    return f"%s::{field.rel_db_type(connection) if field.primary_key else _type(field)}[]"


def _type(field: "Field[Any, Any]") -> str:
    # Without its length: a cast to varchar(20)[] would cut in silence instead of failing.
    kind = str(field.cast_db_type(connection) or field.db_type(connection))
    return kind.split("(", 1)[0]


def _quoted(name: str | None) -> str:
    assert name, "a field that has a column"
    return connection.ops.quote_name(name)


@lru_cache(maxsize=256)
def _sqlite_converters(
    model: type[Model], columns: tuple[str, ...]
) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """The columns that SQLite stores as something else, and how."""
    kinds = [_field(model, name).get_internal_type() for name in columns]
    return tuple((number, _SQLITE[kind]) for number, kind in enumerate(kinds) if kind in _SQLITE)


def _sqlite_time(value: datetime) -> str:
    # UTC in nearly all cases; its last six characters are "+00:00".
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
