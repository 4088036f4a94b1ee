"""Queries that are built once: the ORM says what they mean, and then only their text is used.

Building a queryset costs Django ten times as much as reading its rows; and an `IN` with as many
parameters as a batch has frames is a new statement each time. Here a list is one parameter.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection
from django.db.models import Field, ForeignObject, Lookup, QuerySet

__all__ = ["Prepared"]

Build = Callable[..., "QuerySet[Any, Any]"]


class Prepared:
    """Rows of a `values_list` queryset, which `build` makes once of one place holder a list.

    In `build`, a place holder stands for a list of values behind the lookup `any_of`:
    `filter(id__any_of=ids)`.
    """

    def __init__(self, build: Build, lists: int = 1) -> None:
        self._build = build
        self._places = tuple(_Place() for _ in range(lists))
        self._built: dict[str, tuple[str, tuple[Any, ...], Any, Any]] = {}

    def rows(self, *lists: Collection[Any]) -> list[tuple[Any, ...]]:
        """The rows for these lists of values, one for each place holder."""
        built = self._built.get(connection.vendor)
        if built is None:
            built = self._built[connection.vendor] = self._compiled()
        sql, parameters, compiler, converters = built
        given = dict(zip(map(id, self._places), lists, strict=True))
        values = [
            _value(item, given[id(item.place)]) if isinstance(item, _Array) else item
            for item in parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        if not converters:
            return rows
        return [tuple(row) for row in compiler.apply_converters(rows, converters)]

    def _compiled(self) -> tuple[str, tuple[Any, ...], Any, Any]:
        compiler = self._build(*self._places).query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        expressions = [item[0] for item in compiler.select]
        return sql, tuple(parameters), compiler, compiler.get_converters(expressions)


class _Place:
    """Stands for a list of values until there is one."""


class _Array:
    """A place holder in the parameters of a statement, with the column it is compared with."""

    def __init__(self, place: _Place, field: "Field[Any, Any]") -> None:
        self.place, self.field = place, field


def _value(array: _Array, values: Collection[Any]) -> Any:
    if connection.vendor == "postgresql":
        return list(values)
    prepare = array.field.get_db_prep_value
    return orjson.dumps([prepare(item, connection) for item in values]).decode()


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
        array = _Array(self.rhs, field)
        if connection.vendor == "postgresql":
            # Without its length: see rows.py.
            kind = str(field.rel_db_type(connection)).split("(", 1)[0]
            return f"{lhs} = ANY(%s::{kind}[])", (*parameters, array)
        return f"{lhs} IN (SELECT value FROM json_each(%s))", (*parameters, array)
