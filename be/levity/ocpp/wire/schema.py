"""The official OCPP schemas, compiled, in two strengths.

*Strict* is the schema as published. *Lenient* is the same without what real chargers get wrong
harmlessly: lengths, enumerations, formats, extra fields, numbers written as strings, strings
written as numbers, and null for a field that may be absent. A payload that is strict is fine; one
that is only lenient is taken and the finding kept with the message; one that is neither makes no
sense and is a CALLERROR.

Source of the schemas: the JSON files of the PyPI package `ocpp`, used as data.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fastjsonschema

from levity.ocpp.wire.fitting import Fits, fitting
from levity.ocpp.wire.frames import ErrorCode, OcppError
from levity.ocpp.wire.plain_errors import plainly

__all__ = ["Schemas"]

Validate = Callable[[Any], Any]

# fastjsonschema's name of the broken rule -> OCPP-J 1.6, table 7.
_CODES: Mapping[str, ErrorCode] = {
    "required": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "minItems": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "maxItems": ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION,
    "type": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "format": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "enum": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "maxLength": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "additionalProperties": ErrorCode.FORMATION_VIOLATION,
}
_SCALARS = ["string", "number", "integer"]
# Of such a list, so many elements are held against the schema as published: a StopTransaction of a
# night has thousands, all of one form, and each is read by itself anyway.
_LOOKED_AT = 500


class Schemas:
    """Those of one version of OCPP, each compiled when it is used first.

    `folder`: the version's in the package `ocpp`. By the name of a message: `may_be_absent` are
    fields of which nothing becomes senseless, `may_be_anything` are those that are looked at by
    themselves. `tells_nothing` is the message that is one whatever stands in its payload's place.
    """

    __slots__ = (
        *("_absent", "_anything", "_fits", "_folder", "_lenient", "_strict", "_tells_nothing"),
    )

    def __init__(
        self,
        folder: str,
        *,
        may_be_absent: Mapping[str, frozenset[str]],
        may_be_anything: Mapping[str, frozenset[str]],
        tells_nothing: str,
    ) -> None:
        self._folder = folder
        self._absent = may_be_absent
        self._anything = may_be_anything
        self._tells_nothing = tells_nothing
        self._strict: dict[str, Validate] = {}
        self._lenient: dict[str, Validate] = {}
        self._fits: dict[str, Fits | None] = {}

    def check(self, action: str, payload: Any) -> tuple[str, ...]:
        """What is wrong with this Call's payload without making it senseless; empty if nothing is.

        Raises `OcppError` with the fitting code where it makes no sense.
        """
        found = self.finding(action, payload)
        if found is None:
            return ()
        if action == self._tells_nothing and not isinstance(payload, dict):
            return (found,)
        validate = self._lenient.get(action) or self._soft(action)
        try:
            validate(payload)
        except fastjsonschema.JsonSchemaValueException as error:
            code = _CODES.get(error.rule or "", ErrorCode.FORMATION_VIOLATION)
            raise OcppError(code, _said(error)) from None
        return (found,)

    def finding(self, name: str, payload: Any) -> str | None:
        """How the payload departs from the published schema; None if it does not.

        `name` is an action, or an action followed by "Response".
        """
        error = self._broken(name, payload)
        return None if error is None else _said(error)

    def wrong(self, name: str, payload: Any) -> str:
        """The same for a person who wrote this payload and can change it; empty if it fits."""
        error = self._broken(name, payload)
        return "" if error is None else plainly(error)

    def _broken(self, name: str, payload: Any) -> fastjsonschema.JsonSchemaValueException | None:
        validate = self._strict.get(name) or self._hard(name)
        if anything := self._anything.get(name):
            payload = _beginning(anything, payload)
        fits = self._fits[name]
        if fits is not None and _is_sure(fits, payload):
            return None
        try:
            validate(payload)
        except fastjsonschema.JsonSchemaValueException as error:
            return error
        return None

    def _hard(self, name: str) -> Validate:
        schema = self._published(name)
        self._fits[name] = fitting(schema, _FORMATS)
        self._strict[name] = _compiled(schema)
        return self._strict[name]

    def _soft(self, name: str) -> Validate:
        schema = self._published(name)
        absent = self._absent.get(name, frozenset())
        schema["required"] = [item for item in schema.get("required", ()) if item not in absent]
        for item in self._anything.get(name, ()):
            schema["properties"][item] = {}
        self._lenient[name] = _compiled(_softened(schema))
        return self._lenient[name]

    def _published(self, name: str) -> dict[str, Any]:
        path = _package() / self._folder / "schemas" / f"{name}.json"
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
        return document


def _is_sure(fits: Fits, payload: Any) -> bool:
    try:
        return fits(payload)
    except TypeError:  # a list where a word belongs
        return False


def _beginning(anything: Iterable[str], payload: Any) -> Any:
    for item in anything if type(payload) is dict else ():
        listed = payload.get(item)
        if type(listed) is list and len(listed) > _LOOKED_AT:
            payload = {**payload, item: listed[:_LOOKED_AT]}
    return payload


def _said(error: fastjsonschema.JsonSchemaValueException) -> str:
    """The rule that was broken and where, without the charger's own data in it."""
    place = ".".join(str(part) for part in error.path[1:]) or "payload"
    rule = error.rule or "form"
    if rule == "required" and isinstance(error.value, dict):
        missing = [name for name in error.rule_definition if name not in error.value]
        return f"{place}: {', '.join(missing)} missing"[:255]
    wanted = error.rule_definition
    if rule in ("type", "maxLength", "minItems"):
        return f"{place}: {rule} is not {wanted}"[:255]
    return f"{place}: {rule}"[:255]


def _compiled(schema: dict[str, Any]) -> Validate:
    validate: Validate = fastjsonschema.compile(
        schema, formats=_FORMATS, use_default=False, detailed_exceptions=True
    )
    return validate


def _is_date_time(value: str) -> bool:
    """RFC 3339: 2026-01-31T12:00:00Z, with or without a fraction, with Z or an offset."""
    moment, rest = value[:19], value[19:]
    if len(moment) < 19 or moment[4] + moment[7] + moment[13] + moment[16] != "--::":
        return False
    if moment[10] not in "Tt" or not value.isascii():
        return False
    try:
        # A leap second is written as the sixtieth; Python knows none.
        datetime.fromisoformat(moment if moment[17:] != "60" else f"{moment[:17]}59")
    except ValueError:
        return False
    if rest.startswith("."):
        fraction = rest[1:]
        rest = fraction.lstrip("0123456789")
        if rest == fraction:
            return False
    if rest in ("Z", "z"):
        return True
    hours, minutes = rest[1:3], rest[3:].removeprefix(":")
    if rest[:1] not in ("+", "-") or len(hours) != 2 or len(minutes) != 2:
        return False
    return (hours + minutes).isdigit() and int(hours) < 24 and int(minutes) < 60


def _is_uri(value: str) -> bool:
    scheme, colon, rest = value.partition(":")
    named = bool(colon) and bool(scheme) and all(sign == "_" or sign.isalnum() for sign in scheme)
    return named and bool(rest) and len(rest.split(maxsplit=1)) == 1 and rest == rest.strip()


# Those of the library are regular expressions, and a charger writes what they would read.
_FORMATS: Mapping[str, Callable[[str], bool]] = {"date-time": _is_date_time, "uri": _is_uri}


@cache
def _package() -> Path:
    # The files alone: importing the package would bring its classes of every OCPP version along.
    spec = find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations or spec.origin is None:
        raise ImportError("the package `ocpp` is not installed, or a folder of that name hides it")
    return Path(spec.origin).parent


def _softened(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_softened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    soft: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            soft[key] = _softened_properties(value, schema.get("required", ()))
        elif key not in ("enum", "maxLength", "format", "additionalProperties", "multipleOf"):
            soft[key] = _softened(value)
    if soft.get("type") in ("string", "integer", "number"):
        soft["type"] = _SCALARS
    return soft


def _softened_properties(
    properties: Mapping[str, Any], required: Collection[str]
) -> dict[str, Any]:
    soft = {}
    for name, published in properties.items():
        item = soft[name] = _softened(published)
        if name not in required and (kinds := item.get("type")):
            item["type"] = [*(kinds if isinstance(kinds, list) else [kinds]), "null"]
    return soft
