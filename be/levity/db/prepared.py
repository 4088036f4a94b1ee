"""Queries that are built once: the ORM defines them, and then only their text is used.

Building a queryset costs Django ten times as much as reading its rows; and an `IN` with as many
parameters as a batch has frames is a new statement each time. Here a list is one parameter.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Field, ForeignObject, Lookup, QuerySet

from levity.db.plans import array_text
from levity.db.round_trips import rows_of

__all__ = ["ArrayParameter", "Prepared"]

Build = Callable[..., "QuerySet[Any, Any]"]
Convert = Callable[[Any], Any]


class Prepared:
    """Rows of a `values_list` queryset, which `build` makes once from one placeholder per
    parameter.

    In `build`, a placeholder stands for a list of values with the lookup `any_of`:
    `filter(id__any_of=ids)`; or for one value with `no_later_than`. `locking` is appended on
    Postgres (`FOR UPDATE ...`); on SQLite the transaction holds the only write lock.
    """

    def __init__(self, build: Build, parameters: int = 1, *, locking: str = "") -> None:
        self._build = build
        self._places = tuple(_Place() for _ in range(parameters))
        self._locking = locking
        self._built: dict[str, tuple[str, tuple[Any, ...], tuple[tuple[int, Convert], ...]]] = {}

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """The rows for these values, one (list) for each placeholder."""
        database = connections[DEFAULT_DB_ALIAS]
        built = self._built.get(database.vendor)
        if built is None:
            built = self._built[database.vendor] = self._compiled()
        sql, parameters, converters = built
        given = dict(zip(map(id, self._places), values, strict=True))
        filled = [item.value(given[id(item.place)], database) for item in parameters]
        rows = rows_of(database, sql, filled)
        if not converters or not rows:
            return rows
        columns: list[Collection[Any]] = list(zip(*rows, strict=True))
        for number, change in converters:
            columns[number] = [None if item is None else change(item) for item in columns[number]]
        return list(zip(*columns, strict=True))

    def _compiled(self) -> tuple[str, tuple[Any, ...], tuple[tuple[int, Convert], ...]]:
        compiler = self._build(*self._places).query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        if self._locking and connection.vendor == "postgresql":
            sql = f"{sql} {self._locking}"
        sql, parameters = _with_constants(sql, parameters)
        expressions = [item[0] for item in compiler.select]
        found = compiler.get_converters(expressions).items()
        converters = tuple((number, _converter(*how)) for number, how in found)
        return sql, parameters, converters


def _converter(steps: Iterable[Callable[..., Any]], expression: Any) -> Convert:
    """Converts the database's value to Django's; faster for the frequent kinds."""
    kind = expression.output_field.get_internal_type()
    if kind == "JSONField":
        # Django reads it with Python's own JSON, which is ten times slower; it is nearly always {}.
        return orjson.loads
    if kind == "DateTimeField" and connection.vendor == "sqlite":
        return _sqlite_time
    if kind == "UUIDField" and connection.vendor == "sqlite":
        # As its text, as from Postgres: an object for each takes as long as all else of a row.
        return _sqlite_uuid
    steps = tuple(steps)

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, expression, connection)
        return value

    return convert


def _sqlite_time(value: datetime | str) -> datetime:
    """The time, which is stored in UTC without an offset."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC)


def _sqlite_uuid(value: str) -> str:
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def _with_constants(sql: str, parameters: Iterable[Any]) -> tuple[str, tuple[Any, ...]]:
    """The statement with its constants in the text: a general plan can't use an index for `state =
    'queued'` if it doesn't know the state.
    """
    texts, last = [], sql
    left = []
    for parameter in parameters:
        before, _, last = last.partition("%s")
        if isinstance(parameter, _Parameter):
            left.append(parameter)
            texts.append(f"{before}%s")
        else:
            texts.append(before + _literal(parameter))
    return "".join([*texts, last]), tuple(left)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool) and connection.vendor == "postgresql":
        return str(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, str) and "%" not in value:
        return "'" + value.replace("'", "''") + "'"
    raise ValueError(f"{value!r} is no constant for a prepared query")


class _Place:
    """Stands for a value that is not known yet."""


class _Parameter:
    """A placeholder in the parameters of a statement, with the column it is compared with."""

    def __init__(self, place: _Place, field: "Field[Any, Any]") -> None:
        self.place, self.field = place, field

    def value(self, given: Any, database: Any) -> Any:
        """The value for the driver."""
        return self.field.get_db_prep_value(given, database)


class ArrayParameter(_Parameter):
    """The same for a list of values; without a column where the statement names the type."""

    def __init__(self, place: _Place, field: "Field[Any, Any] | None" = None) -> None:
        super().__init__(place, field or Field())

    def value(self, given: Collection[Any], database: Any) -> Any:
        if database.vendor == "postgresql":
            return array_text(given)
        prepare = self.field.get_db_prep_value
        return orjson.dumps([prepare(item, database) for item in given]).decode()


if TYPE_CHECKING:
    _Lookup = Lookup[_Place]
else:
    _Lookup = Lookup


@Field.register_lookup
@ForeignObject.register_lookup
class AnyOf(_Lookup):
    """The column's value is one of a list's; the list is one parameter."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        lhs, parameters = self.process_lhs(compiler, connection)
        field = getattr(self.lhs.output_field, "target_field", self.lhs.output_field)
        array = ArrayParameter(self.rhs, field)
        if connection.vendor == "postgresql":
            # Without its length: see rows.py.
            kind = str(field.rel_db_type(connection)).split("(", 1)[0]
            return f"{lhs} = ANY(%s::{kind}[])", (*parameters, array)
        return f"{lhs} IN (SELECT value FROM json_each(%s))", (*parameters, array)


class _Compared(_Lookup):
    prepare_rhs = False
    operator = ""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        lhs, parameters = self.process_lhs(compiler, connection)
        parameter = _Parameter(self.rhs, self.lhs.output_field)
        return f"{lhs} {self.operator} %s", (*parameters, parameter)


@Field.register_lookup
class NoLaterThan(_Compared):
    """The column's value is at most the given one."""

    lookup_name = "no_later_than"
    operator = "<="


@Field.register_lookup
class EarlierThan(_Compared):
    """The column's value is less than the given one."""

    lookup_name = "earlier_than"
    operator = "<"


@Field.register_lookup
class NoEarlierThan(_Compared):
    """The column's value is at least the given one."""

    lookup_name = "no_earlier_than"
    operator = ">="
