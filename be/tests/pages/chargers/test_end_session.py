"""A session whose charger will not end it: a person does, and it says so."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import AuditEntry, Connector, Transaction
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

BUTTON = "this does not stop the car"


@pytest.fixture
def running(db: None) -> int:
    """Begun at 12:00, 500 Wh at 12:05."""
    charger = Charger()
    started = charger.started()
    charger.meter(started, meter_value(at(5), 1500), when=at(5))
    return started


def page(pk: int) -> str:
    return reverse("admin:ocpp_transaction_change", args=[pk])


def end(pk: int) -> str:
    return reverse("admin:ocpp_transaction_end", args=[pk])


def test_it_asks_first_and_ends_at_the_last_sample(browser_of_root: Client, running: int) -> None:
    """In the time zone of the site, with what it would come to; the stop still replaces it."""
    assert end(running) in browser_of_root.get(page(running)).content.decode()
    question = browser_of_root.get(end(running)).content.decode()
    assert "0.500 kWh" in question
    assert "13:05:00 CET" in question
    assert books(running, "state") == "active"
    browser_of_root.post(end(running))
    assert books(running, "state", "stop_reason", "energy", "flags", "stopped_at") == (
        "orphaned",
        "Other",
        Decimal(500),
        "by-hand orphaned",
        at(5),
    )
    assert not Connector.objects.filter(transaction__isnull=False).exists()
    assert [entry.what for entry in AuditEntry.objects.all()] == ["ended manually"]
    assert end(running) not in browser_of_root.get(page(running)).content.decode()
    charger = Charger()
    charger.stop(running, at(30), 3000)
    assert books(running, "state", "energy") == ("stopped", Decimal(2000))


def test_what_is_over_is_left_alone(browser_of_root: Client, running: int) -> None:
    Charger().stop(running, at(30), 3000)
    for answer in (browser_of_root.get(end(running)), browser_of_root.post(end(running))):
        assert answer.headers["Location"] == page(running)
    assert books(running, "state", "energy", "flags") == ("stopped", Decimal(2000), "")
    assert browser_of_root.get(end(running + 1)).status_code == 404


def test_only_who_may_change_transactions_ends_one(
    browser_of_viewer: Client, viewer: User, running: int
) -> None:
    assert BUTTON not in browser_of_viewer.get(page(running)).content.decode()
    assert browser_of_viewer.get(end(running)).status_code == 403
    assert browser_of_viewer.post(end(running)).status_code == 403
    assert Transaction.objects.get().state == "active"
    viewer.user_permissions.add(Permission.objects.get(codename="change_transaction"))
    assert BUTTON in browser_of_viewer.get(page(running)).content.decode()


def test_it_needs_the_token_of_its_page(root: User, running: int) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    assert browser.post(end(running)).status_code == 403
    assert Transaction.objects.get().state == "active"
