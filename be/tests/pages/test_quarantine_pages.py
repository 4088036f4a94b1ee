"""The quarantine in the admin: buttons, questions, and who pressed them."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import AuditEntry, QuarantinedMessage, Transaction
from tests.ocpp.ledger_chargers import Charger, at, books


@pytest.fixture
def charger(db: None) -> Charger:
    """A connected charge point, CP1."""
    return Charger()


@pytest.fixture
def browser(db: None) -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(User.objects.create_superuser("root"))
    return client


def page(item: QuarantinedMessage, kind: str = "") -> str:
    if kind:
        return reverse("admin:ocpp_quarantinedmessage_decide", args=[item.pk, kind])
    return reverse("admin:ocpp_quarantinedmessage_change", args=[item.pk])


def test_attaching_asks_first_then_does_it_and_says_who(charger: Charger, browser: Client) -> None:
    started = charger.started()
    charger.stop(4711, at(30), 3000)
    item = QuarantinedMessage.objects.get()
    text = browser.get(page(item)).content.decode()
    attach = f"{page(item, 'attach')}?transaction={started}"
    assert attach in text
    assert "no such transaction" in text
    assert f'value="{started}"' in browser.get(attach).content.decode()
    assert books(started, "state") == "active"
    assert browser.post(page(item, "attach"), {"transaction": started}).status_code == 302
    assert books(started, "state", "energy") == ("stopped", Decimal(2000))
    assert [entry.what for entry in AuditEntry.objects.all()] == [
        f"attached to transaction {started}"
    ]
    assert page(item, "undo") in browser.get(page(item)).content.decode()
    browser.post(page(item, "undo"))
    assert books(started, "state", "energy") == ("active", None)


def test_a_session_is_made_of_what_the_message_tells_and_a_person_adds(
    charger: Charger, browser: Client
) -> None:
    given = charger.start(meterStart=[])["transactionId"]
    charger.stop(given, at(30), 3000)
    item = QuarantinedMessage.objects.get(action="StartTransaction")
    text = browser.get(page(item, "make")).content.decode()
    assert 'value="2026-03-09T12:00:00+00:00"' in text
    said = {"connector": 1, "id_tag": "tag", "started_at": "2026-03-09T13:00:00+01:00"}
    assert browser.post(page(item, "make"), said).status_code == 200
    assert Transaction.objects.count() == 0
    browser.post(page(item, "make"), {**said, "meter_start": "1000"})
    assert books(given, "state", "energy", "started_at") == ("stopped", Decimal(2000), at(0))


@pytest.mark.parametrize(
    ("kind", "said", "answer"),
    [
        ("attach", {"transaction": 99}, "Transaction 99 does not exist."),
        ("attach", {"transaction": "x"}, "Enter a whole number."),
        ("discard", {"note": ""}, "This field is required."),
    ],
)
def test_what_can_not_be_done_is_said(
    charger: Charger, browser: Client, kind: str, said: dict[str, Any], answer: str
) -> None:
    charger.stop(4711, at(30), 3000)
    item = QuarantinedMessage.objects.get()
    assert answer in browser.post(page(item, kind), said).content.decode()
    item.refresh_from_db()
    assert item.resolved_at is None


def test_only_who_may_change_it_decides(charger: Charger) -> None:
    charger.stop(4711, at(30), 3000)
    item = QuarantinedMessage.objects.get()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(viewer)
    assert page(item, "discard") not in client.get(page(item)).content.decode()
    for kind in ("attach", "make", "discard", "undo"):
        assert client.get(page(item, kind)).status_code == 403
        assert client.post(page(item, kind), {"note": "x"}).status_code == 403
    item.refresh_from_db()
    assert item.resolved_at is None


def test_a_decision_needs_the_token_of_its_page(charger: Charger) -> None:
    charger.stop(4711, at(30), 3000)
    item = QuarantinedMessage.objects.get()
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    assert client.post(page(item, "discard"), {"note": "x"}).status_code == 403
    item.refresh_from_db()
    assert item.resolved_at is None


def test_what_a_charger_wrote_is_never_markup(charger: Charger, browser: Client) -> None:
    charger.stop(4711, at(30), 3000, reason="<script>alert(1)</script>", idTag="<b>")
    item = QuarantinedMessage.objects.get()
    for kind in ("", "attach", "make", "discard"):
        text = browser.get(page(item, kind)).content.decode()
        assert "<script>alert(1)" not in text
        assert "<b>" not in text
