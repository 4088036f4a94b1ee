"""What is wrong with a value of a request, in the words of this API instead of pydantic's."""

from collections.abc import Mapping
from typing import Any

__all__ = ["place_of", "sentence_of", "what_is_wrong"]

SAID: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "there is no such field",
    "dict_type": "must be an object, such as {{}}",
    "model_type": "must be an object, such as {{}}",
    "model_attributes_type": "must be an object, such as {{}}",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "decimal_type": "must be a number",
    "decimal_parsing": "must be a number",
    "decimal_max_digits": "may have at most {max_digits} digits",
    "decimal_max_places": "may have at most {decimal_places} decimals",
    "decimal_whole_digits": "may have at most {whole_digits} digits before the point",
    "int_parsing_size": "is too large",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "may have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "may have at most {max_length} items",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "timezone_aware": "needs a time zone, as in 2026-11-30T18:00:00Z",
    "datetime_type": "must be a time, such as 2026-11-30T18:00:00Z",
    "datetime_parsing": "must be a time, such as 2026-11-30T18:00:00Z",
    "datetime_from_date_parsing": "must be a time, such as 2026-11-30T18:00:00Z",
    "date_type": "must be a day, such as 2026-11-30",
    "date_parsing": "must be a day, such as 2026-11-30",
    "date_from_datetime_parsing": "must be a day, such as 2026-11-30",
}


# The arguments in which ninja collects what an operation takes from the address.
COLLECTED = ("asked", "about")
VERBS = ("must ", "may ", "is ", "needs ")


def place_of(error: Mapping[str, Any]) -> str:
    """Where the value is, such as `body.wait`."""
    where, path = _place(error)
    return ".".join([where, *path])[:200]


def sentence_of(error: Mapping[str, Any]) -> str:
    """Such as `“wait” must be at most 55`."""
    where, path = _place(error)
    name = f"“{'.'.join(path)[:200]}”" if path else f"the {where}"
    said = what_is_wrong(error)
    return f"{name} {said}" if said.startswith(VERBS) else f"{name}: {said}"


def what_is_wrong(error: Mapping[str, Any]) -> str:
    """The end of that sentence."""
    said = SAID.get(str(error["type"]))
    if said is None:
        return str(error["msg"]).removeprefix("Value error, ")
    return said.format_map(error.get("ctx") or {})


def _place(error: Mapping[str, Any]) -> tuple[str, list[str]]:
    """ninja puts the name of the function's argument behind `body`, and sometimes `query`."""
    where, *path = map(str, error["loc"])
    is_named = where == "body" or path[:1] in ([name] for name in COLLECTED)
    return where, path[1:] if is_named else path
