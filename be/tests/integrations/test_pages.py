"""The pages of webhooks, deliveries, events and MQTT."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from levity.db import lease
from levity.integrations import webhooks
from levity.integrations.models import Delivery, Event, Turn, Webhook
from levity.integrations.outbox import recorder
from levity.integrations.runner import DELIVERING
from levity.integrations.webhooks import Wishes
from levity.ocpp.events import Happened
from levity.ocpp.models import AuditEntry, Site
from tests.ocpp.charger import NOW
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
URL = "https://hook.example/levity?token=t0ken"


def happen() -> Event:
    recorder.record([Happened("tag.refused", NOW, 1, "CP1", {"status": "Blocked"}, "TAG-1", None)])
    return Event.objects.get()


@pytest.fixture
def hook() -> Webhook:
    return webhooks.create(Wishes("theirs", URL), None)[0]


def test_a_webhook_is_added_and_its_secret_shown_once(browser: Any, root: Any) -> None:
    client: Client = browser(root)
    form = {"name": "theirs", "url": URL, "enabled": "on", "types": ["session.ended"]}
    answer = client.post(reverse("levity:integrations_webhook_add"), form)
    assert b"whsec_" in answer.content
    assert "no-store" in answer["Cache-Control"]
    row = Webhook.objects.get()
    assert row.types == ["session.ended"]
    page = client.get(reverse("levity:integrations_webhook_change", args=[row.pk]))
    assert b"whsec_" not in page.content
    replaced = client.post(reverse("levity:integrations_webhook_secret", args=[row.pk]))
    assert b"whsec_" in replaced.content


def test_what_can_not_be_is_said_beside_the_form(browser: Any, root: Any) -> None:
    form = {"name": "theirs", "url": "ftp://hook.example/", "enabled": "on"}
    answer = browser(root).post(reverse("levity:integrations_webhook_add"), form)
    assert b"must begin with https://" in answer.content
    assert not Webhook.objects.exists()


def test_a_webhook_is_changed_and_the_audit_knows_by_whom(
    browser: Any, root: Any, hook: Webhook
) -> None:
    garage = Site.objects.create(name="Garage")
    page = reverse("levity:integrations_webhook_change", args=[hook.pk])
    form = {"name": "ours", "url": URL, "sites": [garage.pk]}
    assert browser(root).post(page, form).status_code == 302
    hook.refresh_from_db()
    assert (hook.name, hook.enabled, list(hook.sites.all())) == ("ours", False, [garage])
    entry = AuditEntry.objects.get(what="webhook changed")
    assert (entry.who, entry.after["sites"]) == (root, ["Garage"])


def test_an_operator_sees_no_address_and_changes_nothing(
    browser: Any, person: Any, hook: Webhook
) -> None:
    client = browser(person("operator", "Operator"))
    page = reverse("levity:integrations_webhook_change", args=[hook.pk])
    assert client.get(page).status_code == 403
    assert client.post(page, {"name": "x", "url": URL}).status_code == 403
    for name in ("test", "secret", "replay"):
        address = reverse(f"levity:integrations_webhook_{name}", args=[hook.pk])
        assert client.post(address).status_code == 403


def test_deliveries_that_were_given_up_are_sent_again(
    browser: Any, root: Any, hook: Webhook
) -> None:
    event = happen()
    row = Delivery.objects.create(
        webhook=hook,
        event=event.pk,
        type=event.type,
        identity="CP1",
        at=NOW,
        next_at=NOW,
        state="dead",
        status=400,
        error="hook.example answered 400",
    )
    client, page = browser(root), reverse("levity:integrations_delivery_changelist")
    assert b"hook.example answered 400" in client.get(page).content
    client.post(page, {"action": "send_again", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.state == "waiting"
    client.post(page, {"action": "discard", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.state == "discarded"


def test_events_of_a_time_are_sent_again(browser: Any, root: Any, hook: Webhook) -> None:
    event = happen()
    Webhook.objects.update(position=event.pk)
    address = reverse("levity:integrations_webhook_replay", args=[hook.pk])
    around = {
        "since": (NOW - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
        "until": (NOW + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
    }
    browser(root).post(address, around)
    assert Delivery.objects.get().event == event.pk


def test_events_are_listed_and_tags_are_for_who_may_see_them(
    browser: Any, root: Any, person: Any
) -> None:
    event = happen()
    page = reverse("levity:integrations_event_change", args=[event.pk])
    assert b"TAG-1" in browser(root).get(page).content
    listed = browser(root).get(reverse("levity:integrations_event_changelist"))
    assert b"tag.refused" in listed.content
    assert b"TAG-1" not in listed.content
    limited = browser(person("limited", "Viewer", sites=[Site.objects.create(name="Garage")]))
    assert limited.get(page).status_code in (302, 404)


def test_who_sees_some_sites_only_is_not_told_that_there_is_a_webhook(
    hook: Webhook, browser: Any, person: Any
) -> None:
    """The question before its secret is replaced named it."""
    limited = browser(person("limited", "Admin", sites=[Site.objects.create(name="Garage")]))
    address = reverse("levity:integrations_webhook_secret", args=[hook.pk])
    assert limited.get(address).status_code == 404
    assert limited.post(address).status_code == 404


def test_serve_was_said_to_deliver_nothing_while_nobody_wanted_anything(
    browser: Any, root: Any
) -> None:
    """The turn is taken with the first webhook, within seconds: nothing stood still."""
    client = browser(root)
    pages = [reverse(f"levity:integrations_{name}") for name in ("webhook_changelist", "mqtt")]

    def warned() -> list[bool]:
        return [b"No process delivers events" in client.get(page).content for page in pages]

    assert warned() == [False, False]
    hook = webhooks.create(Wishes("theirs", URL), None)[0]
    assert warned() == [False, False]
    Webhook.objects.filter(pk=hook.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    assert warned() == [True, True]
    lease.take(Turn, DELIVERING, "us", timezone.now(), {"mqtt": None})
    assert warned() == [False, False]


def test_the_mqtt_page_says_what_to_do(browser: Any, root: Any) -> None:
    client, page = browser(root), reverse("levity:integrations_mqtt")
    assert b"If it is set already" in client.get(page).content
    now = timezone.now()
    lease.take(Turn, DELIVERING, "us", now, {"mqtt": None})
    assert b"MQTT is not switched on" in client.get(page).content
    said = {"error": "nothing answers at mqtt://***@broker:1883", "address": "mqtt://***@broker"}
    lease.take(Turn, DELIVERING, "us", now, {"mqtt": said})
    answer = client.get(page).content
    assert b"nothing answers at mqtt://***@broker:1883" in answer
    assert b"Check that the broker runs" in answer
