"""What leaves as a file: no cell is a formula, and what is too old is in none."""

import ast
import csv
import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db.models import Model
from django.test import Client
from django.utils import timezone

import levity
from levity.ocpp.models import (
    Command,
    ConnectionEvent,
    FailedMessage,
    Message,
    QuarantinedMessage,
    SecurityEvent,
    Transaction,
)
from tests.pages.whole.rows import SHOWN, one_of_each, pages

STARTS = ("=", "+", "-", "@", "\t", "\r")
FORMULA = '1+cmd|" /C calc"!A0'


def is_number(cell: str) -> bool:
    try:
        Decimal(cell)
    except ArithmeticError:
        return False
    return True


def formulas(text: str) -> list[str]:
    """Cells that a spreadsheet would compute, also one whose separator is another one."""
    return [
        cell
        for separator in (",", ";")
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        for cell in row
        if cell.startswith(STARTS) and not is_number(cell)
    ]


def as_text(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(content.decode())


def test_the_check_sees_a_formula() -> None:
    assert formulas('a,"=1+1"\n-5.0,"\tx"\n') == ["=1+1", "\tx", '-5.0,"\tx"']
    assert formulas("a;=1+1;b,c\n") == ["=1+1"]


@pytest.mark.usefixtures("unwritten")
def test_no_csv_of_the_pages_and_of_the_shell_has_a_formula(
    root: User, browser: Callable[..., Client], tmp_path: Path
) -> None:
    """W-03: every file of the URL map, every export action, every export command."""
    everything = [one_of_each(f"{start}{FORMULA}", n) for n, start in enumerate(STARTS)]
    # A number before it would hide what a tag or an identity begins with.
    for start, rows in zip(STARTS, everything, strict=True):
        for model, row in rows.items():
            for name in {"identity", "id_tag", "name", "owner"} & names_of(model):
                if model._meta.get_field(name).is_relation:
                    continue  # the owner of a token is a user
                text = f"{start}{FORMULA}"[: model._meta.get_field(name).max_length]
                model._default_manager.filter(pk=row.pk).update(**{name: text})
    # On the connector that has a page.
    Transaction.objects.update(connector=1)
    client = browser(root)
    texts = {}
    others = [{page.name: page.path for page in pages(rows)} for rows in everything[1:]]
    for page in pages(everything[0]):
        answer = client.get(page.path)
        if answer.headers.get("Content-Type", "").startswith("text/csv"):
            paths = [paths[page.name] for paths in others] if page.row else []
            answers = [answer, *map(client.get, paths)]
            texts[page.name] = "".join(map(as_text, answers))
    for model in SHOWN:
        keys = [rows[model].pk for rows in everything]
        for action in admin.site._registry[model].actions or ():
            answer = client.post(
                f"/admin/{model._meta.app_label}/{model._meta.model_name}/",
                {"action": action, "_selected_action": keys},
            )
            if answer.headers.get("Content-Type", "").startswith("text/csv"):
                texts[action] = as_text(answer)
    call_command("export_id_tags", str(tmp_path / "tags.csv"))
    texts["shell"] = (tmp_path / "tags.csv").read_text(encoding="utf-8")
    # They hold no rows of anybody; and nothing differs where no template is assigned.
    for name in (
        "ocpp_idtag_sample",
        "billing_household_sample",
        "ocpp_chargepoint_configuration_drift_csv",
        "ocpp_transaction_samples",  # figures and times
        "billing_household_months",  # figures and months
    ):
        texts.pop(name, None)
    wanted = {
        "ocpp_transaction_export",
        "ocpp_connector_chain",
        "export_selected",
        "ocpp_idtag_export",
        "shell",
    }
    assert wanted <= set(texts)
    few = {name for name, text in texts.items() if text.count("calc") < len(STARTS)}
    assert few == set()
    assert {name: found for name, text in texts.items() if (found := formulas(text))} == {}


def names_of(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.concrete_fields}


def test_every_module_that_writes_csv_neutralises_cells() -> None:
    """W-03: whoever adds a file adds this, too."""
    careless = []
    for path in Path(levity.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(tree)}
        writes = "csv" in names and names & {"writer", "DictWriter"}
        # The rows of the export of transactions, whose cells were checked above.
        if writes and not names & {"cell", "safe_cell", "rows_of"}:
            careless.append(path.name)
    assert careless == []


def test_nothing_personal_stays_beyond_the_limit(settings: Any, db: None) -> None:
    """W-16: id tags in messages, addresses of logins, sessions: 0 rows past the limit."""
    settings.OCPP_MESSAGE_RETENTION_DAYS = 30
    now = timezone.now()
    old, young = now - timedelta(days=30, seconds=1), now - timedelta(days=29)
    rows = [one_of_each("TAG-OF-ANNA", number) for number in range(2)]
    for each, moment in zip(rows, (old, young), strict=True):
        for model, fields in AGED.items():
            model._default_manager.filter(pk=each[model].pk).update(**dict.fromkeys(fields, moment))
    Session.objects.create(session_key="a", session_data="", expire_date=now - timedelta(1))
    Session.objects.create(session_key="b", session_data="", expire_date=now + timedelta(1))
    call_command("prune", verbosity=0)
    left = {model: list(model._default_manager.values_list("pk", flat=True)) for model in AGED}
    assert left == {model: [rows[1][model].pk] for model in AGED}
    assert [each.session_key for each in Session.objects.all()] == ["b"]
    # The books are the books.
    assert Transaction.objects.count() == 2


def test_what_waits_for_a_person_is_not_thrown_away(settings: Any, db: None) -> None:
    settings.OCPP_MESSAGE_RETENTION_DAYS = 30
    rows = one_of_each("waits")
    for model in (QuarantinedMessage, FailedMessage):
        old = timezone.now() - timedelta(days=400)
        model._default_manager.filter(pk=rows[model].pk).update(received_at=old)
    call_command("prune", verbosity=0)
    assert QuarantinedMessage.objects.count() == FailedMessage.objects.count() == 1


AGED: dict[type[Model], tuple[str, ...]] = {
    Message: ("received_at",),
    QuarantinedMessage: ("resolved_at",),
    FailedMessage: ("replayed_at",),
    SecurityEvent: ("received_at",),
    ConnectionEvent: ("at",),
    Command: ("finished_at",),
    AccessLog: ("attempt_time",),
    AccessAttempt: ("attempt_time",),
}
