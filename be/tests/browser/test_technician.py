"""A technician's day without JSON, in clicks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from levity.ocpp.chargers.security.concealment import reveal
from levity.ocpp.models import ChargePoint, Command, IdTag, Transaction
from tests.browser.visits import DESKTOP, PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
COUNT = """
addEventListener("click", () => {
  sessionStorage.clicks = 1 + Number(sessionStorage.clicks ?? 0);
}, true)
"""


def counting(seen: Visit, path: str) -> Page:
    """This page; from now on each click is counted, over pages, too."""
    seen.context.add_init_script(COUNT)
    return seen.go(path)


def clicks(page: Page) -> int:
    return int(page.evaluate("Number(sessionStorage.clicks ?? 0)"))


def answer(action: str, result: dict[str, Any]) -> None:
    command = Command.objects.filter(action=action).latest("id")
    command.state, command.result = Command.State.ANSWERED, result
    command.result_status = result["status"]
    command.sent_at = command.finished_at = timezone.now()
    command.save()


@pytest.mark.timed
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_16_a_on_one_charger(
    size: Any, visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    """254 typed characters of JSON, and nobody looked whether it holds."""
    seen = visit(size)
    page = counting(seen, "/admin/ocpp/chargepoint/")
    page.click("#result_list tbody th a")
    slider = page.get_by_role("slider", name="Maximum current in A")
    slider.focus()
    while page.input_value("#lv-amperes") != "15.5":
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#lv-amperes") == "16"
    page.get_by_role("button", name="Set", exact=True).click()
    now = page.locator("#lv-limit")
    expect(now).to_contain_text("16 A: queued until the charger connects")
    assert clicks(page) <= 4
    answer("SetChargingProfile", {"status": "Accepted"})
    expect(now).to_contain_text("asking the charger", timeout=3_000)
    period = {"startPeriod": 0, "limit": 32}
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    answer("GetCompositeSchedule", {"status": "Accepted", "chargingSchedule": schedule})
    expect(now).to_contain_text("doubted", timeout=3_000)
    expect(now).to_contain_text("it allows 32 A")
    page.get_by_role("button", name="Try it another way").click()
    expect(now).to_contain_text("16 A: queued")
    answer("SetChargingProfile", {"status": "Accepted"})
    answer(
        "GetCompositeSchedule",
        {
            "status": "Accepted",
            "chargingSchedule": schedule | {"chargingSchedulePeriod": [period | {"limit": 16}]},
        },
    )
    expect(now).to_contain_text("proved", timeout=3_000)
    sent = Command.objects.filter(action="SetChargingProfile").latest("id")
    assert sent.payload["csChargingProfiles"]["chargingProfilePurpose"] == "TxDefaultProfile"
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert seen.complaints == []


@pytest.mark.timed
def test_a_session_is_stopped_from_its_page(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    session = Transaction.objects.create(
        charge_point=charger, connector=1, id_tag="A", started_at=timezone.now(), meter_start=0
    )
    seen = visit(DESKTOP)
    page = counting(seen, "/admin/ocpp/transaction/")
    page.click(f"a[href*='/transaction/{session.pk}/change/']")
    page.get_by_role("button", name="Stop charging").click()
    expect(page.locator("#lv-session")).to_contain_text("Queued")
    assert clicks(page) == 2
    answer("RemoteStopTransaction", {"status": "Rejected"})
    expect(page.locator("#lv-session")).to_contain_text("The charger did not stop", timeout=3_000)
    page.locator("#lv-session").get_by_role("link", name="Unlock connector").click()
    page.get_by_role("button", name="Yes, unlock connector").click()
    expect(page.locator("#lv-command")).to_contain_text("UnlockConnector")
    assert Command.objects.latest("id").payload == {"connectorId": 1}
    assert seen.complaints == []


def test_start_and_stop_are_two_clicks_on_the_charger(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    seen = visit(DESKTOP)
    page = counting(seen, f"/admin/ocpp/chargepoint/{charger.pk}/change/")
    page.get_by_role("link", name="Start, connector 1").click()
    expect(page.locator("[name=p-connectorId]")).to_have_value("1")
    page.get_by_role("button", name="Send").click()
    page.wait_for_selector("#lv-command")
    assert clicks(page) == 2
    started = Command.objects.get()
    assert started.action == "RemoteStartTransaction"
    assert started.payload == {"connectorId": 1, "idTag": "anonymous"}


def test_a_command_is_found_by_what_one_wants(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    Command.objects.create(
        charge_point=charger,
        action="ClearCache",
        state="answered",
        result={"status": "Rejected"},
        result_status="Rejected",
    )
    seen = visit(DESKTOP)
    page = seen.go(f"/admin/ocpp/chargepoint/{charger.pk}/change/")
    page.get_by_role("searchbox", name="Search all commands").fill("reboot hard")
    entries = page.locator("#lv-menu [data-words]:visible")
    expect(entries).to_have_count(1)
    expect(entries).to_contain_text("Hard reset")
    page.get_by_role("searchbox", name="Search all commands").fill("cache")
    # The last answer stands beside it, and stays sifted after a renewal.
    expect(entries).to_contain_text("Rejected")
    answer("ClearCache", {"status": "Accepted"})
    page.evaluate("htmx.trigger(document.getElementById('lv-live'), 'lv-renew')")
    expect(entries).to_contain_text("Accepted", timeout=15_000)
    expect(entries).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Forget remembered id tags")).to_be_visible()
    assert seen.complaints == []


def test_rows_are_added_and_removed_with_the_keyboard(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    IdTag.objects.create(id_tag="04AA", owner="Anna")
    seen = visit(DESKTOP)
    page = seen.go(f"/admin/ocpp/chargepoint/{charger.pk}/send/local-list/")
    rows = page.locator("[data-rows] tbody tr")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Add a row").press("Enter")
    expect(rows).to_have_count(4)
    page.keyboard.type("04BB")
    page.get_by_label("Entries, row 1: Id tag").fill("04AA")
    page.get_by_role("button", name="Remove row 2").press("Enter")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Send").click()
    page.wait_for_selector("#lv-command")
    accepted = {"status": "Accepted"}
    assert reveal(Command.objects.get().secret)["localAuthorizationList"] == [
        {"idTag": "04AA", "idTagInfo": accepted},
        {"idTag": "04BB", "idTagInfo": accepted},
    ]
    assert seen.complaints == []


def test_the_json_box_begins_with_an_example(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    seen = visit(DESKTOP)
    page = seen.go(f"/admin/ocpp/chargepoint/{charger.pk}/send/command/")
    page.select_option("[name=call]", "ChangeAvailability")
    text = page.locator("textarea[name=text]")
    expect(text).to_have_value('{\n  "connectorId": 0,\n  "type": "Operative"\n}')
    text.fill('{"connectorId": 1, "type": "Operative"}')
    # What somebody has written stays.
    page.select_option("[name=call]", "Reset")
    expect(text).to_have_value('{"connectorId": 1, "type": "Operative"}')
    assert seen.complaints == []
