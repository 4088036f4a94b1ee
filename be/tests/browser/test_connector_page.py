"""The page of a connector in a browser: drawn, clicked, by keyboard and on a phone."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from levity.ocpp.models import ChargePoint, QuarantinedMessage, SessionRepair, Transaction
from tests.browser.visits import DESKTOP, PHONE, Visit
from tests.chains import DAY, a_chain

pytestmark = pytest.mark.browser

# Where screenshots go for somebody who wants to look.
PICTURES = os.environ.get("LEVITY_PICTURES")
WEEK = "?period=7&day=2026-11-30"
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


@SIZES
@SCHEMES
def test_it_is_drawn_within_the_window(
    size: Any, scheme: Any, visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    connector = a_chain(charger)
    seen = visit(size)
    seen.page.emulate_media(color_scheme=scheme)
    page = seen.go(f"/admin/ocpp/connector/{connector.pk}/change/{WEEK}")
    picture(page, f"connector-{size['width']}-{scheme}")
    assert page.locator("svg.lv-chain:visible").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    # Texts keep their size, whatever the window.
    heights = page.evaluate(
        "[...document.querySelectorAll('svg.lv-chain text')].map(e => e.getBoundingClientRect())"
        ".filter(r => r.width).map(r => r.height)"
    )
    assert min(heights) >= 9
    assert seen.complaints == []


@SIZES
def test_a_click_on_a_session_opens_its_page(
    size: Any, visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    connector = a_chain(charger)
    item = charger.transactions.get(id_tag="BOB")
    seen = visit(size)
    page = seen.go(f"/admin/ocpp/connector/{connector.pk}/change/{WEEK}")
    session = page.locator(f"svg.lv-chain:visible a[href$='/{item.pk}/change/'] .lv-bar")
    session.click()
    page.wait_for_url(f"**/admin/ocpp/transaction/{item.pk}/change/")
    page.wait_for_selector("text=How sure is this figure")
    page.click("text=Chain of connector 1")
    page.wait_for_selector("svg.lv-chain:visible")
    assert seen.complaints == []


def test_days_and_sessions_are_reached_by_keyboard(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    connector = a_chain(charger)
    seen = visit(DESKTOP)
    page = seen.go(f"/admin/ocpp/connector/{connector.pk}/change/{WEEK}")
    seen.tab_to("Earlier")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=17 to 23 November 2026")
    seen.tab_to("Later")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=24 to 30 November 2026")
    seen.tab_to("Skip the drawing: the table has the same")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert first.startswith(f"#{charger.transactions.earliest('pk').pk}, 2026-11-24 08:00:00 CET")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=How sure is this figure")
    assert seen.complaints == []


@SIZES
def test_how_sure_a_figure_is_can_be_read(
    size: Any, visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    a_chain(charger)
    item = charger.transactions.get(id_tag="BOB")
    checks = [
        ["start-stop", "agrees", "the register rose by 22,000 Wh"],
        ["samples", "missing", "no meter value in 5 h"],
        ["power", "silent", ""],
        ["limit", "bounds", "at most 242,100 Wh"],
        ["samples", "contradicts", "the register rose by 600 Wh after the stop"],
    ]
    own = ["22000.000", "registers", "high", "4298000.000"]
    item.checks = json.dumps({"own": own, "checks": checks})
    item.energy = Decimal(8_000)
    item.flags = "overlaps-previous own-id:4711 implausible-energy"
    item.save()
    SessionRepair.objects.create(
        transaction=item,
        at=DAY + timedelta(days=3),
        reason="14,000 Wh are the session's before: counted from its stop.",
        old_energy=Decimal(22_000),
        new_energy=Decimal(8_000),
        old_confidence="high",
        new_confidence="low",
    )
    seen = visit(size)
    page = seen.go(f"/admin/ocpp/transaction/{item.pk}/change/")
    picture(page, f"session-{size['width']}")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page = seen.go("/admin/ocpp/transaction/?class=look")
    picture(page, f"sessions-to-look-at-{size['width']}")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert seen.complaints == []


@SIZES
def test_candidates_can_be_compared(
    size: Any, visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    a_chain(charger)
    said = {
        "transactionId": 4711,
        "meterStop": 4_290_000,
        "timestamp": "2026-11-25T13:00:00Z",
        "idTag": "BOB",
    }
    stop = QuarantinedMessage.objects.create(
        charge_point=charger,
        action="StopTransaction",
        unique_id="m1",
        payload=json.dumps(said),
        payload_hash="1",
        reason="no such transaction",
        received_at=DAY + timedelta(hours=38),
        last_received_at=DAY + timedelta(hours=38),
    )
    Transaction.objects.filter(id_tag="BOB").update(
        state="active", stopped_at=None, meter_stop=None, stop_received_at=None
    )
    seen = visit(size)
    page = seen.go(f"/admin/ocpp/quarantinedmessage/{stop.pk}/change/")
    picture(page, f"candidates-{size['width']}")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.click(f"[aria-label='Attach to #{Transaction.objects.get(id_tag='BOB').pk}']")
    page.wait_for_selector("text=The session would end with")
    picture(page, f"attach-{size['width']}")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert seen.complaints == []
