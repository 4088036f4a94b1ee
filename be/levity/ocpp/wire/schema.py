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
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fastjsonschema

from levity.ocpp.wire.frames import ErrorCode, OcppError

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
# A charger that names neither vendor nor model is served as one of an unknown make.
# A start without a meter value counts from its first sample.
# What has no time has ours, as it has where its time can't be read.
_MAY_BE_ABSENT: Mapping[str, frozenset[str]] = {
    "BootNotification": frozenset({"chargePointVendor", "chargePointModel"}),
    "MeterValues": frozenset({"connectorId", "meterValue"}),
    "SecurityEventNotification": frozenset({"timestamp"}),
    "StartTransaction": frozenset({"meterStart", "timestamp"}),
    "StatusNotification": frozenset({"errorCode"}),
    "StopTransaction": frozenset({"timestamp", "transactionId"}),
}
# Growatt THOR sends an object as DataTransfer.data: what is in it is the vendor's business.
# A session must not stay open because one of the samples at its end is broken. Huawei sends an
# object as meterValue, Vestel an empty sampledValue.
_MAY_BE_ANYTHING: Mapping[str, frozenset[str]] = {
    "DataTransfer": frozenset({"data"}),
    "MeterValues": frozenset({"connectorId", "meterValue", "transactionId"}),
    "StopTransaction": frozenset({"transactionData"}),
}
# Of such a list, so many elements are held against the schema as published: a StopTransaction of a
# night has thousands, all of one form, and each is read by itself anyway.
_LOOKED_AT = 500
# Tells nothing but that the charger lives, whatever stands in the place of its payload.
_TELLS_NOTHING = "Heartbeat"


def check(action: str, payload: Any) -> tuple[str, ...]:
    """What is wrong with this Call's payload without making it senseless; empty if nothing is.

    Raises `OcppError` with the fitting code where it makes no sense.
    """
    found = finding(action, payload)
    if found is None:
        return ()
    if action == _TELLS_NOTHING and not isinstance(payload, dict):
        return (found,)
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
        _strict(name)(_beginning(name, payload))
    except fastjsonschema.JsonSchemaValueException as error:
        return _said(error)
    return None


def _beginning(name: str, payload: Any) -> Any:
    for item in _MAY_BE_ANYTHING.get(name, ()) if type(payload) is dict else ():
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
