"""The 14 messages of a charger, made and unmade by the official schemas.

`usual` is a whole message that is right in every field; `mutations` are all the ways in which one
field of it can be wrong, each with what it is to lead to by the rules of docs/adr/0010.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = [
    "ALWAYS_A_RESULT",
    "MESSAGES",
    "Mutation",
    "fields_of",
    "mutations",
    "schema_of",
    "usual",
]

MESSAGES = (
    "Authorize",
    "BootNotification",
    "DataTransfer",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "SecurityEventNotification",
    "SignCertificate",
    "SignedFirmwareStatusNotification",
    "StartTransaction",
    "StatusNotification",
    "StopTransaction",
)
ALWAYS_A_RESULT = ("StartTransaction", "StopTransaction")

OCCURENCE = "OccurenceConstraintViolation"
TYPE = "TypeConstraintViolation"

# What the ledger can't do without: a text here must be a number.
NEEDED_NUMBERS = ("connectorId", "meterStart", "meterStop")

# Sensible values where any text or number would do for the schema.
_VALUES: Mapping[str, Any] = {
    "connectorId": 1,
    "transactionId": 1,
    "meterStart": 1000,
    "meterStop": 6000,
    "requestId": 7,
    "reservationId": 3,
    "idTag": "TAG",
    "value": "1500",
    "csr": "-----BEGIN CERTIFICATE REQUEST-----",
}

# Taken whatever is in it: a vendor's business, and samples at the end of a session, which must not
# stay open because one of them is broken.
KEPT_IN_ANY_CASE = frozenset({("DataTransfer", "data"), ("StopTransaction", "transactionData")})

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A message with one thing wrong, and what that leads to."""

    kind: str
    path: Path_
    payload: Any
    code: str = ""
    """The CALLERROR that fits; "" where the message is taken."""
    rule: str = ""
    """The rule of the schema that the stored finding names; "" where nothing is found."""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.kind} {'.'.join(map(str, self.path)) or 'payload'}"


def schema_of(name: str) -> dict[str, Any]:
    """The published schema, with what it refers to in its place."""
    spec = find_spec("ocpp")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "v16" / "schemas" / f"{name}.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    whole: dict[str, Any] = _resolved(schema, schema.get("definitions", {}))
    return whole


def _resolved(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {key: _resolved(item, definitions) for key, item in schema.items()}


def usual(action: str) -> dict[str, Any]:
    """This message with every field that the schema knows."""
    payload: dict[str, Any] = _made(schema_of(action), "")
    return payload


def _made(schema: Mapping[str, Any], name: str) -> Any:
    kind = schema.get("type")
    if kind == "object":
        return {key: _made(item, key) for key, item in schema.get("properties", {}).items()}
    if kind == "array":
        return [_made(schema["items"], name)]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return "2026-11-22T12:00:00Z"
    if name in _VALUES:
        return _VALUES[name]
    return 1 if kind in ("integer", "number") else "text"


def fields_of(
    schema: Mapping[str, Any], path: Path_ = ()
) -> Iterator[tuple[Path_, dict[str, Any], bool]]:
    """Every field at every depth: its path, its schema, whether it is required."""
    for name, item in schema.get("properties", {}).items():
        yield (*path, name), item, name in schema.get("required", ())
        if item.get("type") == "array":
            yield (*path, name, 0), item["items"], True
            yield from fields_of(item["items"], (*path, name, 0))
        elif item.get("type") == "object":
            yield from fields_of(item, (*path, name))


def mutations(action: str, whole: Mapping[str, Any]) -> Iterator[Mutation]:
    """`whole` with each of its fields missing, null, of a wrong type, too long, of an unknown word,
    with a field too many, and empty."""
    schema = schema_of(action)
    yield Mutation("usual", (), dict(whole))
    yield Mutation("extra key", (), {**whole, "extraKey": 1}, rule="additionalProperties")
    for wrong in (None, [], "text", 7):
        yield Mutation("wrong type", (), wrong, TYPE)
    empty = Mutation("empty", (), {}, OCCURENCE) if _needs(action, schema) else None
    yield empty or Mutation("empty", (), {})
    for path, item, required in fields_of(schema):
        yield from _of_field(action, whole, path, item, required=required)


def _needs(action: str, schema: Mapping[str, Any]) -> bool:
    return bool(set(schema.get("required", ())) - _may_be_absent(action))


def _may_be_absent(action: str) -> set[str]:
    # A charger that started offline and never got an id stops with null, or with none at all.
    return {"transactionId"} if action == "StopTransaction" else set()


def _of_field(
    action: str, whole: Mapping[str, Any], path: Path_, item: Mapping[str, Any], *, required: bool
) -> Iterator[Mutation]:
    kept = (action, path[0]) in KEPT_IN_ANY_CASE

    def mutation(kind: str, payload: Any, code: str, rule: str) -> Mutation:
        """Where everything is kept, the rule that is broken is found, and nothing is refused."""
        return Mutation(kind, path, payload, "" if kept else code, rule)

    def changed(kind: str, value: Any, code: str = "", rule: str = "") -> Mutation:
        return mutation(kind, _with(whole, path, value), code, rule)

    name, kind = path[-1], item.get("type")
    absent_is_soft = not required or name in _may_be_absent(action)
    if isinstance(name, str):
        missing = _without(whole, path)
        if not required:
            yield Mutation("missing", path, missing)
        else:
            yield mutation("missing", missing, "" if absent_is_soft else OCCURENCE, "missing")
    yield changed("null", None, "" if absent_is_soft else TYPE, "type")
    if kind == "object":
        yield changed("wrong type", "text", TYPE, "type")
        yield changed("wrong type", [1], TYPE, "type")
        yield changed(
            "extra key", {**_at(whole, path), "extraKey": {}}, rule="additionalProperties"
        )
        needed = bool(item.get("required"))
        yield changed("empty", {}, OCCURENCE * needed, "missing" * needed)
        return
    if kind == "array":
        yield changed("wrong type", {}, TYPE, "type")
        yield changed("wrong type", "text", TYPE, "type")
        needed = bool(item.get("minItems"))
        yield changed("empty", [], OCCURENCE * needed, "minItems" * needed)
        return
    for wrong in ({}, [], True):
        yield changed("wrong type", wrong, TYPE, "type")
    if kind == "string":
        yield from _of_text(changed, item)
    else:
        yield from _of_number(changed, name in NEEDED_NUMBERS, _at(whole, path))


def _of_text(changed: Any, item: Mapping[str, Any]) -> Iterator[Mutation]:
    yield changed("number for text", 12, rule="type")
    if "enum" in item:
        yield changed("bad enum", "NoSuchWord", rule="enum")
        yield changed("empty", "", rule="enum")
        yield changed("too long", "x" * 10_000, rule="enum")
        return
    if item.get("format") == "date-time":
        yield changed("bad time", "tomorrow", rule="format")
        yield changed("empty", "", rule="format")
        yield changed("too long", "2026-11-22T12:00:00Z" * 500, rule="format")
        return
    yield changed("empty", "")
    if "maxLength" in item:
        yield changed("longest", "x" * item["maxLength"])
        yield changed("too long", "x" * (item["maxLength"] + 1), rule="maxLength")
        yield changed("too long", "x" * 10_000, rule="maxLength")
    else:
        yield changed("long", "x" * 10_000)


def _of_number(changed: Any, needed: bool, right: Any) -> Iterator[Mutation]:
    yield changed("text for number", str(right), rule="type")
    for word in ("", "text", "٣"):
        # Where it is needed, the ledger complains, not the schema.
        yield changed("no number", word, TYPE if needed else "", "" if needed else "type")


def _at(whole: Any, path: Path_) -> Any:
    for step in path:
        whole = whole[step]
    return whole


def _with(whole: Mapping[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    new = copy.deepcopy(dict(whole))
    _at(new, path[:-1])[path[-1]] = value
    return new


def _without(whole: Mapping[str, Any], path: Path_) -> dict[str, Any]:
    new = copy.deepcopy(dict(whole))
    del _at(new, path[:-1])[path[-1]]
    return new
