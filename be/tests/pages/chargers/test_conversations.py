"""On the page of a charge point: its conversation to take home, and how it is treated and why."""

import json
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from levity.ocpp.models import ChargePoint, Message

pytestmark = pytest.mark.django_db


def page(charger: ChargePoint, tail: str = "change/") -> str:
    """An address of this charge point."""
    return f"/admin/ocpp/chargepoint/{charger.pk}/{tail}"


@pytest.fixture
def talkative(charger: ChargePoint) -> ChargePoint:
    """A charge point that was told a key."""
    Message.objects.create(
        charge_point=charger,
        connection=UUID(int=1),
        sender="cs",
        unique_id="1",
        action="ChangeConfiguration",
        request='[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cret"}]',
        response='[3,"1",{"status":"Accepted","info":"RDAM 123|%:x"}]',
        received_at=timezone.now(),
        answered_at=timezone.now(),
    )
    return charger


def lines(client: Client, charger: ChargePoint, tail: str) -> tuple[str, list[dict[str, object]]]:
    """The name of the file, and what is in it."""
    response = client.get(page(charger, tail))
    assert isinstance(response, StreamingHttpResponse)
    text = b"".join(response).decode()
    return response["Content-Disposition"], [json.loads(line) for line in text.splitlines()]


def test_the_conversation_is_a_file_without_secrets(
    browser_of_viewer: Client, talkative: ChargePoint
) -> None:
    """Its name says whose it is, whatever signs the identity has."""
    name, said = lines(browser_of_viewer, talkative, "conversation/")
    assert name == 'attachment; filename="RDAM_123___x.jsonl"'
    assert [item["from"] for item in said] == ["central_system", "charge_point"]
    assert "s3cret" not in str(said)
    assert "RDAM 123|%:x" in str(said)


def test_an_anonymised_conversation_does_not_say_whose_it_is(
    browser_of_viewer: Client, talkative: ChargePoint
) -> None:
    """Neither in its name nor inside."""
    name, said = lines(browser_of_viewer, talkative, "conversation/?anonymise=1")
    assert name == 'attachment; filename="conversation.jsonl"'
    assert "RDAM" not in str(said)
    assert len(said) == 2


def test_who_may_not_see_messages_gets_no_conversation(talkative: ChargePoint) -> None:
    """No link, and 403 for who knows the address."""
    porter = User.objects.create_user("porter", is_staff=True)
    porter.user_permissions.set(Permission.objects.filter(codename="view_chargepoint"))
    client = Client()
    assert client.get(page(talkative, "conversation/")).status_code == 302
    client.force_login(porter)
    assert client.get(page(talkative, "conversation/")).status_code == 403
    assert "conversation/" not in client.get(page(talkative)).content.decode()


def test_the_page_says_which_quirk_profile_fits_and_why(
    browser_of_root: Client, browser_of_viewer: Client, charger: ChargePoint
) -> None:
    """With its settings, and those that were set here."""
    ChargePoint.objects.filter(pk=charger.pk).update(
        vendor="United Chargers", model="<GRS>", quirk_overrides={"remote_start_delay": 2.5}
    )
    for client in (browser_of_root, browser_of_viewer):
        shown = client.get(page(charger, "change/?tab=details")).content.decode()
        assert "<b>Grizzl-E Smart</b> (grizzl-e, grade: captures)" in shown
        assert "vendor &#x27;United Chargers&#x27; fits" in shown
        assert "<code>session_register = True</code>" in shown
        assert "<code>remote_start_delay = 2.5</code>: seconds from Preparing to" in shown
        assert "(set here)" in shown
        shown = client.get(page(charger)).content.decode()
        assert "conversation/?anonymise=1" in shown


@pytest.mark.parametrize(
    "frame",
    [
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cret"}]',
        '[3,"1",{"configurationKey":[{"key":"WiFiPassword","value":"s3cret"}]}]',
        '[3,"1",{"configurationKey":[{"value":"s3cret","key":"WiFiPassword"',
        '[2,"1","GetDiagnostics",{"location":"ftp://me:s3cret@host/"}]',
    ],
)
def test_no_page_shows_a_password_that_a_charger_tells(
    browser_of_root: Client, charger: ChargePoint, frame: str
) -> None:
    """Grizzl-E Smart Connect (GWM-07.020) shows the station's password in GetConfiguration."""
    message = Message.objects.create(
        charge_point=charger,
        connection=UUID(int=1),
        sender="cs",
        unique_id="1",
        request=frame,
        response=frame,
        received_at=timezone.now(),
    )
    shown = browser_of_root.get(f"/admin/ocpp/message/{message.pk}/change/").content.decode()
    assert "***" in shown
    listed = browser_of_root.get("/admin/ocpp/message/").content.decode()
    assert "s3cret" not in shown + listed
