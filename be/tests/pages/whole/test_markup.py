"""Whatever a charger or a person writes is shown as text: on every page, in every answer."""

import ast
import json
import os
import uuid
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client

import levity
from levity.ocpp.audit import kind_of
from levity.ocpp.models import AuditEntry, ChargePoint, Command
from tests.few import few
from tests.pages.whole.markup import MARK, PAYLOADS, live
from tests.pages.whole.rows import SHOWN, Page, one_of_each, pages

EVERY = bool(os.environ.get("LEVITY_EVERY_TEXT"))


@pytest.mark.parametrize("text", PAYLOADS)
def test_the_check_sees_each_payload_where_it_is_not_escaped(text: str) -> None:
    raw = (
        f"<p>{text}</p>",
        f'<p title="{text}">x</p>',
        f"<p title='{text}'>x</p>",
        f'<a href="{text}">x</a>',
        f"<textarea>{text}</textarea>",
        f"<script>var x = {text!r}</script>",
    )
    assert [page for page in raw if live(page)]


def hostile(number: int, root: User) -> dict[type[Model], Model]:
    """A row of everything with this payload, and an audit entry of each."""
    text = PAYLOADS[number]
    rows = one_of_each(text, number)
    for model, row in rows.items():
        AuditEntry.objects.create(
            who=root,
            who_name=text[:150],
            kind=kind_of(model),
            object_id=str(row.pk),
            object_name=text[:200],
            what=text[:255],
            before={text: text},
            after={text: text},
        )
    return rows


def as_text(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    # (A ZIP is no text.)
    return str(content.decode(errors="replace"))


@pytest.mark.slow
@pytest.mark.parametrize("share", few([30, 10], 30))
def test_no_page_shows_a_text_as_markup(
    share: int, root: User, browser: Callable[..., Client]
) -> None:
    """W-01: 30 payloads x every column of every model x every address of the admin."""
    client = browser(root)
    everything = [hostile(number, root) for number in range(len(PAYLOADS))]
    visited, shown = 0, set()
    bad: dict[str, Any] = {}
    addresses: dict[Page, None] = {}
    for number, rows in enumerate(everything):
        for place, page in enumerate(pages(rows)):
            # Lists show all 30 at once. Of the rows' own pages and of those around them (history,
            # deleting, each command) a thirtieth is visited, each time other ones: each once. Every
            # night it is a tenth of the rows' own; `make pages` visits all.
            step = share if page.name.endswith("_change") else 30
            if EVERY or not page.row or (number + place) % step == 0:
                addresses[page] = None
    for page in addresses:
        if page.name in ("logout", "jsi18n"):
            continue
        answer = client.get(page.path)
        text = as_text(answer)
        visited += 1
        if answer.status_code >= 500:
            bad[page.path] = answer.status_code
        elif answer.headers["Content-Type"].startswith("text/html"):
            if found := live(text):
                bad[page.path] = found[:3]
            if MARK in text:
                shown.add(page.name)
        elif MARK in text:
            # CSV and JSON lines are files, and nobody's browser takes them for a page.
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Disposition"].startswith("attachment")
            shown.add(page.name)
    assert bad == {}
    # Not because nothing was shown: every list, and nearly every kind of page, has the texts in it.
    lists = {f"{each._meta.app_label}_{each._meta.model_name}_changelist" for each in SHOWN}
    assert lists - shown - {"auth_user_changelist", "auth_group_changelist"} == set()
    assert visited > len(PAYLOADS) / share * len(SHOWN)


def test_no_form_with_errors_shows_a_text_as_markup(
    root: User, browser: Callable[..., Client]
) -> None:
    """W-01: what was sent comes back as text, on every address that takes a form."""
    client = browser(root)
    rows = one_of_each("plain")
    bad = {}
    skipped = ("logout", "two_factor", "two_factor_off")
    names = ("name", "identity", "id_tag", "text", "keys", "note", "q", "next", "connector")
    names += ("p-idTag", "p-key", "p-location", "p-vendorId", "p-expiryDate", "p-connectorId")
    names += tuple(f"p-localAuthorizationList-0-{name}" for name in ("idTag", "idTagInfo-status"))
    for place, page in enumerate(pages(rows)):
        if page.name in skipped:
            continue
        text = "".join(PAYLOADS[(place + number) % len(PAYLOADS)] for number in (0, 10, 20))
        data = {**dict.fromkeys(names, text), "transaction": text, "username": text}
        answer = client.post(page.path, {**data, "action": text, "target": [text]})
        # (A file of CSV is no page: it has the text as it was written.)
        is_page = answer.status_code < 300 and "html" in answer.headers.get("Content-Type", "")
        found = live(as_text(answer)) if is_page else []
        if found or answer.status_code >= 500:
            bad[page.path] = (answer.status_code, found[:3])
    assert bad == {}


ANSWERS = (
    "/admin/autocomplete/?app_label=ocpp&model_name=command&field_name=charge_point&term={}",
    "/admin/search/?s={}&extended=1",
    "/admin/search/?s=charge&page={}",
    "/admin/ocpp/chargepoint/?q={}",
    "/admin/ocpp/message/?q={}",
    "/admin/ocpp/message/?received_at_from={}",
    "/admin/ocpp/transaction/?charge_point__id__exact={}",
    "/admin/login/?next={}",
    "/admin/{}",
    "/admin/ocpp/chargepoint/{}/change/",
    "/{}",
)


@pytest.mark.parametrize("address", ANSWERS)
def test_no_answer_repeats_an_address_as_markup(
    address: str, root: User, browser: Callable[..., Client]
) -> None:
    """W-01: what stands in an address."""
    client = browser(root)
    ChargePoint.objects.create(identity="1", name=PAYLOADS[1])
    for text in PAYLOADS[::3]:
        answer = client.get(address.format(quote(text, safe="")), follow=True)
        assert answer.status_code < 500
        if answer.headers["Content-Type"].startswith("text/html"):
            assert live(as_text(answer)) == []
        else:
            assert answer.headers["Content-Type"] == "application/json"
            json.loads(as_text(answer))


def test_messages_about_a_charger_show_its_name_as_text(
    root: User, browser: Callable[..., Client]
) -> None:
    """W-01: the lines at the top of a page after something was done."""
    client = browser(root)
    charger = ChargePoint.objects.create(identity="1", name=PAYLOADS[1])
    answer = client.post(
        f"/admin/ocpp/chargepoint/{charger.pk}/send/reset-soft/",
        {"key": str(uuid.uuid4())},
        follow=True,
    )
    assert Command.objects.count() == 1
    assert MARK in as_text(answer)
    assert live(as_text(answer)) == []


OURS = Path(levity.__file__).parent


def test_our_code_declares_no_text_safe() -> None:
    """W-02: no mark_safe, no |safe, no autoescape off, no html_safe, no made-up patterns."""
    found = []
    for path in OURS.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            name = getattr(node, "id", getattr(node, "attr", getattr(node, "name", "")))
            if name in ("mark_safe", "SafeString", "SafeText", "html_safe", "__html__"):
                found.append(f"{path.name}: {name}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = {"format_html": 0, "format_html_join": 1}.get(node.func.id)
                if place is not None and not isinstance(node.args[place], ast.Constant):
                    found.append(f"{path.name}:{node.lineno}: a pattern that is not a constant")
    for path in OURS.rglob("*.html"):
        words = path.read_text().replace("|", " | ").split()
        for first, second in pairwise(words):
            if (
                (first, second) == ("|", "safe")
                or first == "safeseq"
                or (first, second) == ("autoescape", "off")
            ):
                found.append(f"{path.name}: {first} {second}")
    assert found == []
