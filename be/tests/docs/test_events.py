"""docs/events.md says what the code does."""

import json
import re
from pathlib import Path

from levity.integrations.conf import DEFAULTS
from levity.ocpp.events import TYPES

PAGE = Path(__file__).parents[3] / "docs" / "events.md"
ROW = re.compile(r"^\| `([a-z.]+)` \| .+ \| `(\{.*\})` \|$", re.MULTILINE)


def test_every_type_is_documented_with_an_example() -> None:
    rows = ROW.findall(PAGE.read_text())
    assert [name for name, _ in rows] == list(TYPES)
    for _, example in rows:
        assert isinstance(json.loads(example), dict)


def test_every_setting_is_documented_with_its_default() -> None:
    text = PAGE.read_text()
    for name, default in DEFAULTS.items():
        assert f"`{name}`" in text
        assert str(default) in text
