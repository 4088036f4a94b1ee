"""Every fault in every field of every message, and what Levity makes of it."""

import copy
import json
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from levity.ocpp.models import Message, QuarantinedMessage
from levity.ocpp.v16.routes import ROUTES
from tests.ocpp.charger import CentralSystem, Charger, wire

__all__ = ["FRAMES", "Keys", "faults_of", "fields_of", "made_of", "made_of_frame", "schema_of"]

Keys = tuple[str | int, ...]
"""The way to a field: names, and 0 for the first item of an array."""
ABSENT, AS_TEXT = object(), object()
FINE, KEPT, QUARANTINED, NOTHING = "fine", "kept", "quarantined", "no answer"

# (what is wrong, the frame)
FRAMES: tuple[tuple[str, str], ...] = (
    ("no JSON, and no head that can be read", "hello"),
    ("no JSON, but the head of a Call can be read", '[2,"1","Heartbeat",{"a":,}]'),
    ("no JSON, the head of a StopTransaction", '[2,"1","StopTransaction",{"transactionId":,}]'),
    ("half a CALLRESULT", '[3,"1",{"a":['),
    ("NaN or Infinity", '[2,"1","DataTransfer",{"vendorId":"X","data":NaN}]'),
    ("a field twice in one object", '[2,"1","Authorize",{"idTag":"A","idTag":"B"}]'),
    ("nested deeper than 100", '[2,"1","DataTransfer",' + "[" * 120 + "]" * 120 + "]"),
    ("JSON, but no array", '{"a":1}'),
    ("an empty array", "[]"),
    ("a message type that does not exist", '[5,"1","Heartbeat",{}]'),
    ("a message type written as text", '["2","1","Heartbeat",{}]'),
    ("a unique id that is a number", '[2,1,"Heartbeat",{}]'),
    ("an empty unique id", '[2,"","Heartbeat",{}]'),
    ("a unique id of 37 characters", f'[2,"{"x" * 37}","Heartbeat",{{}}]'),
    ("a Call of three elements", '[2,"1","Heartbeat"]'),
    ("a Call of five elements", '[2,"1","Heartbeat",{},{}]'),
    ("an action that is no text", '[2,"1",7,{}]'),
    ("an action that nobody knows", '[2,"1","MakeCoffee",{}]'),
    ("an action of the central system", '[2,"1","Reset",{"type":"Soft"}]'),
    ("an answer to a Call that nobody sent", '[3,"1",{}]'),
)


def schema_of(action: str) -> dict[str, Any]:
    """The published schema of a message."""
    spec = find_spec("ocpp")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "v16" / "schemas" / f"{action}.json"
    schema = json.loads(path.read_text(encoding="utf-8-sig"))
    resolved: dict[str, Any] = _resolved(schema, schema.get("definitions", {}))
    return resolved


def _resolved(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _resolved(item, definitions) for name, item in schema.items()}


def whole(schema: Mapping[str, Any]) -> Any:
    """A value that has every field and nothing wrong."""
    match schema["type"]:
        case "object":
            return {name: whole(item) for name, item in schema.get("properties", {}).items()}
        case "array":
            return [whole(schema["items"])]
        case "integer" | "number":
            return 1
    if "enum" in schema:
        return schema["enum"][0]
    return wire() if schema.get("format") == "date-time" else "TEXT"


def fields_of(
    schema: Mapping[str, Any], keys: Keys = ()
) -> Iterator[tuple[Keys, Mapping[str, Any], bool]]:
    """(the way there, its schema, required) of every field, those within others behind them."""
    if schema["type"] == "array":
        yield from fields_of(schema["items"], (*keys, 0))
    for name, item in schema.get("properties", {}).items():
        yield (*keys, name), item, name in schema.get("required", ())
        yield from fields_of(item, (*keys, name))


def faults_of(schema: Mapping[str, Any], *, required: bool) -> Iterator[tuple[str, Any]]:
    """(kind of fault, the value that has it), as far as this field can have it."""
    kind = schema["type"]
    if required:
        yield "missing", ABSENT
    yield "null", None
    yield "another kind", "TEXT" if kind in ("object", "array") else {"a": 1}
    if kind == "string":
        yield "number for text", 7
    if kind in ("integer", "number"):
        yield "number as text", AS_TEXT
        yield "fraction", 1.5
    if "maxLength" in schema:
        yield "too long", "T" * (schema["maxLength"] + 2)
    if "enum" in schema:
        yield "unknown word", "Unheard"
    if schema.get("format") == "date-time":
        yield "no time", "soon"
    if kind == "array":
        yield "empty", []


def made_of(site: CentralSystem, action: str, keys: Keys, value: Any) -> str:
    """What Levity does with the message whose field is changed so."""
    assert action in ROUTES
    charger = site.connect(Charger(f"CP{Message.objects.count()}"))
    payload = whole(schema_of(action))
    if "transactionId" in payload:
        payload["transactionId"] = site.start(charger, idTag="TEXT", meterStart=0)
        charger.now = 60
    if action == "StopTransaction":
        payload["timestamp"] = wire(60)
    changed = _with(payload, keys, value)
    return _outcome(site, charger, json.dumps([2, "probe", action, changed]), "probe")


def made_of_frame(site: CentralSystem, text: str) -> str:
    """What Levity does with this frame."""
    charger = site.connect(Charger(f"FRAME{Message.objects.count()}"))
    return _outcome(site, charger, text, None)


def _outcome(site: CentralSystem, charger: Charger, text: str, unique_id: str | None) -> str:
    before = QuarantinedMessage.objects.count()
    frames = site.frames(charger.says(text))
    row = Message.objects.filter(connection=charger.connection).latest("id")
    if not frames:
        assert row.error_description, "what is ignored is kept with its reason"
        return NOTHING
    answer = json.loads(frames[0])
    if answer[0] == 4:
        assert answer[2] != "InternalError", text
        assert row.error_code == answer[2]
        assert row.error_description
        return str(answer[2])
    assert unique_id in (None, answer[1])
    if QuarantinedMessage.objects.count() > before:
        assert row.error_description or "no such" in QuarantinedMessage.objects.latest("id").reason
        return QUARANTINED
    return KEPT if row.error_description else FINE


def _with(payload: Any, keys: Keys, value: Any) -> Any:
    if not keys:
        return value
    changed = copy.deepcopy(payload)
    place = changed
    for key in keys[:-1]:
        place = place[key]
    if value is ABSENT:
        del place[keys[-1]]
    elif value is AS_TEXT:
        place[keys[-1]] = str(place[keys[-1]])
    else:
        place[keys[-1]] = value
    return changed
