"""docs/extending.md lists every decision, and nothing that is none."""

import importlib
import inspect
from pathlib import Path
from pkgutil import iter_modules

from levity.ocpp import decisions
from levity.ocpp.decisions import authority

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


# Parts of other decisions, with nothing for extensions.
PARTS = frozenset({"decisions.taking_over", "decisions.authority.issuing"})


def modules() -> set[str]:
    """Every module of decisions that may decide something."""
    found = {
        f"decisions.{module.name}"
        for module in iter_modules(decisions.__path__)
        if not module.ispkg
    }
    found |= {f"decisions.authority.{module.name}" for module in iter_modules(authority.__path__)}
    return found - PARTS


def test_every_decision_is_in_the_table() -> None:
    table = listed()
    for name in modules() | set(table):
        functions = table.get(name, set())
        module = importlib.import_module(f"levity.ocpp.{name}")
        real = {
            word
            for word in module.__all__
            if inspect.isfunction(found := getattr(module, word))
            and "who" in inspect.signature(found).parameters
            and word not in LOOKS
        }
        assert functions == real, name
