"""The requests of docs/api.md are requests of this API: addresses, parameters, bodies."""

import json
import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from jsonschema import Draft202012Validator

from levity.api.v1 import api

DAY = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
ASKED = re.findall(r'^ask "\$LEVITY.*$', DAY, re.MULTILINE)
WITH_BODY = ("--json", "--data-binary")


@cache
def schema() -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(api.document()))
    return found


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


def operation(method: str, path: str) -> Mapping[str, Any]:
    """What the schema says of it; an address that is written out goes before one with a key."""
    for template in sorted(schema()["paths"], key=lambda text: text.count("{")):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, f"/api/v1/{path}") and method in schema()["paths"][template]:
            found: Mapping[str, Any] = schema()["paths"][template][method]
            return found
    raise AssertionError(f"there is no {method.upper()} {path}")


@pytest.mark.parametrize("line", ASKED)
def test_what_the_documentation_asks_for_is_there(line: str) -> None:
    words = shlex.split(line)
    path, _, query = words[1].removeprefix("$LEVITY/").partition("?")
    has_body = any(name in words for name in WITH_BODY)
    method = option(words, "-X") or ("POST" if has_body else "GET")
    wanted = operation(method.lower(), path)
    known = {each["name"] for each in wanted["parameters"] if each["in"] == "query"}
    assert {name for name, _ in parse_qsl(query)} <= known
    needed = {each["name"] for each in wanted["parameters"] if each.get("required")}
    assert {name for name in needed if name in known} <= {name for name, _ in parse_qsl(query)}
    if body := option(words, "--json"):
        content = wanted["requestBody"]["content"]["application/json"]["schema"]
        whole = {**content, "components": schema()["components"]}
        errors = [
            error.message for error in Draft202012Validator(whole).iter_errors(json.loads(body))
        ]
        assert errors == []
    else:
        assert has_body == ("requestBody" in wanted) or not wanted["requestBody"].get("required")


def test_the_day_has_all_of_a_technicians_errands() -> None:
    """And none of the lines above was lost by another way to write them."""
    assert len(ASKED) == DAY.count('ask "$LEVITY') >= 50
