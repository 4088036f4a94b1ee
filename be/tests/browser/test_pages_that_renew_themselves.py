"""Pages are renewed under the hands of who looks at them, and nothing that he does is lost.

Named after what happened: NEWCOMER B2, B3, B5, B9.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from levity.ocpp.models import ChargePoint, Command, Transaction
from tests.browser.visits import DESKTOP, Visit

pytestmark = pytest.mark.browser

LIST = "/admin/ocpp/chargepoint/"


@pytest.fixture
def chargers(charger: ChargePoint) -> list[ChargePoint]:
    found = [charger]
    for number in (1, 2):
        more = ChargePoint.objects.create(identity=f"S-{number}", vendor="Vendor")
        more.connectors.create(number=1, status="Available", error_code="NoError")
        found.append(more)
    return found


def opened(visit: Callable[[Any], Visit], path: str) -> tuple[Visit, Page]:
    """A page whose clock is in our hands."""
    seen = visit(DESKTOP)
    seen.page.clock.install()
    return seen, seen.go(path)


def renewed(page: Page, seconds: int = 10) -> None:
    """The page has asked, and has put in what was new."""
    with page.expect_response(lambda answer: answer.request.headers.get("x-levity-live")) as one:
        page.clock.fast_forward(seconds * 1000)
    one.value.finished()
    page.clock.run_for(100)


def tick(page: Page, identity: str) -> Any:
    box = page.locator("tr", has_text=identity).locator("input.action-select")
    box.check()
    return box


def test_ticks_and_the_bar_that_acts_on_them_live_through_a_renewal(
    visit: Callable[[Any], Visit], chargers: list[ChargePoint]
) -> None:
    """B3: two were ticked, "Soft reset…" was chosen, and after ten seconds all was gone."""
    seen, page = opened(visit, LIST)
    boxes = [tick(page, f"S-{number}") for number in (1, 2)]
    page.select_option("select[name=action]", "send_soft_reset")
    chargers[1].connectors.update(status="Charging")
    renewed(page)
    expect(page.locator("tr", has_text="S-1")).to_contain_text("Charging")
    for box in boxes:
        expect(box).to_be_checked()
    expect(page.locator("span.action-counter")).to_have_text("2 of 3 selected")
    page.click("button[name=index]")
    page.wait_for_selector("form[data-once]")
    assert "2 charge points" in page.content()
    assert seen.complaints == []


def test_select_all_works_on_a_page_that_was_renewed(
    visit: Callable[[Any], Visit], chargers: list[ChargePoint]
) -> None:
    """B2: after one renewal the box above all ticked nothing, and the bar said "0 of 10"."""
    seen, page = opened(visit, LIST)
    chargers[1].connectors.update(status="Charging")
    renewed(page)
    ChargePoint.objects.create(identity="S-3")
    chargers[2].delete()
    renewed(page)
    expect(page.locator("tr", has_text="S-3")).to_be_visible()
    expect(page.locator("tr", has_text="S-2")).to_have_count(0)
    page.check("#action-toggle")
    expect(page.locator("input.action-select:checked")).to_have_count(3)
    expect(page.locator("span.action-counter")).to_have_text("3 of 3 selected")
    expect(page.locator("select[name=action]")).to_be_visible()
    tick(page, "S-3").uncheck()
    expect(page.locator("span.action-counter")).to_have_text("2 of 3 selected")
    expect(page.locator("#lv-count")).to_have_text("3 charge points")
    assert seen.complaints == []


def test_the_focus_and_what_is_being_typed_live_through_a_renewal(
    visit: Callable[[Any], Visit], chargers: list[ChargePoint]
) -> None:
    seen, page = opened(visit, LIST)
    link = page.get_by_role("link", name="S-1")
    link.focus()
    chargers[1].connectors.update(status="Faulted")
    ChargePoint.objects.create(identity="S-0")
    renewed(page)
    expect(page.locator("tr", has_text="S-1")).to_contain_text("Faulted")
    expect(page.locator("tr", has_text="S-0")).to_be_visible()
    expect(link).to_be_focused()
    page.fill("#searchbar", "S-")
    chargers[1].connectors.update(status="Available")
    renewed(page)
    expect(page.locator("#searchbar")).to_have_value("S-")
    expect(page.locator("#searchbar")).to_be_focused()
    assert seen.complaints == []


def test_a_list_without_rows_shows_the_first_one_by_itself(
    visit: Callable[[Any], Visit], transactional_db: None
) -> None:
    seen, page = opened(visit, LIST)
    ChargePoint.objects.create(identity="FIRST")
    page.clock.fast_forward(10_000)
    expect(page.get_by_role("link", name="FIRST", exact=True)).to_be_visible()
    assert seen.complaints == []


def test_the_page_of_a_command_tells_one_story(
    visit: Callable[[Any], Visit], root: User, charger: ChargePoint
) -> None:
    """B5: on top "answered with a result", below for ever "Queued"; the first look after 10 s."""
    command = Command.objects.create(
        charge_point=charger, action="GetConfiguration", requested_by=root
    )
    seen, page = opened(visit, f"/admin/ocpp/command/{command.pk}/change/")
    expect(page.locator("#lv-command")).to_contain_text("Queued")
    Command.objects.update(
        state="answered",
        sent_at=timezone.now(),
        finished_at=timezone.now(),
        result={"configurationKey": [{"key": "HeartbeatInterval", "value": "300"}]},
    )
    renewed(page, 1)
    expect(page.locator("#lv-command")).to_contain_text("answered with a result")
    form = page.locator("#content-main > form")
    expect(form).to_contain_text("answered with a result")
    expect(form).to_contain_text("HeartbeatInterval")
    expect(form).not_to_contain_text("Queued")
    expect(page.get_by_role("button", name="Cancel this command")).to_have_count(0)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(60_000)
    assert asked == []
    assert seen.complaints == []


def test_charging_is_stopped_from_the_page_of_the_session(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    """The one button was the red "End this session", which does not stop the car."""
    session = Transaction.objects.create(
        charge_point=charger, connector=1, id_tag="A", started_at=timezone.now(), meter_start=0
    )
    seen, page = opened(visit, f"/admin/ocpp/transaction/{session.pk}/change/")
    expect(page.locator("nav[aria-label=Decisions] > .lv-button")).to_have_text(["Stop charging"])
    expect(page.get_by_text("this does not stop the car")).to_be_hidden()
    page.dblclick("text=Stop charging")
    expect(page.locator("#lv-session")).to_contain_text("Queued")
    command = Command.objects.get()
    assert (command.action, command.payload) == (
        "RemoteStopTransaction",
        {"transactionId": session.pk},
    )
    Command.objects.update(state="answered", result_status="Accepted")
    renewed(page, 1)
    expect(page.locator("#lv-session")).to_contain_text("Accepted")
    Transaction.objects.update(state="stopped", stopped_at=timezone.now(), energy=7_250)
    renewed(page, 1)
    expect(page.locator("#content-main > form")).to_contain_text("7.250 kWh")
    expect(page.get_by_role("button", name="Stop charging")).to_have_count(0)
    assert seen.complaints == []


def test_a_page_that_is_not_renewed_any_more_says_since_when(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    """B9: the network was cut for 35 s, and the overview showed the same numbers without a word."""
    seen, page = opened(visit, "/admin/")
    note = page.locator("#lv-live")
    expect(note).to_be_empty()
    seen.context.set_offline(True)
    expect(note).to_contain_text("Not updated since")
    page.clock.fast_forward(10_000)
    expect(note).to_contain_text("Not updated since")
    seen.context.set_offline(False)
    page.clock.fast_forward(5_000)
    expect(note).to_be_empty()
    Session.objects.all().delete()
    page.clock.fast_forward(10_000)
    expect(note).to_contain_text("You are logged out")
    expect(note.get_by_role("link", name="Log in again")).to_be_visible()
