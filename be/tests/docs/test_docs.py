"""The documentation says what the code does: names, defaults, links and examples are checked."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from django.core.management import get_commands

from levity.ocpp.changes import Session, SessionChange, load_receiver
from levity.ocpp.conf import DEFAULT_OCPP_MIDDLEWARE, DEFAULTS
from levity.ocpp.effects import Effect, SendCall
from levity.ocpp.middleware import build_chain
from levity.ocpp.models import Command, ConnectionEvent, Transaction
from levity.ocpp.request import ChargePointState, Request
from levity.ocpp.rules.flags import CLASSES, MEANINGS
from levity.ocpp.v16.schemas import SCHEMAS
from levity.ocpp.wire.frames import OcppError
from levity.run.checks import VARIABLES
from levity_ws.edge import settings as edge_settings
from levity_ws.rpc import envelope

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
        *DOCS.rglob("*.md"),
        ROOT / "be/README.md",
        ROOT / "ws/README.md",
    ]
)
# Lists of what is promised: they name targets that are still to come.
PLANS = ("checks.md", "conformance.md")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(page: str) -> Iterator[list[str]]:
    """The cells of every table row of a page."""
    for line in page.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def first_cells(page: str) -> set[str]:
    """What stands in backticks in the first cell of any table row."""
    return {name for cells in rows(page) for name in re.findall(r"`([^`]+)`", cells[0])}


def test_every_ocpp_setting_is_documented_with_its_default():
    documented = {
        name: cells[1]
        for cells in rows(text_of("docs/extending.md"))
        for name in re.findall(r"`(OCPP_\w+)`", cells[0])
    }
    middleware = ", ".join(f"`{path.rpartition('.')[2]}`" for path in DEFAULT_OCPP_MIDDLEWARE)
    expected = {
        name: f"`{json.dumps(value) if isinstance(value, str) else repr(value)}`"
        for name, value in DEFAULTS.items()
    }
    expected["OCPP_MIDDLEWARE"] = f"`DEFAULT_OCPP_MIDDLEWARE`: {middleware}"
    assert documented == expected


def test_every_command_is_documented_and_every_documented_command_exists():
    """Those of files, billing, webhooks and the API are ours, too: three were in no table."""
    ours = {name for name, app in get_commands().items() if app.startswith("levity")}
    table = text_of("docs/commands.md")
    assert ours - first_cells(table) == set()
    assert first_cells(table) - set(get_commands()) == set()


def test_every_make_target_that_a_page_names_exists():
    targets = set(re.findall(r"^([a-z-]+):.*", text_of("Makefile"), re.MULTILINE))
    named = {
        target
        for page in PAGES
        if page.name not in PLANS
        for code in re.findall(r"```shell\n.*?```|`[^`\n]+`", page.read_text(), re.DOTALL)
        for target in re.findall(r"(?:^|`|& |\d )make ([a-z][a-z-]*)", code, re.MULTILINE)
    }
    assert {"run", "demo", "test", "test-fast", "bench"} <= named
    assert named - targets == set()


@cache
def variables_read_by_the_code() -> frozenset[str]:
    """Names that are looked up in an environment, or passed along with one."""
    found = set(edge_settings.VARIABLES)
    for path in (*ROOT.glob("be/levity/**/*.py"), *ROOT.glob("ws/src/**/*.py")):
        if {"bench", "simulator", "soak"} & set(path.relative_to(ROOT).parts):
            continue  # their processes are started by themselves
        text = path.read_text()
        if "environ" not in text and "self._port" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Subscript):
                parts = [node.value, node.slice]
            elif isinstance(node, ast.Call):
                parts = [node.func, *node.args]
            else:
                continue
            source = [ast.unparse(part) for part in parts]
            if any("environ" in part or part == "self._port" for part in source):
                found |= {
                    part.value
                    for part in parts
                    if isinstance(part, ast.Constant)
                    and isinstance(part.value, str)
                    and re.fullmatch(r"[A-Z][A-Z0-9_]+", part.value)
                }
    return frozenset(found)


def test_every_environment_variable_that_the_code_reads_is_documented():
    read = variables_read_by_the_code()
    assert {"DATABASE_URL", "AMQP_URL", "WS_PORT", "HTTP_PORT", "SECRET_KEY"} <= read
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", text_of("docs/configuration.md")))
    documented |= first_cells(text_of("docs/deploying.md"))
    documented |= set(re.findall(r"`([A-Z][A-Z0-9_]+)`", text_of("docs/monitoring.md")))
    documented |= set(re.findall(r"`([A-Z][A-Z0-9_]+)`", text_of("CONTRIBUTING.md")))
    assert read - documented == set()


def test_a_mistyped_variable_can_be_told_from_one_that_is_read():
    """`run.W001` knows them all: each of Levity's prefix, and none that is gone."""
    read = {name for name in variables_read_by_the_code() if name.startswith("LEVITY_")}
    assert read == VARIABLES


def test_every_environment_variable_in_the_tables_is_read_somewhere():
    documented = first_cells(text_of("docs/configuration.md"))
    documented |= first_cells(text_of("docs/deploying.md"))
    variables = {name for name in documented if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", name)}
    by_make = set(re.findall(r"\$\{?\(?([A-Z_]+)", text_of("tools/env") + text_of("Makefile")))
    assert variables - variables_read_by_the_code() - by_make == set()


@pytest.mark.parametrize("states", [Command.State, Transaction.State, ConnectionEvent.Kind])
def test_every_state_that_an_operator_sees_is_explained(states: Any):
    assert set(states.values) - first_cells(text_of("docs/operating.md")) == set()


def test_every_effect_is_documented():
    effects = {kind.__name__ for kind in get_args(Effect)}
    assert effects - first_cells(text_of("docs/extending.md")) == set()


def test_the_envelope_page_names_every_event_and_command_with_its_fields():
    common = {"charge_point", "connection", "seq", "at"}
    documented = {
        cells[0].strip("`"): set(re.findall(r"`(\w+)`", cells[1]))
        for cells in rows(text_of("docs/envelope.md"))
        if len(cells) == 3 and cells[0].startswith("`")
    }
    kinds = (*get_args(envelope.Event), *get_args(envelope.Command))
    assert {
        kind.type: {item.name for item in fields(kind)} - common for kind in kinds
    } == documented


def test_the_examples_on_the_envelope_page_are_envelopes():
    batch, reply = re.findall(r"```json\n(.*?)```", text_of("docs/envelope.md"), re.DOTALL)
    decoded = envelope.decode_batch(batch.encode())
    assert json.loads(envelope.encode_batch(decoded)) == json.loads(batch)
    answer = envelope.decode_reply(reply.encode())
    assert json.loads(envelope.encode_reply(answer)) == json.loads(reply)
    assert answer.batch == decoded.batch


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", item.lower()).replace(" ", "-") for item in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def test_prose_is_wrapped_at_one_width():
    wrap = [sys.executable, "tools/wrap_prose.py", "--check"]
    done = subprocess.run(wrap, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "", "`make format` wraps these pages"


def test_a_wrapped_page_keeps_what_cannot_be_broken():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        wrapped = import_module("wrap_prose").wrapped
    finally:
        sys.path.remove(str(ROOT / "tools"))
    words = "word " * 20
    page = (
        f"- {words}`code that stays` and 1. no list\n\n"
        f"| {words} {words} |\n\n```\n{words * 2}\n```\n"
    )
    text = wrapped(page)
    assert text.split() == page.split()
    assert f"| {words} {words} |" in text
    assert "`code that stays`" in text
    assert "\n  " in text
    assert "\n  1." not in text
    assert wrapped(text) == text


def test_every_file_that_the_architecture_names_is_there():
    places = [ROOT / place for place in (".", "be/levity", "be/levity/ocpp", "ws/src/levity_ws")]
    named = re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`", text_of("docs/architecture.md"))
    assert len(named) > 30
    assert [name for name in named if not any((top / name).exists() for top in places)] == []


def test_the_readme_stays_short():
    assert len(text_of("README.md").splitlines()) <= 130


def test_every_decision_has_its_number_and_the_same_parts():
    pages = sorted((DOCS / "adr").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    for number, page in zip(numbers, pages, strict=True):
        text = page.read_text()
        assert text.startswith(f"# {number}. "), page.name
        parts = ["Context", "Decision", "Drawbacks", "Considered"]
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == parts, page.name


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the modules that docs/extending.md shows, on the import path."""
    blocks = re.findall(
        r"```python\n# (\w+)\.py\n(.*?)```", text_of("docs/extending.md"), re.DOTALL
    )
    for name, code in blocks:
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name, _ in blocks:
        sys.modules.pop(name, None)


def a_request(action: str, received_at: datetime = NOON, **payload: Any) -> Request:
    return Request(
        action=action,
        payload=payload,
        unique_id="1",
        connection="d9b0b0a4-6f0e-4c3b-8a53-2f5a3f0c9d11",
        received_at=received_at,
        charge_point=ChargePointState(id=1, identity="garage-1"),
    )


def test_the_example_middleware_runs_in_the_real_chain(examples: Path):
    entry = ("site_middleware.SampleInterval", {"seconds": 30})
    chain = build_chain([*DEFAULT_OCPP_MIDDLEWARE, entry])
    plain = build_chain(DEFAULT_OCPP_MIDDLEWARE)
    boot = a_request("BootNotification", chargePointVendor="Acme", chargePointModel="One")
    assert chain(boot) == plain(boot).adding(
        SendCall(
            "ChangeConfiguration",
            {"key": "MeterValueSampleInterval", "value": "30"},
            delay=timedelta(seconds=5),
            this_connection=True,
            source="SampleInterval",
        )
    )
    assert chain(a_request("Heartbeat")) == plain(a_request("Heartbeat"))


@pytest.mark.parametrize(
    ("id_tag", "hour", "status"),
    [
        ("GUEST7", 12, "Accepted"),
        ("GUEST7", 23, "Blocked"),
        ("guest7", 5, "Blocked"),
        ("RESIDENT", 23, "Accepted"),
    ],
)
def test_the_example_before_the_defaults_has_the_last_word(
    examples: Path, id_tag: str, hour: int, status: str
):
    chain = build_chain(["guests_by_day.GuestsByDay", *DEFAULT_OCPP_MIDDLEWARE])
    request = a_request("Authorize", NOON.replace(hour=hour), idTag=id_tag)
    assert chain(request).payload == {"idTagInfo": {"status": status}}


def test_the_strict_example_refuses_what_is_taken_softly(examples: Path):
    """I-25: for those who want a vendor of more than 20 characters refused."""
    chain = build_chain(["strict_boots.StrictBoots", *DEFAULT_OCPP_MIDDLEWARE])
    boot = a_request("BootNotification", chargePointVendor="x" * 21, chargePointModel="One")
    with pytest.raises(OcppError) as refused:
        chain(replace(boot, findings=SCHEMAS.check(boot.action, boot.payload)))
    assert refused.value.code == "PropertyConstraintViolation"
    assert chain(boot).payload["status"] == "Accepted"


def test_the_example_receiver_bills_what_it_is_told(
    examples: Path, monkeypatch: pytest.MonkeyPatch
):
    kept: dict[int, dict[str, Any]] = {}

    class Bill:
        """As a model would, with a dict for its table."""

        def __init__(self) -> None:
            self.objects = self

        def update_or_create(self, *, session: int, defaults: dict[str, Any]) -> None:
            kept[session] = defaults

        def filter(self, *, session: int) -> Any:
            return SimpleNamespace(delete=lambda: kept.pop(session))

    monkeypatch.setitem(sys.modules, "bills.models", SimpleNamespace(Bill=Bill()))
    bill = load_receiver("site_billing.bill")
    runs = Session(
        7, 1, "CP", 0, 1, "tag", "active", NOON, None, Decimal(1), None, None, "", "", ()
    )
    over = replace(runs, state="stopped", energy=Decimal(500))
    bill((SessionChange(None, runs),))
    assert kept == {7: {"wh": 0, "final": False}}
    bill((SessionChange(runs, over),))
    assert kept == {7: {"wh": 500, "final": True}}
    bill((SessionChange(over, None),))
    assert kept == {}


def test_the_example_test_passes(examples: Path):
    module = import_module("test_site_middleware")
    module.test_a_charger_that_boots_is_asked_for_meter_values()


@pytest.mark.django_db
def test_the_example_test_of_a_whole_session_passes(examples: Path):
    module = import_module("test_sessions")
    module.test_a_session_is_kept_with_its_energy()


def test_the_example_settings_pass_the_system_checks(examples: Path, tmp_path: Path):
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "mysite",
        "PYTHONPATH": str(examples),
        "LEVITY_DATA_DIR": str(tmp_path),
    }
    check = [sys.executable, "-m", "levity", "check", "--fail-level", "WARNING"]
    done = subprocess.run(check, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


def test_a_mistyped_entry_is_named_by_the_system_checks(examples: Path, tmp_path: Path):
    page = (examples / "mysite.py").read_text()
    (examples / "mysite.py").write_text(page.replace("SampleInterval", "SimpleInterval"))
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "mysite",
        "PYTHONPATH": str(examples),
        "LEVITY_DATA_DIR": str(tmp_path),
    }
    check = [sys.executable, "-m", "levity", "check"]
    done = subprocess.run(check, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "(ocpp.E001)" in done.stderr
    assert "site_middleware.SimpleInterval" in done.stderr


def test_flags_mean_the_same_on_the_page_and_in_the_manual() -> None:
    page = text_of("docs/operating.md")
    table = page.partition("| flag | class | meaning |")[2].partition("\n\n")[0]
    told = {
        name: cells[1].replace(" ", "-")
        for cells in rows(table)
        for name in re.findall(r"`([a-z-]+)`", cells[0])
    }
    assert told == {name: flag.category for name, flag in MEANINGS.items()}


def test_every_flag_has_a_class_and_a_sentence() -> None:
    assert [name for name, flag in MEANINGS.items() if flag.category not in CLASSES] == []
    assert [name for name, flag in MEANINGS.items() if not flag.meaning.endswith(".")] == []
