"""The short check of a payload: it takes nothing that the published schema does not allow."""

import json
from pathlib import Path
from random import Random
from typing import Any

import fastjsonschema
import pytest

from levity.ocpp.wire import schema as schemas
from levity.ocpp.wire.fitting import Fits, fitting

FOLDER = schemas._package() / "v16" / "schemas"
OF_CHARGERS = (
    "Authorize",
    "BootNotification",
    "Heartbeat",
    "MeterValues",
    "StartTransaction",
    "StatusNotification",
    "StopTransaction",
)
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 1.0, 1.5, 10**30, "", "x", "x" * 600, "1", [], [1], {}),
    *("2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", {"a": 1}, [{}], [[]], "Accepted", "Wh"),
)


def published(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8-sig"))
    return found


def example(schema: dict[str, Any], chance: Random) -> Any:
    """A value that the schema allows."""
    if "enum" in schema:
        return chance.choice(schema["enum"])
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {
                name: example(item, chance)
                for name, item in schema.get("properties", {}).items()
                if name in required or chance.random() < 0.7
            }
        case "array":
            return [example(schema["items"], chance) for _ in range(chance.randint(1, 3))]
        case "string":
            forms = {"date-time": "2026-01-31T12:00:00Z", "uri": "http://example.com/"}
            if schema.get("format") in forms:
                return forms[schema["format"]]
            return "x" * chance.randint(0, schema.get("maxLength", 30))
        case "integer":
            return chance.randint(-5, 5)
        case "number":
            return chance.choice([1, 1.5])
        case "boolean":
            return chance.random() < 0.5
    raise AssertionError(schema)


def spoiled(value: Any, chance: Random) -> Any:
    """The value with one thing changed somewhere."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        name = chance.choice(list(value))
        changed = dict(value)
        kind = chance.random()
        if kind < 0.15:
            del changed[name]
        elif kind < 0.3:
            changed[chance.choice(["extra", name.upper(), ""])] = changed[name]
        else:
            changed[name] = spoiled(value[name], chance)
        return changed
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        return [*value[:place], spoiled(value[place], chance), *value[place + 1 :]]
    return chance.choice(ODD)


def says_yes(fits: Fits, value: Any) -> bool:
    try:
        return fits(value)
    except TypeError:
        return False


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_what_fits_in_short_fits_the_published_schema(path: Path) -> None:
    schema, chance = published(path.stem), Random(path.stem)
    fits = fitting(schema, schemas._FORMATS)
    if fits is None:
        return  # it says something that is not understood: the library has the word
    validate = fastjsonschema.compile(schema, formats=schemas._FORMATS, use_default=False)
    yes = 0
    for _ in range(600):
        value = example(schema, chance)
        assert fits(value), value
        for _ in range(chance.randint(1, 2)):
            value = spoiled(value, chance)
            if says_yes(fits, value):
                yes += 1
                validate(value)
    # Or the changes would be so wild that nothing was tried.
    assert yes > 10 or path.stem not in ("MeterValues", "StatusNotification", "StopTransaction")


@pytest.mark.parametrize("name", OF_CHARGERS)
def test_the_frequent_messages_are_understood_in_short(name: str) -> None:
    assert fitting(published(name), schemas._FORMATS) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": ["string", "null"]},
        {"type": "string", "pattern": "x"},
        {"type": "string", "enum": ["x"], "maxLength": 3},
        {"type": "string", "format": "unheard-of"},
        {"type": "number", "multipleOf": 0.1},
        {"type": "array", "items": [{"type": "string"}]},
        {"type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}},
        {"type": "object", "properties": {"a": {"type": "string"}}},
    ],
)
def test_what_is_not_understood_is_left_to_the_library(schema: dict[str, Any]) -> None:
    assert fitting(schema, schemas._FORMATS) is None
