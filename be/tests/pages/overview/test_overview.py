"""The overview: bays, sums and plots, each for those who may see what it is made of."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from levity.ocpp.models import (
    ChargePoint,
    ConnectionEvent,
    Connector,
    IdTag,
    RefusedHandshake,
    SessionHour,
    Site,
    Transaction,
)
from levity.ocpp.store.hours import count_all
from levity.pages.overview import energy, kept
from levity.pages.overview.bays import Bay, bays
from tests.ocpp.decisions.people import limited_to

pytestmark = pytest.mark.django_db


def charging(name: str, site: Site | None = None, wh: int = 12_340, **other: Any) -> Transaction:
    """A session that has run for two hours, on a charge point that is connected."""
    charger = ChargePoint.objects.create(
        identity=name, site=site, connection=uuid4(), connected_at=timezone.now()
    )
    usual = {
        "energy": Decimal(wh),
        "power": Decimal(11_040),
        "meter_start": 0,
        "started_at": timezone.now() - timedelta(hours=2),
    }
    session = Transaction.objects.create(
        charge_point=charger,
        connector=1,
        id_tag=f"TAG-{name}",
        **{**usual, **other},
    )
    Connector.objects.create(charge_point=charger, number=1, status="Charging", transaction=session)
    return session


def text_of(browser: Client, address: str = "/admin/", headers: Any = None) -> str:
    return " ".join(browser.get(address, headers=headers).content.decode().split())


def bay_of(user: Any) -> Bay:
    [found] = bays(user)
    return found


def test_a_bay_says_its_state_in_words_and_what_it_charges_for_whom(root: User) -> None:
    session = charging("CP1")
    IdTag.objects.create(id_tag="tag-cp1", owner="Anna Berg")
    bay = bay_of(root)
    assert (bay.name, bay.word, bay.tone, bay.kw, bay.kwh, bay.who, bay.since) == (
        *("CP1", "Charging", "busy", "11.0 kW", "12.34 kWh", "Anna Berg"),
        session.started_at,
    )


@pytest.mark.parametrize(
    ("status", "error", "more", "word", "tone"),
    [
        ("Available", "NoError", {}, "Free", "good"),
        ("SuspendedEV", "NoError", {}, "Car takes nothing", "wait"),
        ("Faulted", "ConnectorLockFailure", {}, "Fault", "bad"),
        ("Charging", "GroundFailure", {}, "Fault", "bad"),
        ("Dozing", "", {}, "Dozing", "plain"),
        ("", "", {}, "Unknown", "plain"),
        ("Charging", "NoError", {"connection": None}, "Offline", "off"),
        ("Charging", "NoError", {"silent_since": timezone.now()}, "Silent", "warn"),
    ],
)
def test_the_word_and_the_colour_of_a_bay(
    status: str, error: str, more: dict[str, Any], word: str, tone: str, root: User
) -> None:
    charger = ChargePoint.objects.create(**{"identity": "CP1", "connection": uuid4(), **more})
    Connector.objects.create(charge_point=charger, number=1, status=status, error_code=error)
    assert (bay_of(root).word, bay_of(root).tone) == (word, tone)


def test_bays_stand_in_the_order_in_which_people_count(root: User) -> None:
    for name in ("Bay 10", "bay 9", "Bay 9b", "A"):
        ChargePoint.objects.create(identity=name)
    assert [bay.name for bay in bays(root)] == ["A", "bay 9", "Bay 9b", "Bay 10"]


def test_sums_are_those_of_the_hours_and_of_what_runs_since(browser_of_root: Client) -> None:
    """A session that runs is counted up to now, though its hours are not."""
    month = timezone.localtime().replace(day=1, hour=12, minute=0, second=0, microsecond=0)
    before = month - timedelta(days=20)
    ended: dict[str, Any] = {
        "state": "stopped",
        "started_at": before,
        "stopped_at": before + timedelta(hours=2),
    }
    charging("CP1", wh=7_000, **{**ended, "meter_stop": 7_000})
    list(count_all(timezone.now()))
    charging("CP2", wh=1_500)
    page = text_of(browser_of_root)
    for title, value in (
        ("Energy today", "1.500 kWh"),
        ("Energy this month", "1.500 kWh"),
        ("Energy last month", "7.000 kWh"),
    ):
        assert value in page.partition(title)[2][:200]


def test_a_day_begins_at_midnight_of_the_site(root: User) -> None:
    """At 23:30 UTC it is the next day in Berlin, and still the same in Montreal."""
    session = charging("CP1", state="stopped")
    late = timezone.now().replace(hour=23, minute=0, second=0, microsecond=0) - timedelta(days=3)
    SessionHour.objects.create(
        transaction=session,
        charge_point=session.charge_point,
        hour=late,
        wh=500,
        seconds=1800,
        counted_at=late,
    )
    days = []
    for zone in ("Europe/Berlin", "America/Toronto"):
        site, _ = Site.objects.get_or_create(name="Elm Court")
        Site.objects.update(time_zone=zone)
        ChargePoint.objects.update(site=site)
        kept.forget()
        found = energy.energy_of(root, timezone.now(), energy.zone_of_sites(root))
        days += [day for day, wh in found.days().items() if wh == 500]
    assert days == [late.date() + timedelta(days=1), late.date()]


def test_someone_limited_to_a_site_sees_nothing_of_another(client: Client) -> None:
    mine, other = Site.objects.create(name="Mine"), Site.objects.create(name="Other")
    charging("CP-MINE", mine, wh=2_000)
    hidden = charging("CP-OTHER", other, wh=5_000)
    ConnectionEvent.objects.create(
        charge_point=hidden.charge_point,
        identity="CP-OTHER",
        connection=uuid4(),
        kind="disconnected",
        at=timezone.now() - timedelta(hours=1),
    )
    client.force_login(limited_to(mine))
    addresses = ["/admin/", "/admin/?part=plots", *(f"/admin/?csv={name}" for name in CSV)]
    for address in addresses:
        answer = client.get(address)
        text = b"".join(answer) if answer.streaming else answer.content
        assert b"CP-OTHER" not in text
        assert b"5.000" not in text
    assert "2.000 kWh" in text_of(client)


CSV = ("power", "days", "use", "trouble")


@pytest.mark.parametrize("name", CSV)
def test_each_plot_is_a_file_as_well(name: str, browser_of_root: Client) -> None:
    charging("=cmd")
    answer = browser_of_root.get("/admin/", {"csv": name})
    lines = b"".join(answer).decode().splitlines()
    assert answer["Content-Type"].startswith("text/csv")
    assert len(lines) == {"power": 25, "days": 32, "use": 8, "trouble": 1}[name]
    assert browser_of_root.get("/admin/", {"csv": "nonsense"}).status_code == 404


def test_a_renewal_is_small_and_asks_a_fixed_number_of_times(browser_of_root: Client) -> None:
    """100 chargers, all of them changed: at most 30 kB even where nothing is compressed."""
    asks = {"X-Levity-Live": "p.lv-dashboard:none"}
    charging("CP0")
    text_of(browser_of_root, headers=asks)
    with CaptureQueriesContext(connection) as few:
        text_of(browser_of_root, headers=asks)
    for number in range(1, 100):
        charging(f"CP{number}")
    with CaptureQueriesContext(connection) as many:
        answer = browser_of_root.get("/admin/", headers=asks)
    assert len(answer.content) <= 30_000
    assert len(many) == len(few) <= 12
    assert b"data-plot" not in answer.content


def test_the_plots_come_after_the_page_and_ask_a_fixed_number_of_times(
    browser_of_root: Client,
) -> None:
    charging("CP0")
    list(count_all(timezone.now()))
    page = text_of(browser_of_root)
    assert "data-plot" not in page
    assert page.count("Loading…") == 4
    text_of(browser_of_root, "/admin/?part=plots")
    kept.forget()
    with CaptureQueriesContext(connection) as few:
        plots = text_of(browser_of_root, "/admin/?part=plots")
    assert "Loading…" not in plots
    assert plots.count("<canvas") == 2
    assert "<h2>Faults and lost connections</h2>" in plots
    for number in range(1, 60):
        charging(f"CP{number}")
    list(count_all(timezone.now()))
    kept.forget()
    with CaptureQueriesContext(connection) as many:
        text_of(browser_of_root, "/admin/?part=plots")
    assert len(many) == len(few) <= 10
    with CaptureQueriesContext(connection) as file:
        list(browser_of_root.get("/admin/", {"csv": "trouble"}))
    assert len(file) <= 7


def test_a_plot_of_which_nothing_is_known_says_so(browser_of_viewer: Client) -> None:
    page, plots = text_of(browser_of_viewer), text_of(browser_of_viewer, "/admin/?part=plots")
    assert 'class="lv-room"' not in page
    assert (plots.count("No energy yet."), plots.count("<p>None.</p>")) == (3, 1)


def test_a_wall_screen_has_no_menus(browser_of_root: Client) -> None:
    charging("CP1")
    page, wall = text_of(browser_of_root), text_of(browser_of_root, "/admin/?wall=1")
    assert 'id="nav-sidebar' in page
    assert "lv-wall" not in page
    assert 'id="nav-sidebar' not in wall
    assert "lv-wall" in wall
    assert "CP1" in wall


def test_an_empty_site_shows_where_to_enter_the_address_and_who_was_refused(
    browser_of_root: Client,
) -> None:
    now = timezone.now()
    RefusedHandshake.objects.create(
        identity="CP-NEW",
        address="192.0.2.7",
        reason="unknown",
        status=404,
        first_at=now,
        last_at=now,
    )
    page = text_of(browser_of_root)
    assert "QR code of ws://testserver:9000/ws/" in page
    assert "<dt>Grizzl-E</dt>" in page
    assert "CP-NEW 192.0.2.7" in page
    # And without a new page, as soon as it happens.
    assert "CP-NEW" in text_of(browser_of_root, headers={"X-Levity-Live": "p.lv-dashboard:none"})


def test_sessions_that_ask_something_of_who_bills_them_are_counted_with_a_link(
    browser_of_root: Client,
) -> None:
    ended: dict[str, Any] = {"state": "stopped", "started_at": timezone.now()}
    charging("CP1", **ended, confidence="high")
    charging("CP2", **ended, confidence="low")
    charging("CP3", **ended, flags="register-reset", confidence="low")
    page = text_of(browser_of_root)
    assert "<strong>2</strong> sessions to check before billing" in page
    address = page.partition("sessions to check")[0].rpartition('href="')[2].partition('"')[0]
    listed = text_of(browser_of_root, address.replace("&amp;", "&"))
    assert "TAG-CP2" in listed
    assert "TAG-CP3" in listed
    assert "TAG-CP1" not in listed
