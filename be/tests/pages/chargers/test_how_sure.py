"""A session's page says what its figure was held against, in words, and what changed it since."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from levity.ocpp.models import ChargePoint, SessionRepair, Site, Transaction
from levity.ocpp.rules.checks import KINDS, VERDICTS
from levity.pages.chargers import how_sure
from tests.ocpp.ledger_chargers import Charger, at

START = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


def session(charger: ChargePoint, hours: float = 0, **values: object) -> Transaction:
    began = START + timedelta(hours=hours)
    fields: dict[str, object] = {
        "charge_point": charger,
        "connector": 1,
        "id_tag": "TAG",
        "started_at": began,
        "start_received_at": began,
        "stopped_at": began + timedelta(minutes=30),
        "meter_start": Decimal(1000 + int(hours)),
        "energy": Decimal(5000),
        "energy_source": "registers",
        "confidence": "medium",
        "state": "stopped",
    }
    return Transaction.objects.create(**{**fields, **values})


def section(client: Client, item: Transaction) -> str:
    """Its section as HTML."""
    page = client.get(f"/admin/ocpp/transaction/{item.pk}/change/").content.decode()
    return page.partition('id="lv-sure">')[2].partition("</section>")[0]


def words(client: Client, item: Transaction) -> str:
    return " ".join(strip_tags(section(client, item)).split())


def test_each_check_is_told_with_its_verdict_in_words(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    checks = [
        ["start-stop", "agrees", "the register rose by 5,000 Wh"],
        ["samples", "missing", ""],
        ["power", "contradicts", "power x time says 11,800 Wh"],
        ["limit", "bounds", "at most 21,500 Wh"],
        ["clock", "silent", ""],
        ["weather", "unheard-of", "<b>"],
        ["broken"],
    ]
    own = ["6000.000", "registers", "high"]
    item = session(charger, checks=json.dumps({"own": own, "checks": checks}))
    told = words(browser_of_root, item)
    assert told.startswith(
        "How sure is this figure 5.000 kWh from registers, medium confidence. Before billing: "
        "harmless On its own, the session comes to 6.000 kWh from registers, high confidence."
    )
    assert "Meter at start and stop agrees the register rose by 5,000 Wh" in told
    assert "Meter values is missing \N{EN DASH}" in told
    assert "Power and time contradicts power x time says 11,800 Wh" in told
    assert "Most that the connector can deliver only a bound at most 21,500 Wh" in told
    assert "The charger&#x27;s clock says nothing \N{EN DASH}" in told
    assert "Weather unheard-of &lt;b&gt;" in told
    assert '<span class="lv-badge lv-bad">contradicts</span>' in section(browser_of_root, item)


def test_times_in_the_facts_are_those_of_the_site(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    charger.site = Site.objects.create(name="Garage", time_zone="Europe/Berlin")
    charger.save()
    facts = "2 meter values show 6,000 Wh until 2026-11-10 23:30 UTC"
    checks = [["samples", "agrees", facts], ["clock", "agrees", "9999-99-99 99:99 UTC"]]
    told = words(browser_of_root, session(charger, checks=json.dumps({"checks": checks})))
    assert "2 meter values show 6,000 Wh until 2026-11-11 00:30 CET" in told
    assert "9999-99-99 99:99 UTC" in told


def test_nothing_is_to_be_billed_while_it_runs(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    told = words(browser_of_root, session(charger, state="active", stopped_at=None))
    assert "The session is running." in told
    assert "Before billing" not in told


def test_a_figure_that_a_person_set_is_called_so(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    told = words(browser_of_root, session(charger, energy_source="corrected"))
    assert "5.000 kWh, set by a person, medium confidence. Before billing: harmless" in told
    assert "A person set this figure, so it has no checks of its own." in told


def test_every_kind_and_verdict_has_words() -> None:
    assert set(KINDS) <= set(how_sure.KINDS)
    assert set(VERDICTS) == set(how_sure.VERDICTS)


@pytest.mark.parametrize(
    "checks", ["", "no JSON", "[1]", '{"own": 5, "checks": "x"}', '{"own":[]}']
)
def test_a_session_without_checks_says_so(
    checks: str, charger: ChargePoint, browser_of_root: Client
) -> None:
    old = session(charger, checks=checks)
    assert "No checks of its own are recorded for this session" in words(browser_of_root, old)
    running = session(charger, 9, state="active", stopped_at=None, checks=checks)
    assert "The session is running. Its figure is checked when it ends." in words(
        browser_of_root, running
    )


def test_what_came_to_by_itself_is_told_only_where_it_differs(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    # "5000" is the same energy as 5000.000; the fourth is the meter at the stop.
    said = {"own": ["5000", "registers", "medium", "6000"], "checks": []}
    item = session(charger, checks=json.dumps(said))
    assert "By itself" not in words(browser_of_root, item)
    said["own"] = ["what", "registers", "medium"]
    item = session(charger, 2, checks=json.dumps(said))
    assert "By itself" not in words(browser_of_root, item)


def test_flags_come_with_their_class_and_the_trail_with_its_reasons(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    item = session(charger, flags="orphaned own-id:4711", confidence="low")
    SessionRepair.objects.create(
        transaction=item,
        at=START + timedelta(days=1),
        reason="The next start shows 500 Wh <more>.",
        old_energy=Decimal(4500),
        new_energy=Decimal(5000),
        old_confidence="medium",
        new_confidence="low",
    )
    told = words(browser_of_root, item)
    assert "Before billing: look" in told
    assert "Flags look orphaned No stop arrived" in told
    assert "harmless own-id:4711 The charger uses this number" in told
    assert "2026-11-21 08:00:00 CET 4.500 kWh → 5.000 kWh medium → low" in told
    assert "The next start shows 500 Wh &lt;more&gt;." in told


def test_it_leads_to_the_sessions_beside_it_on_its_connector(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    other = ChargePoint.objects.create(identity="OTHER")
    before, item, after = (session(charger, hours) for hours in (1, 2, 3))
    session(charger, 1.5, connector=2)
    session(other, 1.5)
    at_once = session(charger, 2, id_tag="ELSE")
    assert f"Session before: #{before.pk} " in words(browser_of_root, item)
    assert f"Session after: #{at_once.pk} " in words(browser_of_root, item)
    assert f"Session before: #{item.pk} " in words(browser_of_root, at_once)
    assert f"Session after: #{after.pk} " in words(browser_of_root, at_once)
    assert f'href="/admin/ocpp/transaction/{after.pk}/change/"' in section(browser_of_root, at_once)
    told = words(browser_of_root, session(charger, 4, connector=None))
    assert "Session before" not in told
    assert "Session after" not in told


def test_its_neighbours_say_whether_they_agree(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    """Looked up: the one after came later."""
    first = session(charger, 1, meter_start=1_000, meter_stop=6_000)
    second = session(charger, 2, meter_start=6_000, meter_stop=11_000)
    third = session(charger, 3, meter_start=11_500, meter_stop=16_500)
    assert "Session after on the connector agrees" in words(browser_of_root, first)
    told = words(browser_of_root, second)
    assert "Session before on the connector agrees" in told
    assert "Session after on the connector only a bound 500 Wh in between belong" in told
    assert "Session before on the connector only a bound" in words(browser_of_root, third)
    # A trail that can't be read says nothing; the registers at start and stop still do.
    Transaction.objects.update(lives="of another release")
    assert "Session before on the connector agrees" in words(browser_of_root, second)


def test_a_long_trail_costs_no_more_statements(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    item = session(charger)
    browser_of_root.get(f"/admin/ocpp/transaction/{item.pk}/change/")
    counts = []
    for more in (0, 50):
        for number in range(more):
            SessionRepair.objects.create(transaction=item, reason=f"reason {number}")
            session(charger, 10 + number)
        with CaptureQueriesContext(connection) as queries:
            told = words(browser_of_root, item)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert told.count("reason") == how_sure.TRAIL


def test_what_the_pipeline_recorded_is_told(browser_of_root: Client) -> None:
    """From the messages of a charger to the words on the page."""
    speaker = Charger()
    first = speaker.started(meter=1_000)
    speaker.stop(first, at(30), 3_000)
    speaker.started(at(40), meter=3_000)
    told = words(browser_of_root, Transaction.objects.get(pk=first))
    assert "Meter at start and stop agrees meterStop - meterStart is 2,000 Wh" in told
    assert "Meter values says nothing no meter value reports the register" in told
    assert "The charger&#x27;s clock agrees it lasted 0 h 30 min" in told
    assert "Session after on the connector agrees" in told
    assert "No checks of its own" not in told
