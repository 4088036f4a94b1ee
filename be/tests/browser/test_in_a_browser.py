"""The admin as people meet it: by keyboard, on a phone, with style sheets though DEBUG is off."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from levity.ocpp.models import ChargePoint, Command, Transaction
from tests.browser.visits import DESKTOP, PHONE, Visit

pytestmark = pytest.mark.browser


def test_a_command_is_sent_by_keyboard(
    visit: Callable[[Any], Visit], root: User, charger: ChargePoint
) -> None:
    assert settings.DEBUG is False
    seen = visit(DESKTOP)
    page = seen.go("/admin/ocpp/chargepoint/")
    seen.tab_to(charger.identity)
    page.keyboard.press("Enter")
    page.wait_for_selector("#lv-now")
    seen.tab_to("Soft reset")
    page.keyboard.press("Enter")
    page.wait_for_selector("form[data-once]")
    seen.tab_to("Yes, soft reset")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lv-command")
    command = Command.objects.get()
    assert (command.action, command.payload) == ("Reset", {"type": "Soft"})
    assert (command.charge_point, command.requested_by) == (charger, root)
    assert seen.complaints == []


def test_a_double_click_sends_once(
    visit: Callable[[Any], Visit], root: User, charger: ChargePoint
) -> None:
    seen = visit(DESKTOP)
    page = seen.go(f"/admin/ocpp/chargepoint/{charger.pk}/send/reset-hard/")
    page.dblclick("button.lv-primary")
    page.wait_for_selector("#lv-command")
    assert Command.objects.count() == 1


PAGES = (
    "/admin/",
    "/admin/ocpp/chargepoint/",
    "/admin/ocpp/chargepoint/{charger}/change/",
    "/admin/ocpp/chargepoint/{charger}/send/command/",
    "/admin/ocpp/transaction/",
    "/admin/ocpp/transaction/{transaction}/change/",
    "/admin/ocpp/message/",
    "/admin/ocpp/command/",
    "/admin/ocpp/command/add/",
    "/admin/ocpp/idtag/",
)


def test_no_page_scrolls_sideways_on_a_phone(
    visit: Callable[[Any], Visit], root: User, charger: ChargePoint
) -> None:
    transaction = Transaction.objects.create(
        charge_point=charger,
        connector=1,
        id_tag="W" * 255,
        started_at="2026-01-01T00:00Z",
        meter_start=0,
        flags="unbroken" * 20,
    )
    seen = visit(PHONE)
    for path in PAGES:
        page = seen.go(path.format(charger=charger.pk, transaction=transaction.pk))
        width = page.evaluate("document.documentElement.scrollWidth")
        assert (path, width) == (path, PHONE["width"])
    assert seen.complaints == []


def test_the_list_of_charge_points_renews_itself(
    visit: Callable[[Any], Visit], root: User, charger: ChargePoint
) -> None:
    seen = visit(DESKTOP)
    seen.page.clock.install()
    page = seen.go("/admin/ocpp/chargepoint/")
    page.wait_for_selector("text=Available")
    charger.connectors.update(status="Faulted")
    page.clock.fast_forward(10_000)
    page.wait_for_selector("text=Faulted")
    assert seen.complaints == []
