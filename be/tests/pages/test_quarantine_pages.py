"""The quarantine in the admin: buttons, questions, and who pressed them."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from levity.accounts.models import Account
from levity.ocpp.models import AuditEntry, ChargePoint, QuarantinedMessage, Site, Transaction
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
    text = browser.get(page(item)).content.decode()
    assert page(item, "undo") in text
    session = reverse("admin:ocpp_transaction_change", args=[started])
    assert f'Attached to transaction <a class="lv-link" href="{session}">#{started}</a>.' in text
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


def test_a_session_of_another_site_is_as_one_that_does_not_exist(charger: Charger) -> None:
    """Two different refusals told which numbers were sessions elsewhere."""
    charger.stop(4711, at(30), 3000)
    item = QuarantinedMessage.objects.get()
    here, there = Site.objects.create(name="Here"), Site.objects.create(name="There")
    ChargePoint.objects.update(site=here)
    other = ChargePoint.objects.create(identity="CP2", site=there)
    foreign = Transaction.objects.create(charge_point=other, started_at=at(0))
    user = User.objects.create_user("limited", is_staff=True)
    user.groups.add(Group.objects.get(name="Operator"))
    Account.objects.create(user=user, limited=True).sites.set([here])
    client = Client()
    client.force_login(user)
    for number in (foreign.pk, foreign.pk + 1000):
        said = client.post(page(item, "attach"), {"transaction": number}).content.decode()
        assert f"transaction {number} does not exist" in said.lower(), number
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


def told(client: Client, item: QuarantinedMessage, kind: str = "", query: str = "") -> str:
    """The words of the page."""
    text = client.get(f"{page(item, kind)}{query}").content.decode()
    return " ".join(strip_tags(text.replace("><", "> <")).split())


def test_candidates_are_ranked_with_what_speaks_for_and_against_each(
    charger: Charger, browser: Client
) -> None:
    """One click leads from each to the question, which says what would come of it."""
    other = charger.started(meter=50_000, connectorId=2, idTag="ELSE")
    meant = charger.started(meter=1_000)
    charger.stop(4711, at(30), 3000)
    item = QuarantinedMessage.objects.get()
    text = told(browser, item)
    assert text.index(f"#{meant} on 1") < text.index(f"#{other} on 2")
    assert f"#{meant} on 1 active likeliest" in text
    assert text.count("active likeliest") == 1
    assert "Id tag says nothing the message names none Time agrees 30 min after it began" in text
    assert "Meter agrees 2,000 Wh above what it showed last Power and time agrees" in text
    assert "Meter contradicts 47,000 Wh below its start" in text
    assert "None of them fits" not in text
    markup = browser.get(page(item)).content.decode()
    assert f'aria-label="Attach to #{meant}"' in markup
    asked = told(browser, item, "attach", f"?transaction={meant}")
    assert f"How the message fits #{meant} Id tag says nothing the message names none" in asked
    assert "The session would end with 2.000 kWh, high confidence" in asked
    doubtful = told(browser, item, "attach", f"?transaction={other}")
    assert "Something contradicts, or nothing agrees. Check before you attach it." in doubtful
    assert books(meant, "state") == books(other, "state") == "active"


def test_a_message_that_fits_nothing_says_so(charger: Charger, browser: Client) -> None:
    charger.started(meter=50_000)
    charger.stop(4711, at(30), 3000, idTag="ELSE")
    item = QuarantinedMessage.objects.get()
    text = told(browser, item)
    assert "None of them fits: something contradicts each." in text
    assert "active likeliest" not in text
    assert "How the message fits #" not in told(browser, item, "attach", "?transaction=77")
    listed = f"/admin/ocpp/unassignedenergy/?charge_point__id__exact={item.charge_point_id}"
    assert (
        f'<a class="lv-link" href="{listed}">Unassigned energy</a>'
        in browser.get(page(item)).content.decode()
    )
    assert browser.get(listed).status_code == 200


def test_a_stop_that_is_attached_against_a_contradiction_is_not_high(
    charger: Charger, browser: Client
) -> None:
    """The question says so before, and the session says why afterwards."""
    pk = charger.started(meter=1_000)
    charger.stop(4711, at(30), 3000, idTag="ELSE")
    item = QuarantinedMessage.objects.get()
    asked = told(browser, item, "attach", f"?transaction={pk}")
    assert "The session would end with 2.000 kWh, medium confidence" in asked
    browser.post(page(item, "attach"), {"transaction": pk})
    assert books(pk, "energy", "confidence") == (Decimal(2000), "medium")
    session = reverse("admin:ocpp_transaction_change", args=[pk])
    shown = " ".join(strip_tags(browser.get(session).content.decode().replace("><", "> <")).split())
    assert "Id tag contradicts another one" in shown


def test_who_may_not_see_unassigned_energy_gets_no_link_to_it(charger: Charger) -> None:
    charger.started(meter=50_000)
    charger.stop(4711, at(30), 3000, idTag="ELSE")
    user = User.objects.create_user("decider", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_quarantinedmessage"))
    client = Client()
    client.force_login(user)
    text = client.get(page(QuarantinedMessage.objects.get())).content.decode()
    assert "None of them fits" in text
    assert "Unassigned energy" not in text
