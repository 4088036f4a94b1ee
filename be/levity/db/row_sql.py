"""The text of the statements that write rows (`rows.py`): short, and the same for any batch.

On Postgres there are two of each. Many rows are sent as arrays, one for each column; a single row,
as most are at a low rate, is sent as its values: for one row, an array costs both sides as much as
the row. SQLite has the second kind only.
"""

from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Field, Model

__all__ = [
    "LOOK_AT_SAME",
    "column_of",
    "insert_sql",
    "last_sql",
    "update_sql",
    "upsert_sql",
]

# How many rows with the same first two columns are compared (`unless_same`).
LOOK_AT_SAME = 64


@lru_cache(maxsize=512)
def insert_sql(
    model: type[Model],
    columns: tuple[str, ...],
    on_conflict: str,
    unless_same: tuple[str, ...] = (),
    *,
    alone: bool,
) -> str:
    """INSERT of these columns; `on_conflict` is what follows ON CONFLICT, if anything.

    `alone`: for one row, a placeholder for each column; else, on Postgres, for each array. With
    `unless_same`, not alone and on SQLite there is one more, for what `last_sql` gives.
    """
    fields = [column_of(model, name) for name in columns]
    table = _quoted(model._meta.db_table)
    others = _with_default(model, columns)
    names = ", ".join(_quoted(item.column) for item in [*fields, *others])
    tail = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    given, source = _given(fields, alone=alone)
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
        if not alone and connection.vendor != "postgresql":
            # Row by row: otherwise a row would be compared with rows of its own batch.
            near += f" AND o.id <= ?{len(fields) + 1}"
        rows = f"SELECT * FROM {table} o WHERE {near} LIMIT {LOOK_AT_SAME}"
        where = f"NOT EXISTS (SELECT 1 FROM ({rows}) AS o WHERE {same})"
    return f"INSERT INTO {table} ({names}) SELECT {values}{source} WHERE {where}{tail}"


@lru_cache(maxsize=64)
def last_sql(model: type[Model]) -> str:
    """SELECT of the newest row's id, or 0."""
    return f"SELECT COALESCE(MAX(id), 0) FROM {_quoted(model._meta.db_table)}"


@lru_cache(maxsize=512)
def upsert_sql(
    model: type[Model],
    columns: tuple[str, ...],
    key: tuple[str, ...],
    update: tuple[str, ...],
    add: tuple[str, ...],
    *,
    alone: bool,
    mostly_there: bool = False,
) -> str:
    """INSERT of these columns, or if a row with this `key` exists, an update of it.

    `mostly_there`: for rows of which nearly all exist. ON CONFLICT locks the row first, which
    writes as much to Postgres's log as half the update, and takes a number from the sequence. So
    the rows that exist are updated, and only the others are inserted. (One that another
    transaction has added since meets ON CONFLICT.)
    """
    target = ", ".join(_name(model, name) for name in key)
    table = _quoted(model._meta.db_table)
    sets = [f"{c} = excluded.{c}" for c in (_name(model, name) for name in update)]
    sets += [f"{c} = {table}.{c} + 1" for c in (_name(model, name) for name in add)]
    action = f"({target}) DO UPDATE SET {', '.join(sets)}" if sets else f"({target}) DO NOTHING"
    if not mostly_there or connection.vendor != "postgresql":
        return insert_sql(model, columns, action, alone=alone)
    fields = [column_of(model, name) for name in columns]
    given, source = _given(fields, alone=alone)
    value = {item.attname: v for item, v in zip(fields, given, strict=True)}
    changes = [f"{_name(model, name)} = {value[name]}" for name in update]
    changes += [f"{c} = o.{c} + 1" for c in (_name(model, name) for name in add)]
    same = " AND ".join(f"o.{_name(model, name)} = {value[name]}" for name in key)
    others = _with_default(model, columns)
    names = ", ".join(_quoted(item.column) for item in [*fields, *others])
    values = ", ".join([*given, *(_literal(item) for item in others)])
    return (
        f"WITH v AS (SELECT v.*{source}),"
        f" there AS (UPDATE {table} o SET {', '.join(changes)} FROM v WHERE {same})"
        f" INSERT INTO {table} ({names}) SELECT {values} FROM v"
        f" WHERE NOT EXISTS (SELECT 1 FROM {table} o WHERE {same}) ON CONFLICT {action}"
    )


@lru_cache(maxsize=512)
def update_sql(
    model: type[Model],
    columns: tuple[str, ...],
    key: int,
    keep_null: tuple[str, ...],
    *,
    alone: bool,
) -> str:
    """UPDATE of the columns after the first `key` columns, which identify the row."""
    fields = [column_of(model, name) for name in columns]
    table = _quoted(model._meta.db_table)
    names = [_quoted(item.column) for item in fields]
    given, source = _given(fields, alone=alone)
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


def _given(fields: "list[Field[Any, Any]]", *, alone: bool) -> tuple[list[str], str]:
    """The names of a row's values, and the FROM that defines these names."""
    if connection.vendor != "postgresql":
        return [f"?{number}" for number in range(1, len(fields) + 1)], ""
    names = [f"c{number}" for number in range(len(fields))]
    if alone:
        values = ", ".join(
            f"%s::{_type(item)} AS {name}" for item, name in zip(fields, names, strict=True)
        )
        source = f" FROM (SELECT {values}) AS v"
    else:
        arrays = ", ".join(f"%s::{_type(item)}[]" for item in fields)
        source = f" FROM unnest({arrays}) AS v({', '.join(names)})"
    return [f"v.{name}" for name in names], source


def _with_default(model: type[Model], columns: tuple[str, ...]) -> "list[Field[Any, Any]]":
    """The columns that are not given and may not be null: Django's defaults are not the database's,
    so a plain INSERT has to include them."""
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


def column_of(model: type[Model], name: str) -> "Field[Any, Any]":
    """The model's field of this attribute name."""
    for item in model._meta.concrete_fields:
        if item.attname == name:
            return item
    raise ValueError(f"{model.__name__} has no column {name}")


def _type(field: "Field[Any, Any]") -> str:
    if field.primary_key:
        return str(field.rel_db_type(connection))
    # Without its length: a cast to varchar(20) would truncate silently instead of failing.
    kind = str(field.cast_db_type(connection) or field.db_type(connection))
    return kind.split("(", 1)[0]


def _name(model: type[Model], attname: str) -> str:
    return _quoted(column_of(model, attname).column)


def _quoted(name: str | None) -> str:
    assert name, "a field that has a column"
    return connection.ops.quote_name(name)
