"""`levity webhook`: what the pages do, on the command line."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from levity.integrations.models import Delivery, Event, Webhook
from levity.ocpp.models import Site

pytestmark = pytest.mark.django_db
URL = "https://hook.example/t0ken"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> str:
        call_command("webhook", *words)
        return capsys.readouterr().out.strip()

    return run


def test_a_webhook_from_its_first_day_to_its_last(said: Any) -> None:
    Site.objects.create(name="Home")
    added = said("add", "billing", URL, "--type", "session.ended", "--site", "home")
    assert added.startswith("added webhook billing to hook.example; secret: whsec_")
    row = Webhook.objects.get()
    assert row.secrets(timezone.now()) == [added.split()[-1]]
    rotated = said("rotate", "billing").split()[-1]
    row.refresh_from_db()
    assert row.secrets(timezone.now()) == [rotated, added.split()[-1]]
    assert said("off", "billing") == "billing is off"
    listed = said("list")
    assert listed == "billing: off, hook.example, session.ended, Home; last taken never"
    assert said("on", "billing") == "billing is on"
    assert said("remove", "billing") == "removed billing"
    assert said("list").startswith("there is no webhook yet")


def test_events_are_sent_again(said: Any) -> None:
    now = timezone.now()
    for age in (5, 2):
        Event.objects.create(type="charger.booted", at=now - timedelta(days=age))
    newest = Event.objects.order_by("-id").values_list("id", flat=True)[0]
    said("add", "billing", URL)
    row = Webhook.objects.get()
    Webhook.objects.update(position=newest)
    since = (now - timedelta(days=3)).date().isoformat()
    assert said("replay", "billing", "--since", since) == "billing: 1 events are sent again"
    Delivery.objects.filter(webhook=row).update(state="dead")
    assert said("replay", "billing", "--given-up") == "billing: 1 events are sent again"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["test", "nobody"], "known: billing"),
        (["add", "billing", URL], "There is a webhook called billing already"),
        (["add", "x", "ftp://hook.example/"], "http"),
        (["add", "x", URL, "--type", "session.end"], "session.ended"),
        (["add", "x", URL, "--site", "Nowhere"], "no site"),
        (["replay", "billing"], "say what to replay"),
        (["replay", "billing", "--since", "yesterday"], "is not a time"),
    ],
)
def test_what_can_not_be_is_said(said: Any, words: list[str], why: str) -> None:
    said("add", "billing", URL)
    with pytest.raises(CommandError, match=why):
        call_command("webhook", *words)
