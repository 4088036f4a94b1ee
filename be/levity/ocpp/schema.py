"""The official OCPP schemas, compiled, in two strengths.

*Strict* is the schema as published. *Lenient* is the same without what real chargers get wrong
harmlessly: lengths, enumerations, formats, extra fields, numbers written as strings, strings
written as numbers, and null for a field that may be absent. A payload that is strict is fine; one
that is only lenient is taken and the finding kept with the message; one that is neither makes no
sense and is a CALLERROR.

Source of the schemas: the JSON files of the PyPI package `ocpp`, used as data.
"""

import json
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fastjsonschema

from levity.ocpp.frames import ErrorCode, OcppError

__all__ = ["check", "finding"]

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
# A charger that started offline and never got an id stops with null, or with none at all.
# Nothing of a MeterValues makes it senseless: a refusal makes a Vestel EVC04 leave every 25 s, and
# the good samples beside an odd one would be lost.
_MAY_BE_ABSENT: Mapping[str, frozenset[str]] = {
    "MeterValues": frozenset({"connectorId", "meterValue"}),
    "StatusNotification": frozenset({"errorCode"}),
    "StopTransaction": frozenset({"transactionId"}),
}
# Growatt THOR sends an object as DataTransfer.data: what is in it is the vendor's business.
# A session must not stay open because one of the samples at its end is broken. Huawei sends an
# object as meterValue, Vestel an empty sampledValue.
_MAY_BE_ANYTHING: Mapping[str, frozenset[str]] = {
    "DataTransfer": frozenset({"data"}),
    "MeterValues": frozenset({"connectorId", "meterValue", "transactionId"}),
    "StopTransaction": frozenset({"transactionData"}),
}


def check(action: str, payload: Any) -> tuple[str, ...]:
    """What is wrong with this Call's payload without making it senseless; empty if nothing is.

    Raises `OcppError` with the fitting code where it makes no sense.
    """
    found = finding(action, payload)
    if found is None:
        return ()
    try:
        _lenient(action)(payload)
    except fastjsonschema.JsonSchemaValueException as error:
        code = _CODES.get(error.rule or "", ErrorCode.FORMATION_VIOLATION)
        raise OcppError(code, _said(error)) from None
    return (found,)


def finding(name: str, payload: Any) -> str | None:
    """How the payload departs from the published schema; None if it does not.

    `name` is an action, or an action followed by "Response".
    """
    try:
        _strict(name)(payload)
    except fastjsonschema.JsonSchemaValueException as error:
        return _said(error)
    return None


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


@cache
def _strict(name: str) -> Validate:
    return _compiled(_published(name))


@cache
def _lenient(name: str) -> Validate:
    schema = _published(name)
    absent = _MAY_BE_ABSENT.get(name, frozenset())
    schema["required"] = [item for item in schema.get("required", ()) if item not in absent]
    for item in _MAY_BE_ANYTHING.get(name, ()):
        schema["properties"][item] = {}
    return _compiled(_softened(schema))


def _compiled(schema: dict[str, Any]) -> Validate:
    validate: Validate = fastjsonschema.compile(schema, use_default=False, detailed_exceptions=True)
    return validate


def _published(name: str) -> dict[str, Any]:
    # The files alone: importing the package would bring its classes of every OCPP version along.
    spec = find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations or spec.origin is None:
        raise ImportError("the package `ocpp` is not installed, or a folder of that name hides it")
    path = Path(spec.origin).parent / "v16" / "schemas" / f"{name}.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return schema


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
