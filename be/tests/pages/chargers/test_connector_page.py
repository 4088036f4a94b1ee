"""The page of a connector: its chain, drawn and listed, for who may see it."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import QueryDict, StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from levity.accounts.models import Account
from levity.ocpp.models import ChargePoint, Connector, Site
from levity.ocpp.rules.chain.unassigned import Point
from levity.ocpp.rules.lives import NO_TRAIL, follow, written
from levity.ocpp.rules.readings import Reading
from levity.pages.chargers import chain as chains
from levity.pages.chargers.chain import Chain, chain_of
from levity.pages.chargers.chain_chart import NARROW, WIDE, bands_of, draw_chain
from levity.pages.kit.periods import Period, period_of
from tests.chains import DAY, a_chain, sample, session

WEEK = {"period": "7", "day": "2026-11-30"}
NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@pytest.fixture
def connector(charger: ChargePoint) -> Connector:
    return charger.connectors.get()


# Hours after DAY, and the register in Wh.
SHOWN = ((2, 3_000), (2.5, 5_000), (3, 7_000), (3.5, 0), (4, 2_000))


def address(connector: Connector) -> str:
    return f"/admin/ocpp/connector/{connector.pk}/change/"


def week(connector: Connector) -> tuple[Chain, Period]:
    zone = timezone.get_default_timezone()
    query = QueryDict(mutable=True)
    query.update(WEEK)
    period = period_of(query, zone, NOW)
    return chain_of(connector, period, NOW), period


def words(client: Client, connector: Connector, **query: str) -> str:
    page = client.get(address(connector), query or WEEK).content.decode()
    return " ".join(strip_tags(page.partition('id="content-main"')[2] or page).split())


def test_the_chain_has_sessions_gaps_overlaps_and_breaks(charger: ChargePoint) -> None:
    connector = a_chain(charger)
    chain, _ = week(connector)
    assert len(chain.sessions) == 8
    first, _, third, fourth, _, sixth, _, running = chain.sessions
    assert (first.low, first.high) == (4_210_000, 4_232_000)
    assert [(gap.wh_from, gap.wh_until) for gap in chain.gaps] == [
        (4_249_500, 4_252_700),
        (4_298_000, 4_299_000),
    ]
    assert [(each.first, each.second, each.wh) for each in chain.overlaps] == [
        (third, fourth, 14_000)
    ]
    assert [each.item.pk for each in chain.sessions if each.anew] == [sixth.item.pk]
    assert (running.until, running.high) == (NOW, 58_000)
    assert len(chain.samples) == 9


def test_the_same_values_of_a_register_that_begins_anew_are_no_overlap(
    connector: Connector,
) -> None:
    """Grizzl-E: each session counts from 0."""
    session(connector, 1, 2, meter_start=0, meter_stop=40_330)
    session(connector, 5, 1, meter_start=0, meter_stop=640)
    session(connector, 8, 1, meter_start=300, meter_stop=900)
    chain, _ = week(connector)
    assert (chain.overlaps, chain.gaps) == ((), ())
    assert [each.anew for each in chain.sessions] == [False, True, True]


def test_a_session_that_began_before_the_first_day_is_drawn(connector: Connector) -> None:
    session(connector, -30, 10, meter_start=0, meter_stop=5_000)
    over = session(connector, -5, 10, meter_start=5_000, meter_stop=9_000)
    chain, period = week(connector)
    assert [each.item.pk for each in chain.sessions] == [over.pk]
    [drawn] = draw_chain(chain, period, WIDE).sessions
    assert float(drawn.lane.x) >= float(draw_chain(chain, period, WIDE).plot.x)


def test_a_clock_that_was_never_set_is_drawn_when_we_heard_of_it(connector: Connector) -> None:
    item = session(connector, 24, 2, meter_start=0, meter_stop=5_000, flags="start-clock-unset")
    item.started_at = datetime(1970, 1, 1, tzinfo=UTC)
    item.stopped_at = datetime(1970, 1, 1, 2, tzinfo=UTC)
    item.save()
    [each] = week(connector)[0].sessions
    assert (each.since, each.until) == (item.start_received_at, item.stop_received_at)


def test_samples_in_a_session_show_how_its_register_rose(connector: Connector) -> None:
    """From what is kept with the session: no sample is read again."""
    shown = [Reading(DAY + timedelta(hours=hours), Decimal(wh)) for hours, wh in SHOWN]
    trail = NO_TRAIL
    for reading in shown:
        trail = follow(trail, [reading], reading.at, 22_000)
    lives = written(trail)
    session(connector, 1, 5, meter_start=1_000, meter_stop=9_000, lives=lives)
    session(connector, 10, 1, meter_start=9_000, meter_stop=9_100, lives="of another release")
    first, second = week(connector)[0].sessions
    assert [[point.wh for point in piece] for piece in first.pieces] == [
        [1_000, 3_000, 7_000],
        # The meter began anew.
        [0, 2_000, 9_000],
    ]
    assert [len(piece) for piece in second.pieces] == [2]


def test_values_far_from_each_other_get_an_axis_of_several_bands() -> None:
    near = [(Decimal(0), Decimal(40_000)), (Decimal(41_000), Decimal(60_000))]
    [band] = bands_of(near, WIDE)
    assert band.low == 0
    assert [text for _, text in band.ticks] == [
        "0 kWh",
        "10 kWh",
        "20 kWh",
        "30 kWh",
        "40 kWh",
        "50 kWh",
        "60 kWh",
    ]
    far = [*near, (Decimal(4_210_000), Decimal(4_250_000))]
    top, bottom = bands_of(far, NARROW)
    assert (bottom.low, bottom.high < 70_000 < 4_000_000 < top.low) == (0, True)
    assert bottom.top > top.bottom
    assert bands_of([], WIDE) == ()
    [flat] = bands_of([(Decimal(5), Decimal(5))], WIDE)
    assert flat.low < 5 < flat.high
    assert (
        len(bands_of([(Decimal(each), Decimal(each)) for each in range(0, 10**9, 10**8)], WIDE))
        == 4
    )


def test_the_drawing_stays_small_whatever_there_is(connector: Connector) -> None:
    _, period = week(connector)
    step = timedelta(seconds=30)
    many = tuple(Point(DAY + step * n, Decimal(1_000_000 + n)) for n in range(19_000))
    drawing = draw_chain(Chain((), (), (), many), period, WIDE)
    assert 300 < drawing.samples.count("M") < 700


def test_a_page_shows_a_bounded_number_and_says_so(
    connector: Connector, browser_of_root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        session(connector, number * 3, 1, meter_start=number, meter_stop=number)
        sample(connector, number * 3 + 2, number)
    assert "There is more than one page can show" not in words(browser_of_root, connector)
    monkeypatch.setattr(chains, "SESSIONS", 3)
    chain, _ = week(connector)
    assert (len(chain.sessions), chain.is_cut) == (3, True)
    monkeypatch.setattr(chains, "SESSIONS", 10)
    monkeypatch.setattr(chains, "SAMPLES", 3)
    chain, _ = week(connector)
    assert (len(chain.samples), chain.is_cut) == (3, True)
    assert "There is more than one page can show" in words(browser_of_root, connector)


def test_the_page_tells_the_chain_and_leads_to_sessions_and_days(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    connector = a_chain(charger)
    page = browser_of_root.get(address(connector), WEEK).content.decode()
    told = " ".join(strip_tags(page.replace("><", "> <")).split())
    assert "Connector 1, 24 to 30 November 2026" in told
    assert "Unassigned: in no session 4.200 kWh In two sessions 14.000 kWh" in told
    assert "samples outside sessions: 4,249,500 to 4,252,700 Wh" in told
    assert "the register begins anew" in told
    pk = charger.transactions.earliest("pk").pk
    # In both drawings, and in the table.
    assert page.count(f'href="/admin/ocpp/transaction/{pk}/change/"') == 3
    assert (
        f'aria-label="#{pk}, 2026-11-24 08:00:00 CET to 2026-11-24 11:00:00 CET, 22.000 kWh' in page
    )
    assert 'href="?period=7&amp;day=2026-11-23"' in page
    assert 'href="?period=month&amp;day=2026-11-30"' in page


def test_days_without_anything_say_so(connector: Connector, browser_of_root: Client) -> None:
    told = words(browser_of_root, connector)
    assert "No sessions in these days, and no unassigned energy." in told
    assert "Export as CSV" in told
    for query in ({"period": "x", "day": "y"}, {"day": "9999-12-31"}, {"day": "0001-01-01"}):
        assert browser_of_root.get(address(connector), query).status_code == 200


def test_the_table_says_why_a_session_asks_to_be_looked_at(
    connector: Connector, browser_of_root: Client
) -> None:
    session(connector, 1, 2, meter_start=0, meter_stop=5_000, flags="orphaned ends-at-next-start")
    session(connector, 5, 2, meter_start=5_000, meter_stop=9_000, flags="made-by-hand")
    page = browser_of_root.get(address(connector), WEEK).content.decode()
    # Whole words: a flag must not break at its hyphens.
    orphaned, ends = (
        f'<span class="lv-word">{word}</span>' for word in ("orphaned,", "ends-at-next-start")
    )
    assert f'<td data-label="Note">{orphaned} {ends}</td>' in page
    assert "made-by-hand" not in page


def test_the_csv_has_the_same_rows(charger: ChargePoint, browser_of_root: Client) -> None:
    connector = a_chain(charger)
    charger.transactions.filter(id_tag="BOB").update(id_tag="=BOB()")
    answer = browser_of_root.get(f"/admin/ocpp/connector/{connector.pk}/chain/", WEEK)
    assert isinstance(answer, StreamingHttpResponse)
    text = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]  # not async here
    header, *lines = csv.reader(text.splitlines())
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    assert [row["kind"] for row in rows].count("session") == 8
    gap = next(row for row in rows if row["kind"] == "unassigned")
    assert (gap["register from (Wh)"], gap["register moved (Wh)"]) == ("4249500.000", "3200.000")
    assert (gap["from (UTC)"], gap["from (local)"]) == (
        "2026-11-24 22:00:00",
        "2026-11-24 23:00:00+01:00",
    )
    low = next(row for row in rows if row["confidence"] == "low")
    assert (low["id tag"], low["energy (kWh)"], low["before billing"]) == (
        "'=BOB()",
        "22.000",
        "look",
    )


def test_the_number_of_statements_does_not_grow(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    connector = a_chain(charger)
    browser_of_root.get(address(connector), WEEK)
    counts = []
    for more in (0, 40):
        for number in range(more):
            session(connector, number * 4, 1, meter_start=number, meter_stop=number + 1)
            sample(connector, number * 4 + 2, number)
        with CaptureQueriesContext(connection) as queries:
            browser_of_root.get(address(connector), WEEK)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15


def test_who_is_limited_to_other_sites_sees_nothing_of_it(
    charger: ChargePoint, viewer: User, browser_of_viewer: Client
) -> None:
    connector = a_chain(charger)
    export = f"/admin/ocpp/connector/{connector.pk}/chain/"
    assert browser_of_viewer.get(address(connector), WEEK).status_code == 200
    assert browser_of_viewer.get(export, WEEK).status_code == 200
    account = Account.objects.create(user=viewer, limited=True)
    account.sites.set([Site.objects.create(name="Elsewhere")])
    assert browser_of_viewer.get(address(connector), WEEK).status_code == 302
    assert browser_of_viewer.get(export, WEEK).status_code == 404
    account.sites.set([charger.site_id])
    assert browser_of_viewer.get(address(connector), WEEK).status_code == 200


def test_charge_points_and_sessions_lead_to_it(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    connector = a_chain(charger)
    page = browser_of_root.get(f"/admin/ocpp/chargepoint/{charger.pk}/change/").content.decode()
    assert f'href="{address(connector)}"' in page
    item = charger.transactions.earliest("pk")
    page = browser_of_root.get(f"/admin/ocpp/transaction/{item.pk}/change/").content.decode()
    assert f'href="{address(connector)}?day=2026-11-27"' in page
    assert "Chain of connector 1" in page
