"""The admin as people meet it: by keyboard, on a phone, with style sheets though DEBUG is off."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page

from levity.ocpp.models import ChargePoint, Command, Transaction

pytestmark = pytest.mark.browser

PASSWORD = "p4ssw0rd-of-root"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
LIVE = "#lv-dashboard"


class Visit:
    """A page that is logged in, and all that its console and network complained about."""

    def __init__(self, browser: Browser, address: str, size: Any) -> None:
        self.complaints: list[str] = []
        self.address = address
        self.context = browser.new_context(viewport=size)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._note)
        self.page.goto(f"{address}/admin/")
        self.page.focus("#id_username")
        self.page.keyboard.type("root")
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(LIVE)

    def _note(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def tab_to(self, text: str) -> None:
        """Press Tab until the link or button of this name has the focus."""
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.textContent.trim()") == text:
                return
        raise AssertionError(f"Tab never came to {text}")


@pytest.fixture
def visit(chromium: Browser, live_server: Any, root: User) -> Iterator[Callable[[Any], Visit]]:
    """Opens a visit of this size; all are closed before the site is."""
    visits: list[Visit] = []

    def opened(size: Any) -> Visit:
        visits.append(Visit(chromium, live_server.url, size))
        return visits[-1]

    yield opened
    for each in visits:
        # A page that renews itself would go on asking after the database is gone.
        each.page.goto("about:blank")
        each.context.close()


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
