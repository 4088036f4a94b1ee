"""A treasurer's first month, from the login to the last statement in the post, in Chromium.

Twenty chargers, thirty residents from an Excel list, two tariffs, a move in the middle of the
month, one resident without e-mail, a lost stop, a charger that signs. Clicks and characters are
counted: docs/billing.md tells what they come to.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.month import HOMES, LOST, SIGNED, WITHOUT_MAIL, ZONE, month, residents
from tests.browser.visits import DESKTOP
from tests.monitoring.receivers import MailServer, running
from tests.system.processes import python
from tests.system.site import Site, embedded, serve

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# Seconds of somebody who has never seen it: to find, read and click; to type a character.
A_CLICK, A_CHARACTER = 4.0, 0.4
WITHIN = 600


@dataclass
class Treasurer:
    """Somebody with a mouse and a keyboard."""

    site: Site
    page: Page
    mails: MailServer
    public_key: str
    clicks: int = 0
    typed: int = 0

    def click(self, where: Locator) -> None:
        where.click()
        self.clicks += 1

    def link(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name).first)

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def menu(self, path: str) -> None:
        self.click(self.page.locator(f"a[href='/admin/{path}/']:visible").first)

    def type(self, selector: str, text: str) -> None:
        """A field: a click, and what stands there then."""
        self.page.fill(selector, text)
        self.clicks += 1
        # A date or time is typed without its signs.
        self.typed += len(text.replace("-", "").replace("T", "").replace(":", ""))

    def choose(self, field: str, text: str) -> None:
        """A row of a field that is looked for while one types."""
        self.click(self.page.locator(f"[name={field}] + .select2 .select2-selection"))
        self.page.keyboard.type(text)
        self.typed += len(text)
        self.click(self.page.locator(".select2-results__option", has_text=text).first)

    def reads(self, text: str) -> None:
        """Wait until the page says it."""
        expect(self.page.locator("body")).to_contain_text(text)

    @property
    def seconds(self) -> float:
        """What it takes a person, without the machine."""
        return self.clicks * A_CLICK + self.typed * A_CHARACTER


@pytest.fixture
def treasurer(tmp_path: Path, django_db_blocker: Any, chromium: Browser) -> Iterator[Treasurer]:
    with embedded(tmp_path, django_db_blocker, started=False) as site, mail_server() as mails:
        site.environ |= {
            "TIME_ZONE": ZONE.key,
            "EMAIL_URL": f"smtp://127.0.0.1:{mails.port}",
            "LEVITY_EMAIL_FROM": "coop@example.org",
        }
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        played = site.start(
            "month", python("-m", "tests.browser.month", base64.b64encode(private).decode())
        )
        assert played.wait() == 0, played.log
        served = serve(site)
        name, password = served.line(r"Log in as +(\S+), password (\S+) ").groups()
        port = served.line(r"http://localhost:(\d+)/admin/")[1]
        context = chromium.new_context(viewport=DESKTOP, timezone_id=ZONE.key)
        page = context.new_page()
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        page.goto(f"http://127.0.0.1:{port}/admin/")
        who = Treasurer(site, page, mails, public.hex())
        who.type("#id_username", name)
        who.type("#id_password", password)
        page.keyboard.press("Enter")
        page.wait_for_selector("#lv-dashboard")
        yield who
        page.goto("about:blank")
        context.close()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    with running(server):
        yield server


def test_a_month_is_closed_and_posted_in_ten_minutes(treasurer: Treasurer) -> None:
    began = monotonic()
    first, last = month(datetime.now(ZONE).date())
    steps: list[tuple[str, int, int]] = []
    for what, step in (
        ("login", lambda: None),
        ("who bills", lambda: who_bills(treasurer)),
        ("residents", lambda: from_excel(treasurer, first)),
        ("tariffs", lambda: two_tariffs(treasurer)),
        ("the move", lambda: somebody_moves(treasurer, first)),
        ("check", lambda: checks(treasurer)),
        ("the meter's key", lambda: enters_the_key(treasurer)),
        ("close", lambda: closes(treasurer)),
        ("post", lambda: posts(treasurer)),
    ):
        before = treasurer.clicks, treasurer.typed
        step()
        steps.append((what, treasurer.clicks - before[0], treasurer.typed - before[1]))
    steps[0] = ("login", 2, 25)
    took = monotonic() - began
    for what, clicks, typed in steps:
        print(f"{what}: {clicks} clicks, {typed} characters")
    person = treasurer.seconds
    print(
        f"{treasurer.clicks} clicks, {treasurer.typed} characters: {person:.0f} s of a person; "
        f"{took:.0f} s in all of a machine"
    )
    assert person + took < WITHIN
    every_figure(treasurer, last)
    assert treasurer.site.tracebacks() == []


def who_bills(who: Treasurer) -> None:
    who.menu("billing/statementrun")
    who.link("Next statements: check, preview, close…")
    who.link("Say who bills")
    who.type("#id_name", "WEG Müllerstraße 5")
    who.type("#id_address", "Müllerstraße 5\n10115 Berlin")
    who.type("#id_payment_text", "DE02120300000000202051, {number}")
    who.type("#id_prefix", "EV-")
    who.button("Save")


def from_excel(who: Treasurer, first: date) -> None:
    """Windows-1252, semicolons, German names of columns."""
    who.menu("billing/household")
    who.link("Import CSV…")
    file = {"name": "Bewohner.csv", "mimeType": "text/csv", "buffer": residents(first)}
    who.page.set_input_files("[name=file]", [file])  # type: ignore[list-item]
    # To open the dialog, find the file, and take it.
    who.clicks += 3
    who.button("Look at it")
    expect(who.page.locator(".lv-page")).to_contain_text("Windows-1252, for example “Müller”")
    who.button("Import")
    who.reads(f"{HOMES} new households")


def two_tariffs(who: Treasurer) -> None:
    """One for everybody, from the first day of the month that is billed; one for a household."""
    who.menu("billing/tariff")
    for name, price in (("Residents", "0.40"), ("Caretaker", "0.25")):
        who.link("New tariff")
        who.type("[name=name]", name)
        who.type("[name=price_per_kwh]", price)
        who.type("[name=vat_percent]", "19")
        if name == "Caretaker":
            first, _ = month(datetime.now(ZONE).date())
            who.type("[name=begins]", f"{first}T00:00")
        who.button("Save")
        who.link("Say for whom it is…")
        if name == "Caretaker":
            who.choose("household", "Müller 02")
        who.button("Save")
        who.link("Tariffs")


def somebody_moves(who: Treasurer, first: date) -> None:
    """Out on the 14th, and in on the 15th, at the same charger without cards."""
    who.menu("billing/household")
    who.link("Müller 30")
    who.click(who.page.locator(".lv-tabs").get_by_role("link", name="Change"))
    who.type("[name=assignments-0-last_day]", f"{first.replace(day=14)}")
    who.button("Save")
    who.click(who.page.locator("a[href$='/household/add/']").first)
    who.type("#id_name", "Neumann")
    who.type("#id_flat", "Wohnung 30")
    who.type("#id_email", "neumann@example.org")
    who.choose("assignments-0-charge_point", "garage-10")
    who.type("[name=assignments-0-first_day]", f"{first.replace(day=15)}")
    who.button("Save")


def look(who: Treasurer) -> Locator:
    who.menu("billing/statementrun")
    who.link("Next statements: check, preview, close…")
    who.button("Look at it")
    return who.page.locator(".lv-page")


def checks(who: Treasurer) -> None:
    """The lost stop is billed as far as the meter told; of the unknown card nobody pays."""
    page = look(who)
    # What was entered is settled a quarter of a minute later.
    expect(page).to_contain_text("2 sessions would be held back")
    who.click(page.locator("tr", has_text=LOST).get_by_role("link", name="Decide…"))
    who.click(who.page.get_by_label("Bill it as it is"))
    who.button("Decide")
    who.click(page.locator("tr", has_text="UNKNOWN-CARD").get_by_role("link", name="Decide…"))
    who.click(who.page.get_by_label("Nobody pays"))
    who.type("[name=why]", "A guest of the house")
    who.button("Decide")
    expect(page).to_contain_text("Nothing waits for a decision.")


def enters_the_key(who: Treasurer) -> None:
    """Of the meter that signs, as it stands on it."""
    who.menu("ocpp/chargepoint")
    who.link(SIGNED)
    who.click(who.page.locator(".lv-tabs").get_by_role("link", name="Sessions"))
    who.click(who.page.locator("#result_list a[href*='/transaction/']").first)
    expect(who.page.locator("#signed")).to_contain_text("not checked")
    session = who.page.url
    who.link("Meter keys of this charge point")
    who.click(who.page.locator("a[href*='/meterkey/add/']").first)
    who.type("[name=key]", who.public_key)
    # It is pasted, and not typed.
    who.typed -= len(who.public_key)
    who.button("Save")
    who.page.goto(session)
    who.clicks += 2
    expect(who.page.locator("#signed")).to_contain_text("verified with your key")


def closes(who: Treasurer) -> None:
    page = look(who)
    expect(page).to_contain_text("31 statements, together")
    who.click(who.page.get_by_label("Close these statements"))
    who.button("Close 31 statements")
    who.reads("EV-000031")


def posts(who: Treasurer) -> None:
    """Thirty mails, and one letter."""
    who.link("Send by mail…")
    who.click(who.page.locator("[name=sure]"))
    who.button("Send 30 mails")
    expect(who.page.locator("#lv-mails")).to_contain_text("30 sent", timeout=60_000)
    to_print = who.page.locator("tr", has_text=f"Müller {WITHOUT_MAIL}")
    with who.page.expect_download() as letter:
        who.click(to_print.get_by_role("link", name="PDF"))
    assert letter.value.path().read_bytes().startswith(b"%PDF")
    sent = {to for receivers, _ in who.mails.mails for to in receivers}
    assert len(sent) == 30
    assert all(message.get_content_type() == "multipart/mixed" for _, message in who.mails.mails)


def every_figure(who: Treasurer, last: date) -> None:
    """From a statement to the messages, by clicks: each session's registers, times and card; its
    price; and the sums."""
    page = who.page
    who.menu("billing/statementrun")
    who.click(page.locator("#result_list tbody th a").first)
    who.link("EV-000012")
    statement = page.url
    rows = page.locator("tr", has=page.locator("a[href*='/ocpp/transaction/']"))
    expect(rows).to_have_count(2)
    amounts, energy = [], Decimal(0)
    for at in range(2):
        cells = rows.nth(at).locator("td").all_inner_texts()
        registers, kwh, amount = cells[4], cells[5], cells[7]
        who.click(rows.nth(at).get_by_role("link").first)
        who.link("Messages of this session")
        told = {name: frame(who, name) for name in ("StartTransaction", "StopTransaction")}
        meters = [told["StartTransaction"]["meterStart"], told["StopTransaction"]["meterStop"]]
        assert registers == " \N{EN DASH} ".join(
            f"{Decimal(meter) / 1000:,.3f}" for meter in meters
        )
        wh = Decimal(meters[1] - meters[0])
        assert kwh == f"{wh / 1000:.3f} kWh"
        assert told["StartTransaction"]["idTag"] == "04A1B2C312"
        begun = datetime.fromisoformat(told["StartTransaction"]["timestamp"]).astimezone(ZONE)
        assert cells[1] == f"{begun:%d %b %Y %H:%M}"
        # What it is made up of, and the tariff that says so.
        page.goto(statement)
        who.click(rows.nth(at).get_by_role("link").last)
        who.reads("0.40 EUR/kWh")
        who.link("Residents, version 1")
        who.reads("0.40")
        amounts.append(Decimal(amount.split()[0]))
        assert amounts[-1] == round(wh / 1000 * Decimal("0.40"), 2)
        energy += wh / 1000
        page.goto(statement)
    net = sum(amounts)
    tax = round(net * Decimal("0.19"), 2)
    who.reads(f"{energy:.3f} kWh")
    who.reads(f"{net} EUR")
    who.reads(f"{net + tax} EUR")
    assert last.month == month(datetime.now(ZONE).date())[1].month


def frame(who: Treasurer, action: str) -> dict[str, Any]:
    """The payload of the message of this action, on its own page."""
    who.click(who.page.locator("#result_list tr", has_text=action).locator("th a, td a").first)
    text = who.page.locator("pre", has_text=action).first.inner_text()
    who.page.go_back()
    payload: dict[str, Any] = json.loads(text)[3]
    return payload
