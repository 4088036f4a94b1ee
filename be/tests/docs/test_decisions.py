"""docs/extending.md lists every decision, and nothing that is none."""

import importlib
import inspect
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
# They decide nothing: they look, or are parts of others.
LOOKS = frozenset(
    {"check_deletion", "check_sending", "check_site", "may_add", "may_close", "waiting"}
)


def listed() -> dict[str, set[str]]:
    """Module -> functions, by the table."""
    text = (DOCS / "extending.md").read_text()
    table = text.split("| module of `levity.ocpp` | functions |")[1].split("\n\n")[0]
    found = {}
    for line in table.splitlines()[2:]:
        words = line.split("`")[1::2]
        found[words[0]] = set(words[1:])
    return found


def test_every_decision_is_in_the_table() -> None:
    for name, functions in listed().items():
        module = importlib.import_module(f"levity.ocpp.{name}")
        real = {
            word
            for word in module.__all__
            if inspect.isfunction(found := getattr(module, word))
            and "who" in inspect.signature(found).parameters
            and word not in LOOKS
        }
        assert functions == real, name
