"""Whether a payload fits its schema, in the shortest way: yes, or not known.

Nearly every message fits the schema as published. The compiled check of the library tells for all
others what is wrong; but where nothing is, it costs as much as a handler. These predicates say only
True where nothing is wrong; where they say False, the library has the word.
"""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Fits", "fitting"]

Fits = Callable[[Any], bool]
"""True only if the value fits; an unhashable value may raise a TypeError."""

# Words of JSON schema that say nothing of the value (of what is no object, the last says nothing
# either), and those that are understood here.
_SILENT = frozenset({"$schema", "$id", "title", "additionalProperties"})
_OF_TYPE: Mapping[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems"}),
    "string": frozenset({"enum", "maxLength", "format"}),
    "integer": frozenset(),
    "number": frozenset(),
    "boolean": frozenset(),
}


def fitting(schema: Mapping[str, Any], formats: Mapping[str, Callable[[str], bool]]) -> Fits | None:
    """The predicate of this schema; None where the schema says something that is not understood."""
    kind = schema.get("type")
    words = _OF_TYPE.get(kind) if isinstance(kind, str) else None
    if words is None or not schema.keys() <= words | _SILENT | {"type"}:
        return None
    if kind == "object":
        return _object(schema, formats)
    if kind == "array":
        return _array(schema, formats)
    if kind == "string":
        return _text(schema, formats)
    return {"integer": _is_integer, "number": _is_number, "boolean": _is_boolean}[str(kind)]


def _object(schema: Mapping[str, Any], formats: Mapping[str, Any]) -> Fits | None:
    if schema.get("additionalProperties") is not False:
        return None
    found = {name: fitting(item, formats) for name, item in schema.get("properties", {}).items()}
    known = {name: fits for name, fits in found.items() if fits is not None}
    if len(known) < len(found):
        return None
    required = frozenset(schema.get("required", ()))
    of = known.get

    def fits(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, item in value.items():
            check = of(name)
            if check is None or not check(item):
                return False
        return True

    return fits


def _array(schema: Mapping[str, Any], formats: Mapping[str, Any]) -> Fits | None:
    items, least = schema.get("items"), schema.get("minItems", 0)
    check = fitting(items, formats) if isinstance(items, dict) else None
    if check is None:
        return None

    def fits(value: Any) -> bool:
        return type(value) is list and len(value) >= least and all(map(check, value))

    return fits


def _text(schema: Mapping[str, Any], formats: Mapping[str, Callable[[str], bool]]) -> Fits | None:
    if "enum" in schema:
        words = frozenset(schema["enum"])
        is_alone = schema.keys().isdisjoint({"maxLength", "format"})
        return words.__contains__ if is_alone and set(map(type, words)) == {str} else None
    most, form = schema.get("maxLength"), schema.get("format")
    if form is not None:
        is_of_form = formats.get(form)
        if is_of_form is None or most is not None:
            return None
        return lambda value: type(value) is str and is_of_form(value)
    if most is not None:
        return lambda value: type(value) is str and len(value) <= most
    return _is_text


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_integer(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _is_boolean(value: Any) -> bool:
    return type(value) is bool
