"""The maximum current on the charger's page."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import ChargePoint, Command


@pytest.fixture
def charger(db: None) -> ChargePoint:
    found = ChargePoint.objects.create(identity="CP-1")
    found.connectors.create(number=1, status="Available")
    return found


def address(charger: ChargePoint) -> str:
    return reverse("levity:ocpp_chargepoint_limit", args=[charger.pk])


def page_of(client: Client, charger: ChargePoint) -> str:
    page = client.get(reverse("levity:ocpp_chargepoint_change", args=[charger.pk]))
    return str(page.content.decode())


def form(**given: Any) -> dict[str, Any]:
    return {"key": str(uuid4()), "queue_offline": "on", **given}


def test_two_clicks_are_one_limit(charger: ChargePoint, browser_of_root: Client) -> None:
    data = form(amperes="16")
    for _ in range(2):
        answer = browser_of_root.post(address(charger), data)
        assert answer.headers["Location"].endswith(f"/chargepoint/{charger.pk}/change/#limit")
    assert Command.objects.count() == 2
    text = page_of(browser_of_root, charger)
    assert "16 A: queued until the charger connects." in text
    assert "Remove the limit" in text
    browser_of_root.post(address(charger), form(amperes="16", remove="yes"))
    assert Command.objects.filter(action="ClearChargingProfile").get().payload == {"id": 9001}


@pytest.mark.parametrize("amperes", ["", "5", "33", "x", "1e99", "NaN", "-0"])
def test_what_is_no_current_is_refused_with_a_word(
    amperes: str, charger: ChargePoint, browser_of_root: Client
) -> None:
    answer = browser_of_root.post(address(charger), form(amperes=amperes), follow=True)
    text = answer.content.decode()
    assert "The maximum current is between 6 and 32 A" in text or "Enter the maximum" in text
    assert not Command.objects.exists()


def test_a_reader_sees_the_limit_and_no_button(
    charger: ChargePoint, browser_of_root: Client, browser_of_viewer: Client
) -> None:
    browser_of_root.post(address(charger), form(amperes="10.5"))
    text = page_of(browser_of_viewer, charger)
    assert "10.5 A: queued until the charger connects." in text
    assert "lv-limit-form" not in text
    assert "Remove the limit" not in text
    assert browser_of_viewer.post(address(charger), form(amperes="16")).status_code == 403
    assert Command.objects.count() == 2


def test_who_may_not_look_at_commands_sees_none(charger: ChargePoint, db: None) -> None:
    from django.contrib.auth.models import Permission

    user = User.objects.create_user("gate", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_chargepoint"))
    client = Client()
    client.force_login(user)
    assert 'id="limit"' not in page_of(client, charger)
