"""A technician's day on a running Levity with simulated chargers: everything by clicks, no JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from levity.files.models import Campaign
from levity.ocpp.models import Command, ConfigurationKey
from levity.simulator.files import MARK
from tests.browser.test_technician import COUNT, clicks
from tests.browser.visits import DESKTOP
from tests.system.processes import python
from tests.system.site import Site, embedded, serve

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHARGERS = 20


@dataclass
class Day:
    """The site, its address, and a browser in which somebody is logged in."""

    site: Site
    address: str
    page: Page

    def go(self, path: str) -> Page:
        """A page; clicks are counted from there."""
        self.page.goto(f"{self.address}{path}")
        self.page.evaluate("sessionStorage.clicks = 0")
        return self.page

    def menu(self, path: str) -> None:
        """One click in the menu."""
        self.page.locator(f"a[href='/admin/{path}/']:visible").first.click()


@pytest.fixture
def day(tmp_path: Path, django_db_blocker: Any, chromium: Browser) -> Iterator[Day]:
    with embedded(tmp_path, django_db_blocker, started=False) as site:
        served = serve(site, LEVITY_FTP_PORT="0")
        name, password = served.line(r"Log in as +(\S+), password (\S+) ").groups()
        port = served.line(r"http://localhost:(\d+)/admin/")[1]
        address = f"http://127.0.0.1:{port}"
        fleet = ("--charge-points", str(CHARGERS), "--life", "everyday", "--fail-update-of", "2")
        site.start(
            "simulator",
            python("-m", "levity", "simulate", "--url", site.url(), *fleet, "--speed", "8"),
        )
        context = chromium.new_context(viewport=DESKTOP, accept_downloads=True)
        context.add_init_script(COUNT)
        page = context.new_page()
        page.goto(f"{address}/admin/")
        page.fill("#id_username", name)
        page.fill("#id_password", password)
        page.keyboard.press("Enter")
        page.wait_for_selector("#lv-dashboard")
        page.goto(f"{address}/admin/ocpp/chargepoint/?online=yes")
        expect(page.locator("#result_list tbody[data-pk]")).to_have_count(CHARGERS)
        yield Day(site, address, page)
        page.goto("about:blank")
        context.close()


def test_a_day(day: Day, tmp_path: Path) -> None:
    sixteen_amperes(day)
    a_key_on_all(day)
    diagnostics(day)
    firmware_for_three(day, tmp_path)
    who_did_what(day)
    assert day.site.tracebacks() == []


def within(page: Page, most: int, what: str) -> None:
    """So few clicks."""
    counted = clicks(page)
    print(f"{what}: {counted} clicks")
    assert counted <= most, what


def sixteen_amperes(day: Day) -> None:
    """Three clicks; asked for by the charger's own word whether it holds."""
    page = day.go("/admin/")
    day.menu("ocpp/chargepoint")
    page.click("#result_list tbody th a")
    slider = page.get_by_role("slider", name="Maximum current in A")
    slider.focus()
    page.keyboard.press("Home")
    while page.input_value("#lv-amperes") != "16":
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("#lv-limit")).to_contain_text("16 A")
    expect(page.locator("#lv-limit")).to_contain_text("proved")
    within(page, 4, "16 A on one charger")


def a_key_on_all(day: Day) -> None:
    """HeartbeatInterval of 20 chargers: the page of the mass command tells how far it has come."""
    page = day.go("/admin/ocpp/chargepoint/")
    page.check("#action-toggle")
    page.select_option("select[name=action]", label="Change a configuration key…")
    page.click("button[name=index]")
    page.fill("[name=key]", "HeartbeatInterval")
    page.get_by_role("button", name="Next").click()
    page.fill("[name=value]", "600")
    page.get_by_role("button", name=f"Yes, change it on {CHARGERS} chargers").click()
    expect(page.locator("#lv-mass")).to_contain_text(f"{CHARGERS} accepted")
    within(page, 6, "a key on 20 chargers")
    values = day.site.books.open(ConfigurationKey)
    with values as rows:
        found = list(rows.filter(name="heartbeatinterval").values_list("value", flat=True))
    assert found == ["600"] * CHARGERS


def diagnostics(day: Day) -> None:
    """From the charger's tab to the file in one's hands."""
    page = day.go("/admin/ocpp/chargepoint/")
    page.click("#result_list tbody th a")
    page.locator(".lv-tabs").get_by_role("link", name="Files").click()
    page.get_by_role("link", name="Fetch diagnostics").click()
    page.get_by_role("button", name="Fetch").click()
    file = page.locator("#lv-job a[download]")
    expect(file).to_be_visible()
    with page.expect_download() as download:
        file.click()
    assert download.value.path().read_text().startswith("SIM-0001 at ")
    within(page, 5, "diagnostics")


def firmware_for_three(day: Day, folder: Path) -> None:
    """One at a time; the second fails, and the third is left alone."""
    file = folder / "fw.bin"
    file.write_bytes(MARK + b"9.9\n" * 1000)
    page = day.go("/admin/")
    day.menu("files/firmware")
    page.locator("a[href$='/firmware/add/']").first.click()
    page.set_input_files("[name=file]", file)
    page.fill("[name=version]", "9.9")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Send in waves…").click()
    for name in ("SIM-0001", "SIM-0002", "SIM-0003"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Next").click()
    page.fill("[name=wave_size]", "1")
    page.fill("[name=pause_minutes]", "0")
    page.uncheck("[name=only_idle]")
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Begin the campaign").click()
    now = page.locator("#lv-campaign")
    expect(now).to_contain_text("Look at what failed", timeout=90_000)
    for name, state in (("SIM-0001", "updated"), ("SIM-0002", "failed"), ("SIM-0003", "waiting")):
        expect(now.locator("tr", has_text=name)).to_contain_text(state)
    within(page, 12, "firmware of three")
    with day.site.books.open(Campaign) as rows:
        assert list(rows.values_list("state", flat=True)) == ["stopped"]
    day.go("/admin/ocpp/chargepoint/")
    row = page.locator("#result_list tbody", has_text="SIM-0001")
    expect(row).to_contain_text("9.9")
    with day.site.books.open(Command) as commands:
        sent = commands.filter(action="UpdateFirmware")
        assert sent.filter(charge_point__identity="SIM-0003").count() == 0


def who_did_what(day: Day) -> None:
    """The audit has each of these, with the name of who did it."""
    page = day.go("/admin/")
    day.menu("ocpp/auditentry")
    assert clicks(page) == 1
    rows = page.locator("#result_list tbody tr")
    for words in ("SetChargingProfile", "HeartbeatInterval", "GetDiagnostics", "uploaded"):
        expect(rows.filter(has_text=words).first).to_contain_text("admin")
