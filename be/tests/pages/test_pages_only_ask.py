"""Pages, API and commands of the shell write no table of the core: `decisions` and `commands` do.

A decision that is made in a page has no audit, checks nobody's sites, and can't be called by an
API. So the syntax tree of these modules has no call of a method that writes rows, but for those
below.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import levity

ROOT = Path(levity.__file__).parent
WRITES = frozenset(
    {
        *("save", "save_base", "update", "delete", "create", "bulk_create", "bulk_update"),
        *("update_or_create", "get_or_create", "raw", "insert_rows", "update_rows", "upsert_rows"),
    }
)
# Module -> {call: why it may}. Forms of sites and id tags are saved by Django's admin, of which the
# audit hears (pages/kit/history.py): no call here.
ALLOWED: dict[str, dict[str, str]] = {
    "pages/calls/command_form.py": {"self.initial.update": "what a form shows first, a dict"},
}


def modules() -> Iterator[Path]:
    yield from (ROOT / "pages").rglob("*.py")
    yield from (ROOT / "ocpp" / "management").rglob("*.py")
    yield from (ROOT / "api" / "v1").rglob("*.py")


def writes(source: str) -> set[str]:
    """What is called there that may write rows, as `receiver.method`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr in WRITES:
            found.add(f"{ast.unparse(called.value)}.{called.attr}")
        elif isinstance(called, ast.Name) and called.id in WRITES:
            found.add(called.id)
    return found


def is_decision(call: str) -> bool:
    """`decisions.change(row, values, who)` is how it is to be. (`@router.delete` is an address.)"""
    return call.startswith("decisions.") or call == "router.delete"


def test_pages_and_commands_write_nothing_themselves() -> None:
    found: dict[str, set[str]] = {}
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        calls = {call for call in writes(path.read_text()) if not is_decision(call)}
        if calls := calls - set(ALLOWED.get(name, ())):
            found[name] = calls
    assert found == {}


def test_a_page_that_writes_is_found() -> None:
    """The check itself."""
    assert writes("ChargePoint.objects.filter(pk=1).update(name='')") == {
        "ChargePoint.objects.filter(pk=1).update"
    }
    assert writes("insert_rows(Command, (), [])") == {"insert_rows"}
