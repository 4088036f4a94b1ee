"""One command to several chargers: ticked in the list, confirmed, and watched to its end."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from levity.ocpp.models import ChargePoint, Command, MassCommand
from tests.browser.test_pages_that_renew_themselves import LIST, opened, renewed, tick
from tests.browser.visits import PHONE, Visit

pytestmark = pytest.mark.browser


def test_ticked_sent_and_watched_until_one_says_no(
    visit: Callable[[Any], Visit], transactional_db: None
) -> None:
    """Five clicks, over a renewal of the list; then the page tells by itself, within a second."""
    for number in range(3):
        ChargePoint.objects.create(identity=f"S-{number}")
    seen, page = opened(visit, LIST)
    tick(page, "S-0")
    tick(page, "S-1")
    ChargePoint.objects.filter(identity="S-1").update(vendor="Other")
    renewed(page)
    page.select_option("select[name=action]", "send_soft_reset")
    page.click("button[name=index]")
    page.get_by_role("button", name="Yes, soft reset of all 2").click()
    expect(page.locator("#lv-mass")).to_contain_text("Reset to 2 charge points")
    expect(page.locator("#lv-mass")).to_contain_text("2 away")
    first, second = Command.objects.order_by("charge_point__identity")
    Command.objects.filter(pk=first.pk).update(
        state="answered", result_status="Accepted", result={"status": "Accepted"}
    )
    Command.objects.filter(pk=second.pk).update(
        state="refused", error_code="InternalError", error_description="no idea"
    )
    renewed(page, 1)
    box = page.locator("#lv-mass")
    expect(box).to_contain_text("1 accepted, 1 refused. All have ended")
    expect(box.locator("tr", has_text="S-1")).to_contain_text("InternalError no idea")
    page.get_by_role("button", name="Send again to those that have not done it").click()
    expect(page.locator("#lv-mass")).to_contain_text("Reset to 1 charge point")
    again = MassCommand.objects.get(retry_of__isnull=False)
    assert [row.charge_point.identity for row in again.commands.all()] == ["S-1"]
    assert seen.complaints == []


def test_on_a_phone_nothing_is_wider_than_the_window(
    visit: Callable[[Any], Visit], transactional_db: None
) -> None:
    mass = MassCommand.objects.create(action="GetConfiguration")
    for number in range(3):
        place = ChargePoint.objects.create(identity=f"A-LONG-IDENTITY-OF-A-CHARGER-{number:03}")
        Command.objects.create(
            charge_point=place,
            action="GetConfiguration",
            mass=mass,
            state="timed_out",
            error_description="the charger did not answer in time",
        )
    _, page = opened(visit, f"/admin/ocpp/masscommand/{mass.pk}/change/")
    _, phone = opened_on_a_phone(visit, f"/admin/ocpp/masscommand/{mass.pk}/change/")
    assert page.locator("#lv-mass").is_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def opened_on_a_phone(visit: Callable[[Any], Visit], path: str) -> tuple[Visit, Any]:
    seen = visit(PHONE)
    return seen, seen.go(path)
