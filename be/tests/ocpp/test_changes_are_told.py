"""Levity writes a session's row within `changes_told` only, or where all callers are in it."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import levity

ROOT = Path(levity.__file__).parent
BULK = frozenset({"insert_rows", "update_rows", "upsert_rows"})
ORM = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in (
        *("save", "delete", "update", "create", "bulk_create", "bulk_update"),
        *("get_or_create", "update_or_create"),
    )
)
# They import `Transaction`, and what they save, update or delete are other rows, or no rows.
NO_SESSIONS = frozenset(
    {
        ("api/v1/signed_values.py", "delete_meter_key"),  # MeterKey
        ("billing/forgetting.py", "forget_tag"),  # Assignment, TariffUse
        *(
            ("files/campaigns.py", name)  # FirmwareCampaign and its targets
            for name in ("_drive_one", "_end", "_next_wave", "_ready", "_start", "_turn", "cancel")
        ),
        ("integrations/mqtt/publisher.py", "look"),  # a set
        ("ocpp/decisions/charging_profiles.py", "end_profiles"),  # InstalledProfile
        ("ocpp/decisions/forgetting.py", "_lists"),  # LocalList
        ("ocpp/decisions/forgetting.py", "_reservations"),  # Reservation
        ("ocpp/changes.py", "_note"),  # a dict
        ("ocpp/changes.py", "_tell_oldest"),  # MissedChange
        ("ocpp/decisions/quarantine.py", "_resolve"),  # QuarantinedMessage
        ("ocpp/decisions/restored.py", "note_restore"),  # Installation
        ("ocpp/store/ledger.py", "write_charge_points"),  # a dict
        ("ocpp/store/loose.py", "renew"),  # UnassignedEnergy
        ("run/reading_back.py", "_digest"),  # a digest
    }
)
Place = tuple[str, str]
"""File and function."""


@dataclass
class Function:
    """What one function does outside of `changes_told`."""

    writes: bool = False
    calls: set[str] = field(default_factory=set)


def functions(sources: Mapping[str, str]) -> tuple[dict[Place, Function], set[str]]:
    """Each function, and the names that are called anywhere within `changes_told`."""
    found: dict[Place, Function] = {}
    guarded: set[str] = set()
    for file, source in sources.items():
        tree = ast.parse(source)
        knows = any(
            isinstance(node, ast.ImportFrom)
            and any(item.name == "Transaction" for item in node.names)
            for node in ast.walk(tree)
        )
        for name, node, is_told in _calls(tree, "", is_told=False):
            called = _called(node)
            if is_told:
                guarded.add(called)
                continue
            function = found.setdefault((file, name), Function())
            function.calls.add(called)
            function.writes |= (
                _writes(node, called, knows=knows) and (file, name) not in NO_SESSIONS
            )
    return found, guarded


def untold(found: Mapping[Place, Function], guarded: set[str]) -> set[Place]:
    """Functions that write sessions, and that nobody calls within `changes_told`."""
    writers = {place for place, function in found.items() if function.writes}
    while True:
        callers = {
            place
            for place, function in found.items()
            if any(
                name in function.calls and (not name.startswith("_") or file == place[0])
                for file, name in writers
            )
        }
        if callers <= writers:
            break
        writers |= callers
    called = {name for place in writers for name in found[place].calls}
    return {(file, name) for file, name in writers if name not in guarded | called}


def _calls(node: ast.AST, name: str, *, is_told: bool) -> Iterator[tuple[str, ast.Call, bool]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        name, is_told = node.name, False
    if isinstance(node, ast.Call):
        yield name, node, is_told
    is_told |= isinstance(node, ast.With) and any(
        isinstance(item.context_expr, ast.Call) and _called(item.context_expr) == "changes_told"
        for item in node.items
    )
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, name, is_told=is_told)


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _writes(node: ast.Call, called: str, *, knows: bool) -> bool:
    """True if this call may write a session; `knows`: `Transaction` is imported here."""
    if called in BULK and node.args:
        model = ast.unparse(node.args[0])
        # A model in a variable may be any.
        return model.endswith("Transaction") or model[:1].islower()
    if called in ORM and isinstance(node.func, ast.Attribute):
        of = ast.unparse(node.func.value)
        is_other = of[:1].isupper() and not of.startswith("Transaction.")
        return not is_other and (knows or ".transaction" in of or ".resolved_to" in of)
    return any(
        isinstance(item, ast.Constant)
        and "ocpp_transaction" in str(item.value)
        and str(item.value).lstrip().startswith(("UPDATE", "INSERT", "DELETE", "WITH"))
        for item in node.args
    )


@pytest.mark.slow
def test_every_writer_of_a_session_tells_what_it_changes() -> None:
    """One that does not is a session that an extension never bills. See levity.ocpp.changes."""
    files = [path for path in ROOT.rglob("*.py") if "migrations" not in path.parts]
    sources = {path.relative_to(ROOT).as_posix(): path.read_text() for path in files}
    found, guarded = functions(sources)
    assert untold(found, guarded) == set()
    # What it looks for is there.
    assert found["ocpp/store/ledger.py", "write_transactions"].writes
    for place in NO_SESSIONS:
        assert place in found, f"{place} is gone: take it off the list"


@pytest.mark.parametrize(
    ("body", "is_untold"),
    [
        ("Transaction.objects.filter(pk=1).update(energy=0)", True),
        ("Transaction.objects.create(pk=1)", True),
        ("row.save()", True),
        ("charge_point.transactions.all().delete()", True),
        ("update_rows(Transaction, ('id',), [])", True),
        ("update_rows(model, ('id',), [])", True),
        ("write_transactions([])", True),
        ("cursor.execute('UPDATE ocpp_transaction SET energy = 0')", True),
        ("Connector.objects.filter(pk=1).update(status='')", False),
        ("update_rows(Connector, ('id',), [])", False),
        ("Transaction.objects.filter(pk=1).count()", False),
    ],
)
def test_a_writer_that_tells_nobody_is_found(body: str, is_untold: bool) -> None:
    common = "def write_transactions(rows):\n    insert_rows(Transaction, (), rows)\n"
    head = f"from levity.ocpp.models import Transaction\n{common}"
    plain = f"{head}def handle():\n    {body}\n"
    told = f"{head}def handle():\n    with atomic(), changes_told(lambda: [1]):\n        {body}\n"
    assert (("a.py", "handle") in untold(*functions({"a.py": plain}))) is is_untold
    assert ("a.py", "handle") not in untold(*functions({"a.py": told}))
