"""What the rules write down with a session is said in the language of the page."""

import ast
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

import levity
from levity.ocpp.rules.chain import unassigned
from levity.ocpp.v16.actions import moved
from levity.pages.chargers.facts_said import FACTS, REASONS, fact_said, reasons_said

HERE = Path(levity.__file__).parent / "ocpp"
BERLIN = ZoneInfo("Europe/Berlin")
# Of messages in quarantine and of refused handshakes, whose pages are English.
OTHERS = {"fitting.py", "fitting_register.py", "admission.py"}
SAMPLES = {"wh": "1,234", "until": "2,345.5", "count": "3", "watts": "11,000"}
SAMPLES |= {"at": "2026-11-10 23:30 UTC", "time": "1 h 07 min"}


def example(node: ast.AST) -> str:
    """A text of the code as it may come out: a number for whatever is put into it."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(example, values))
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="in_wh"))):
            return "1,234 Wh"
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="_lasting"))):
            return "1 h 07 min"
        case ast.FormattedValue(value=ast.Name(id="said")):
            return "3 meter values show"
        case ast.FormattedValue(value=ast.Name(id="until")):
            return "2026-11-10 23:30"
        case ast.FormattedValue(value=ast.Name(id="minutes")):
            return "07"
        case ast.FormattedValue():
            return "12"
    return ""


def details_of_rules() -> Iterator[str]:
    """The facts that the code of the core writes into checks of sessions."""
    files = [
        *HERE.glob("rules/*.py"),
        *HERE.glob("rules/chain/*.py"),
        HERE / "v16/actions/after_stop.py",
    ]
    for path in files:
        if path.name in OTHERS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="Check"), args=[_, _, detail]):
                    yield example(detail)
                case ast.Call(func=ast.Name(id="note" | "_differ"), args=[_, _, *_, detail]):
                    yield example(detail)
                case ast.Call(func=ast.Attribute(attr="append"), args=[ast.Tuple(elts=elements)]):
                    yield example(elements[-1]) if len(elements) == 3 else ""
                case ast.Assign(targets=[ast.Name(id="detail" | "said")], value=value):
                    yield example(value)
                case ast.FunctionDef(name="says"):
                    yield from (
                        example(each.value)
                        for each in ast.walk(node)
                        if isinstance(each, ast.Return) and each.value
                    )


def reasons_of_rules() -> Iterator[str]:
    yield from (text for name, text in vars(moved).items() if name.isupper() and "." in str(text))
    for path in (HERE / "rules/chain/settle.py", HERE / "v16/actions/after_stop.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Yield(value=value) if value is not None:
                    yield example(value)
                case ast.Assign(targets=[ast.Name(id="reason")], value=value):
                    yield example(value)
    yield "Its neighbours agree with its own figures now."
    assert (
        "Its neighbours agree with its own figures now."
        in (HERE / "rules/chain/settling.py").read_text()
    )


def test_every_fact_that_the_rules_write_down_is_said_in_german() -> None:
    known = {*details_of_rules(), "power was reported, but not over any length of time"}
    known = {text for text in known if len(text.split()) > 2 and not text.endswith(" shows")}
    known |= {f"{text}: 1,000 to 2,000.5 Wh" for text in unassigned.TEXTS.values()}
    known -= {"overlaps-next", "3 meter values show"}
    assert len(known) >= 30
    with translation.override("de"):
        assert sorted(text for text in known if fact_said(text, BERLIN) == text) == []


def test_every_reason_of_a_change_is_said_in_german() -> None:
    known = {text for text in reasons_of_rules() if text}
    assert len(known) == len(REASONS)
    with translation.override("de"):
        assert sorted(text for text in known if reasons_said(text) == text) == []


@pytest.mark.parametrize("language", ["en", "de", "fr", "nl"])
def test_each_text_keeps_its_words(language: str) -> None:
    with translation.override(language):
        for text in FACTS:
            assert "%(" not in fact_said(text % SAMPLES, BERLIN)
        if language == "en":
            return
        assert [text for text in FACTS if fact_said(text % SAMPLES, BERLIN) == text % SAMPLES] == []


def test_numbers_and_times_are_this_readers() -> None:
    fact = "2 meter values show 6,000 Wh until 2026-11-10 23:30 UTC"
    with translation.override("en"):
        assert fact_said(fact, BERLIN) == (
            "2 meter values show 6,000 Wh until 2026-11-11 00:30 CET"
        )
    with translation.override("de"):
        assert fact_said(fact, BERLIN) == ("2 Zählerwerte zeigen 6.000 Wh bis 2026-11-11 00:30 CET")
        assert reasons_said(
            "Its start was told twice: the next session has its energy. "
            "1,200 Wh are the next session's: cut at its start. And more"
        ) == (
            "Sein Beginn wurde zweimal gemeldet: Die Energie gehört zum nächsten Ladevorgang. "
            "1.200 Wh gehören zum nächsten Ladevorgang: an dessen Beginn abgeschnitten. And more"
        )


@pytest.mark.parametrize(
    "text",
    [
        "it lasted long",
        "at W at most Wh can have flowed",
        "2 meter values show 6,000 Wh until 9999-99-99 99:99 UTC",
        "an extension's own words",
        "",
    ],
)
def test_what_no_rule_of_ours_says_stands_as_it_is(text: str) -> None:
    with translation.override("de"):
        said = fact_said(text, None)
    assert said == text or "9999-99-99 99:99 UTC" in said
