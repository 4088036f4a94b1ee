"""Chargers that are gone for good leave lists, counts and alerts, and stay on the books (B15)."""

import csv
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from levity.monitoring.alerts import conditions
from levity.monitoring.metrics.exposition import exposition
from levity.monitoring.metrics.site_state import State
from levity.ocpp.models import ChargePoint, Connector, IdTag, Transaction
from levity.ocpp.models import Site as Place
from levity.ocpp.store.hours import count_all
from levity.ocpp.worker.housekeeping import sweep
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db

LIST = "/admin/ocpp/chargepoint/"


@pytest.fixture
def browser(admin_client: Client) -> Client:
    return admin_client


@pytest.fixture
def old() -> ChargePoint:
    """A charger with one session, gone for a week, its connector still faulted."""
    site, charger = CentralSystem(), Charger("OLD-1")
    site.connect(charger)
    site.take(charger.boots(), charger.shows("Faulted"))
    site.take(charger.stops(site.start(charger)))
    site.take(charger.leaves())
    ago = timezone.now() - timedelta(days=7)
    ChargePoint.objects.update(last_seen_at=ago, disconnected_at=ago)
    return ChargePoint.objects.get()


def said(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_deleting_one_with_sessions_leads_to_retiring_it(browser: Client, old: ChargePoint) -> None:
    """The superuser was told to ask an admin of this site for the right role."""
    answer = browser.post(f"{LIST}{old.pk}/delete/", {"post": "yes"}, follow=True)
    assert "has 1 session, and sessions are kept" in said(answer)
    assert "Yes, retire it" in said(answer)
    browser.post(answer.request["PATH_INFO"])
    old.refresh_from_db()
    assert old.retired_at is not None
    assert Transaction.objects.count() == 1


def test_one_without_sessions_is_deleted_as_before(browser: Client) -> None:
    row = ChargePoint.objects.create(identity="NEW-1")
    browser.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    assert not ChargePoint.objects.exists()


def test_a_retired_one_is_in_no_list_no_count_and_no_alert(
    browser: Client, old: ChargePoint
) -> None:
    ChargePoint.objects.create(identity="HERE-1")
    assert "OLD-1" in said(browser.get(LIST))
    assert len(conditions.chargers_offline(timezone.now())) == 1
    assert len(conditions.charger_faults()) == 1
    browser.post(LIST, {"action": "retire", "_selected_action": [old.pk]})
    assert "OLD-1" not in said(browser.get(LIST))
    assert "HERE-1" in said(browser.get(LIST))
    assert "OLD-1" in said(browser.get(LIST, {"retired": "yes"}))
    assert "HERE-1" not in said(browser.get(LIST, {"retired": "yes"}))
    both = said(browser.get(LIST, {"retired": "all"}))
    assert "OLD-1" in both
    assert "HERE-1" in both
    assert conditions.chargers_offline(timezone.now()) == []
    assert conditions.charger_faults() == []
    assert Connector.objects.get(status="Faulted")
    # Its sessions and its page are where they were.
    assert "OLD-1" in said(browser.get("/admin/ocpp/transaction/"))
    assert "Bring back" in said(browser.get(f"{LIST}{old.pk}/change/"))
    browser.post(LIST + "?retired=yes", {"action": "bring_back", "_selected_action": [old.pk]})
    assert "OLD-1" in said(browser.get(LIST))


def test_one_that_connects_again_is_in_use_again_with_a_note(
    browser: Client, old: ChargePoint
) -> None:
    browser.post(f"{LIST}{old.pk}/retire/")
    site, charger = CentralSystem(), Charger("old-1")
    site.connect(charger)
    sweep(at(1), is_minute=False)
    sweep(at(2))
    old.refresh_from_db()
    assert old.retired_at is None
    assert "has connected" in old.notes
    # And one that is connected is not retired: it would be back at once.
    answer = browser.post(f"{LIST}{old.pk}/retire/", follow=True)
    assert "Not retired, because connected" in said(answer)
    old.refresh_from_db()
    assert old.retired_at is None


def test_the_ten_of_the_demo_leave_by_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 11):
        ChargePoint.objects.create(identity=f"DEMO-{number:02d}")
    mine = ChargePoint.objects.create(identity="garage-1")
    call_command("retire", "--demo")
    assert capsys.readouterr().out.startswith("10 retired; their sessions are kept")
    assert list(ChargePoint.objects.filter(retired_at__isnull=True)) == [mine]
    call_command("retire", "demo-03", "--back")
    assert ChargePoint.objects.filter(retired_at__isnull=True).count() == 2
    with pytest.raises(CommandError, match="no charge point nobody; nothing was changed"):
        call_command("retire", "garage-1", "nobody")
    with pytest.raises(CommandError, match="name the charge points"):
        call_command("retire")


def test_what_a_demo_showed_is_in_no_total_when_it_is_over(browser: Client) -> None:
    """They stayed in them after `levity retire --demo`; what a real charger delivered has to."""
    now = timezone.now()
    for identity, connection in (("DEMO-03", None), ("DEMO-04", uuid4()), ("garage-1", None)):
        row = ChargePoint.objects.create(identity=identity, connection=connection)
        Transaction.objects.create(
            charge_point=row,
            connector=1,
            state="stopped",
            started_at=now,
            meter_start=0,
            energy=5000,
        )
        Connector.objects.create(charge_point=row, number=1, status="Faulted")
    list(count_all(now))
    assert "15.000 kWh" in said(browser.get("/admin/"))
    with pytest.raises(CommandError, match="connected, so not retired: DEMO-04"):
        call_command("retire", "--demo", "garage-1")
    page = said(browser.get("/admin/"))
    assert "15.000 kWh" not in page
    assert "10.000 kWh" in page
    metrics = exposition([State()]).decode()
    assert 'energy_watthours_total{charge_point="DEMO-03"}' not in metrics
    assert 'energy_watthours_total{charge_point="garage-1"} 5000.0' in metrics
    assert 'levity_connectors{status="Faulted"} 1.0' in metrics
    assert 'levity_connector_fault{charge_point="garage-1"' not in metrics
    exported = browser.get("/admin/ocpp/transaction/export/")
    header, *rows = csv.reader(b"".join(exported.streaming_content).decode().splitlines())
    columns = ("charge point", "energy (kWh)", "energy not counted (kWh)")
    cells = {tuple(row[header.index(name)] for name in columns) for row in rows}
    assert cells == {
        ("DEMO-03", "", "5.000"),
        ("DEMO-04", "5.000", ""),
        ("garage-1", "5.000", ""),
    }
    assert "5.000 kWh (demo)" in said(browser.get("/admin/ocpp/transaction/"))


TAGS = "/admin/ocpp/idtag/"


@pytest.fixture
def card() -> IdTag:
    return IdTag.objects.create(id_tag="04A1B2C301", owner="Anna")


def block(browser: Client, card: IdTag) -> str:
    data = {"action": "block", "_selected_action": [card.pk]}
    return said(browser.post(TAGS, data, follow=True))


def test_blocking_a_card_says_where_no_card_is_needed(browser: Client, card: IdTag) -> None:
    """The lost card was blocked, and the car was charged all the same, without a word."""
    row = ChargePoint.objects.create(identity="garage-1")
    page = block(browser, card)
    assert "anyone may charge without a card here" in page
    assert reverse("admin:ocpp_chargepoint_change", args=[row.pk]) in page
    assert "this does not prevent charging" in page  # in the row of the card, too
    shown = said(browser.get(f"{TAGS}{card.pk}/change/"))
    assert "Blocking this card does not prevent charging there" in shown
    assert "known tags only" in shown
    browser.post(LIST, {"action": "known_tags_only", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.authorization == "known"
    assert "does not prevent charging" not in said(browser.get(TAGS))
    assert "A card is required everywhere." in said(browser.get(f"{TAGS}{card.pk}/change/"))


@pytest.mark.parametrize(
    ("own", "of_site", "default", "is_open"),
    [
        ("", None, "anonymous", True),
        ("", "", "anonymous", True),
        ("", "known", "anonymous", False),
        ("", "anonymous", "known", True),
        ("known", "anonymous", "anonymous", False),
        ("anonymous", "known", "known", True),
        ("", None, "known", False),
        ("", None, "record", False),
        ("record", None, "anonymous", False),
    ],
)
def test_the_rule_in_force_counts_wherever_it_is_set(
    browser: Client,
    card: IdTag,
    settings: Any,
    own: str,
    of_site: str | None,
    default: str,
    is_open: bool,
) -> None:
    settings.OCPP_AUTHORIZATION = default
    place = None if of_site is None else Place.objects.create(name="House", authorization=of_site)
    ChargePoint.objects.create(identity="garage-1", authorization=own, site=place)
    page = block(browser, card)
    assert ("does not prevent charging" in page) is is_open
    if is_open and not own and place:
        assert "on the page of House" in page


def test_a_card_that_is_blocked_on_its_page_says_so_too(browser: Client, card: IdTag) -> None:
    ChargePoint.objects.create(identity="garage-1")
    form = {"id_tag": card.id_tag, "owner": "Anna", "status": "Blocked", "notes": ""}
    form |= {"expires_at_0": "", "expires_at_1": "", "max_transactions": "", "parent": ""}
    answer = browser.post(f"{TAGS}{card.pk}/change/", form, follow=True)
    assert "anyone may charge without a card here" in said(answer)
