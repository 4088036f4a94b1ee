"""What is wrong with a payload, for the person who wrote it: what it must be, not which rule broke.

The value itself is not repeated: it may be a secret.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import fastjsonschema

__all__ = ["plainly"]

# The types of JSON Schema.
TYPES = {
    "string": "a text in quotation marks",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list in [ ]",
    "object": "an object in { }",
    "null": "null",
}
FORMATS = {
    "date-time": "a time such as 2026-01-31T12:00:00Z",
    "uri": "an address such as https://example.com/file",
}


def plainly(error: fastjsonschema.JsonSchemaValueException) -> str:
    """One clause without a full stop: `type must be Soft or Hard`."""
    place = ".".join(str(part) for part in error.path[1:])
    rule, wanted = str(error.rule or ""), error.rule_definition
    if rule == "required" and isinstance(error.value, dict):
        missing = [_under(place, name) for name in wanted if name not in error.value]
        return f"{_listed(missing, 'and')} {'is' if len(missing) == 1 else 'are'} missing"[:500]
    if rule == "additionalProperties" and isinstance(error.value, dict):
        return _unknown(place, error)[:500]
    return f"{place or 'the payload'} {_must_be(rule, wanted)}"[:500]


def _must_be(rule: str, wanted: Any) -> str:
    if rule == "enum":
        return f"must be {_listed(map(str, wanted), 'or')}"
    if rule == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        return f"must be {_listed((TYPES.get(str(kind), str(kind)) for kind in kinds), 'or')}"
    if rule == "format":
        return f"must be {FORMATS.get(wanted, wanted)}"
    if rule == "maxLength":
        return f"may have at most {wanted:,} characters"
    if rule == "minItems":
        return f"must have at least {wanted} {'entry' if wanted == 1 else 'entries'}"
    if rule == "multipleOf":
        return f"must be a multiple of {wanted}"
    return f"is not as the schema wants it ({rule or 'form'})"


def _unknown(place: str, error: fastjsonschema.JsonSchemaValueException) -> str:
    known = list((error.definition or {}).get("properties", ()))
    foreign = sorted(str(name) for name in error.value if name not in known)
    where = f" in {place}" if place else ""
    if not foreign:
        return f"there is a field too many{where}"
    first = foreign[0]
    alike = get_close_matches(first.lower(), [name.lower() for name in known], n=1)
    meant = next((name for name in known if alike and name.lower() == alike[0]), "")
    if meant:
        hint = f": did you mean {meant}?"
    elif known:
        hint = f": there is {_listed(known, 'and')}"
    else:
        hint = ": it has none"
    return f"there is no field {first[:64]!r}{where}{hint}"


def _under(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _listed(words: Iterable[str], last: str) -> str:
    *some, end = list(words) or [""]
    return f"{', '.join(some)} {last} {end}" if some else end
