"""The pages can be read and worked with by everybody: contrast, names, whole words.

Named after what happened: NEWCOMER B10, B14, B20.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import Browser, Page

from levity.ocpp.decisions.unassigned import stretches_of
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConnectionEvent,
    IdTag,
    Installation,
    Transaction,
    UnassignedEnergy,
)
from levity.ocpp.store.hours import count_all
from levity.ocpp.store.loose import month_of, renew, zone_of_site
from levity.pages.chargers.give_energy import key_of
from tests.browser.visits import DESKTOP, PHONE, Visit

pytestmark = pytest.mark.browser

# WCAG 2.2, 1.4.3.
LEAST = 4.5
CONTRAST, NAMELESS, BROKEN = (
    (Path(__file__).parent / f"{name}.js").read_text()
    for name in ("contrast", "nameless", "broken")
)


def outside_sessions(charger: ChargePoint) -> tuple[UnassignedEnergy, str]:
    """Energy between two sessions, and how an address names it."""
    now = timezone.now()
    for hours, first, last in (
        (9, 4_296_988_675, 4_296_998_675),
        (3, 4_297_018_675, 4_297_028_675),
    ):
        charger.transactions.create(
            connector=2,
            id_tag="04A1B2C312",
            started_at=now - timedelta(hours=hours),
            start_received_at=now - timedelta(hours=hours),
            stopped_at=now - timedelta(hours=hours - 1),
            meter_start=first,
            meter_stop=last,
            energy=last - first,
            energy_source="registers",
            state="stopped",
        )
    month = month_of(now - timedelta(hours=3), zone_of_site(charger))
    renew([charger.pk], month, month, now)
    [stretch] = stretches_of(charger, (0, 2), month)
    return UnassignedEnergy.objects.get(), key_of(stretch)


@pytest.fixture
def pages(charger: ChargePoint, root: User) -> list[str]:
    """A page of each kind, with the words that were broken."""
    ChargePoint.objects.filter(pk=charger.pk).update(
        vendor="Wall Box Chargers",
        model="PPR1-0-2-4",
        firmware_version="05.633:GCW-10.17-05.7:7452",
    )
    charger.connectors.create(number=2, status="Preparing", error_code="EVCommunicationError")
    item = Transaction.objects.create(
        charge_point=charger,
        connector=1,
        id_tag="04A1B2C312",
        started_at=timezone.now(),
        stopped_at=timezone.now(),
        meter_start=4_296_988_675,
        energy=1_013_142,
        state="stopped",
        stop_reason="EVDisconnected",
        flags="session-register implausible-energy",
    )
    tag = IdTag.objects.create(id_tag="04A1B2C312", owner="Ölschläger")
    command = Command.objects.create(charge_point=charger, action="GetConfiguration")
    group = Group.objects.get_or_create(name="People")[0]
    between, key = outside_sessions(charger)
    Installation.objects.create(pk=1, restored_at=timezone.now(), restored_to=timezone.now())
    return [
        "/admin/",
        "/admin/ocpp/chargepoint/",
        f"/admin/ocpp/chargepoint/{charger.pk}/change/",
        f"/admin/ocpp/chargepoint/{charger.pk}/send/command/",
        "/admin/ocpp/transaction/",
        f"/admin/ocpp/transaction/{item.pk}/change/",
        f"/admin/ocpp/connector/{charger.connectors.earliest('pk').pk}/change/",
        "/admin/ocpp/command/",
        f"/admin/ocpp/command/{command.pk}/change/",
        "/admin/ocpp/command/add/",
        "/admin/ocpp/idtag/",
        f"/admin/ocpp/idtag/{tag.pk}/change/",
        "/admin/ocpp/quarantinedmessage/",
        "/admin/ocpp/unassignedenergy/",
        f"/admin/ocpp/unassignedenergy/{between.pk}/change/",
        f"/admin/ocpp/unassignedenergy/{between.pk}/give/{key}/",
        "/admin/ocpp/transaction/restored/",
        "/admin/ocpp/message/",
        "/admin/operation/alert/",
        f"/admin/auth/user/{root.pk}/change/",
        f"/admin/auth/group/{group.pk}/change/",
        "/admin/billing/household/add/",
        "/admin/billing/sessionprice/reports/",
    ]


def test_every_text_can_be_read_in_the_dark(
    visit: Callable[[Any], Visit], pages: list[str]
) -> None:
    """B14: grey on dark was 3.66:1 in 57 places of the list of chargers."""
    seen = visit(DESKTOP)
    seen.page.emulate_media(color_scheme="dark")
    found = {path: seen.go(path).evaluate(CONTRAST, LEAST) for path in pages}
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_every_text_can_be_read_is_whole_and_every_box_has_a_name(
    visit: Callable[[Any], Visit], pages: list[str]
) -> None:
    """B14, and on the same pages: B20: select2's boxes had no name, signs had one where none may
    be; nowhere was a main part. B10: see `is_whole`."""
    seen = visit(DESKTOP)
    for path in pages:
        page = seen.go(path)
        assert (path, page.evaluate(CONTRAST, LEAST)) == (path, [])
        is_whole(page, path, DESKTOP)
        if page.locator(".admin-autocomplete").count():
            page.wait_for_selector(".select2-selection[aria-label]", state="attached")
        if "/group/" in path:
            page.wait_for_selector(".help-tooltip[role=img]", state="attached")
        assert (path, page.evaluate(NAMELESS)) == (path, [])
        assert (path, page.locator("main, [role=main]").count()) == (path, 1)
    assert seen.complaints == []


def is_whole(page: Page, path: str, size: Any) -> None:
    """No word, id or number breaks in its middle, and nothing scrolls sideways (B10: "anonymo/us",
    "04A1B2C/312", "EVDiscon/nected", "Preparin/g", "429698867/5 Wh")."""
    assert (path, page.evaluate(BROKEN)) == (path, [])
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_no_word_id_or_number_breaks_in_its_middle_on_a_phone(
    visit: Callable[[Any], Visit], pages: list[str]
) -> None:
    """B10."""
    seen = visit(PHONE)
    for path in pages:
        is_whole(seen.go(path), path, PHONE)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_can_be_read_and_has_a_main_part(
    size: Any, scheme: Any, chromium: Browser, live_server: Any
) -> None:
    """The name in dark had 3.9:1, and the page no main part: every other page was looked at."""
    context = chromium.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/login/")
    # Whoever comes can type at once; the page was hidden when the browser looked for this box.
    page.wait_for_function("document.activeElement.id === 'id_username'")
    assert page.evaluate(CONTRAST, LEAST) == []
    assert page.evaluate(NAMELESS) == []
    assert page.locator("main, [role=main]").count() == 1
    context.close()


def test_what_scrolls_on_a_list_has_a_name_of_its_own(visit: Callable[[Any], Visit]) -> None:
    """The menu and the table were both called "scrollable content"."""
    page = visit(DESKTOP).go("/admin/ocpp/chargepoint/")
    page.wait_for_selector("[role=region][aria-label=Menu]", state="attached")
    names = page.evaluate(
        "[...document.querySelectorAll('[role=region]')].map((box) => box.ariaLabel)"
    )
    assert len(names) == len(set(names))


def test_with_the_keyboard_one_key_leads_past_the_menu(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    """34 times Tab led to the box that ticks all chargers, on every page anew."""
    seen = visit(DESKTOP)
    page = seen.go("/admin/ocpp/chargepoint/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    keys = 0
    while page.evaluate("document.activeElement.id") != "action-toggle":
        page.keyboard.press("Tab")
        keys += 1
        assert keys < 12
    page.keyboard.press("Space")
    assert page.locator("input.action-select:checked").count() == 1
    assert seen.complaints == []


ON_ONE_LINE = """() => Object.fromEntries(
    [...document.querySelectorAll(".lv-tile")].map(tile => {
        const value = tile.querySelector(".lv-tile-value");
        const line = parseFloat(getComputedStyle(value).lineHeight);
        const range = document.createRange();
        range.selectNodeContents(value);
        const box = range.getBoundingClientRect();
        return [value.textContent, [
            Math.round(box.height / line), box.right <= tile.getBoundingClientRect().right,
        ]];
    })
)"""


@pytest.mark.parametrize("energy", [12_345_678, 1_234_567_890])
def test_on_a_phone_the_unit_stands_beside_its_number(
    energy: int, visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    """The overview said 12,345.678 and below that kWh."""
    charger.transactions.create(
        connector=1,
        started_at=timezone.now(),
        stopped_at=timezone.now(),
        state="stopped",
        meter_start=0,
        meter_stop=energy,
        energy=energy,
        confidence="high",
    )
    list(count_all(timezone.now()))
    page = visit(PHONE).go("/admin/")
    page.wait_for_selector(".lv-tile")
    found = page.evaluate(ON_ONE_LINE)
    assert f"{energy / 1000:,.3f} kWh" in found
    assert set(map(tuple, found.values())) == {(1, True)}


LABELS = """() => [...document.querySelectorAll("#result_list tbody [data-label]")].map(cell => {
    const shown = getComputedStyle(cell, "::before");
    return [shown.content.replaceAll('"', ""), shown.textTransform];
})"""


def test_on_a_phone_a_cell_says_its_column_as_a_sentence_begins(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    """It said "Select Record" for the time, and Had A Capital On Each Word."""
    ConnectionEvent.objects.create(
        charge_point=charger,
        identity=charger.identity,
        connection=uuid4(),
        kind=ConnectionEvent.Kind.values[0],
        at=timezone.now(),
    )
    page = visit(PHONE).go("/admin/ocpp/connectionevent/")
    page.wait_for_selector("#result_list tbody tr")
    found = page.evaluate(LABELS)
    assert found
    assert {transform for _, transform in found} == {"none"}
    assert all(text[:1].isupper() and "elect record" not in text for text, _ in found)


def test_on_a_phone_the_map_of_use_has_all_hours_of_a_day(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    """Twelve of the 24 were in sight."""
    now = timezone.now()
    charger.transactions.create(
        connector=1,
        started_at=now - timedelta(hours=3),
        stopped_at=now - timedelta(hours=1),
        state="stopped",
        meter_start=0,
        meter_stop=9_000,
        energy=9_000,
        confidence="high",
    )
    list(count_all(now))
    page = visit(PHONE).go("/admin/")
    page.wait_for_selector(".lv-heat tbody td")
    edges = page.evaluate(
        "[...document.querySelectorAll('.lv-heat tbody tr:first-child td')]"
        ".map((cell) => cell.getBoundingClientRect().right)"
    )
    assert len(edges) == 24
    assert max(edges) <= PHONE["width"]
