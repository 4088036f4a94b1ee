"""Reports add up what the sessions of their days say, and nothing else."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from levity.billing.models import TariffUse
from levity.billing.reports.making import NAMES, lines_of, make_report
from levity.billing.reports.span import BadSpan, Span, span_of
from levity.billing.settling import settle
from levity.billing.tariffs import add_tariff
from levity.ocpp.models import ChargePoint, IdTag, Site, Transaction
from tests.billing.statements.conftest import household
from tests.billing.test_used import session

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30), BERLIN)
BEGIN = datetime(2026, 10, 31, 23, tzinfo=UTC)
TARIFF = {"time_zone": "Europe/Berlin", "vat_percent": "19", "energy": [{"price_per_kwh": "0.40"}]}


@pytest.fixture
def site():
    return Site.objects.create(name="Garage", time_zone="Europe/Berlin")


@pytest.fixture
def charger(site):
    return ChargePoint.objects.create(identity="garage-1", name="Left", site=site)


def over(charger, started_at, wh=5000, hours=1, **values):
    stopped_at = started_at + timedelta(hours=hours)
    return session(charger, started_at, wh, stopped_at=stopped_at, **values)


def cells(name, span=NOVEMBER):
    return [list(row) for row in make_report(name, span, None).rows]


def test_a_month_by_charger_tag_and_month_begins_at_the_midnight_of_the_zone(charger, site):
    other = ChargePoint.objects.create(identity="=street", site=site)
    IdTag.objects.create(id_tag="04aa", owner="Anna")
    over(charger, BEGIN - timedelta(seconds=1))
    over(charger, BEGIN, 5000, hours=1)
    over(charger, BEGIN + timedelta(days=3), 2500, hours=2, tag="04aa")
    over(other, BEGIN + timedelta(days=29), 1000, hours=-3, tag="")
    over(other, BEGIN + timedelta(days=30))
    assert cells("charger") == [
        ["garage-1", "Left", "Garage", "2", "7.500", "3.00"],
        ["=street", "", "Garage", "1", "1.000", "0.00"],
    ]
    assert cells("tag") == [
        ["04AA", "Anna", "2", "7.500", "3.00"],
        ["unknown payer", "", "1", "1.000", "0.00"],
    ]
    year = Span(date(2026, 1, 1), date(2026, 12, 31), BERLIN)
    assert cells("month", year) == [
        ["2026-10", "1", "5.000", "1.00"],
        ["2026-11", "3", "8.500", "3.00"],
        ["2026-12", "1", "5.000", "1.00"],
    ]
    assert make_report("month", year, None).total == ("All", "5", "18.500", "5.00")


def test_what_cannot_be_true_is_no_energy_and_a_demo_that_is_over_is_no_session(charger, site):
    over(charger, BEGIN, 900_000, flags="implausible-energy")
    over(charger, BEGIN + timedelta(days=1), None)
    demo = ChargePoint.objects.create(identity="DEMO-01", site=site, retired_at=BEGIN)
    over(demo, BEGIN)
    assert cells("charger") == [["garage-1", "Left", "Garage", "2", "0.000", "2.00"]]


def test_amounts_are_those_of_priced_sessions_and_a_decision_about_who_pays_counts(charger, site):
    tariff = add_tariff("Garage", TARIFF, BEGIN, None)
    TariffUse.objects.create(tariff=tariff)
    household(site, "Anna", "04AA")
    household(site, "Bob", "04BB")
    keys = [
        over(charger, BEGIN, 5000).pk,
        over(charger, BEGIN + timedelta(days=1), 2500).pk,
        # It waits for a look, so it has no amount.
        over(charger, BEGIN + timedelta(days=2), 1000, flags="orphaned").pk,
        over(charger, BEGIN + timedelta(days=3), 3000, tag="04BB").pk,
        over(charger, BEGIN + timedelta(days=4), 100, tag="04CC").pk,
    ]
    with transaction.atomic():
        settle(keys)
    report = make_report("resident", NOVEMBER, None)
    assert report.head[-1] == "amount (EUR, without tax)"
    assert [list(row) for row in report.rows] == [
        ["Anna", "", "3", "8.500", "3.00", "3.00"],
        ["Bob", "", "1", "3.000", "1.00", "1.20"],
        ["(nobody's)", "", "1", "0.100", "1.00", ""],
    ]
    assert cells("charger") == [["garage-1", "Left", "Garage", "5", "11.600", "5.00", "4.20"]]


def test_all_reports_of_the_same_days_have_the_same_energy_in_few_statements(charger, site):
    for number in range(30):
        other = ChargePoint.objects.create(identity=f"c-{number}", site=site)
        for day in range(3):
            began = BEGIN + timedelta(days=day * 9, hours=number)
            over(other, began, 100 + number, tag=f"04{number}")
    sums = set()
    for name in ("charger", "resident", "tag", "month"):
        with CaptureQueriesContext(connection) as queries:
            report = make_report(name, NOVEMBER, None)
        assert len(queries) <= 3, name
        at = report.head.index("energy (kWh)")
        sums.add(sum((Decimal(row[at]) for row in report.rows), Decimal()))
    counted = Transaction.objects.values_list("energy", flat=True)
    assert sums == {sum(counted, Decimal()) / 1000}


def test_the_command_line_has_whole_days_and_texts_that_are_no_formulas(charger, site):
    other = ChargePoint.objects.create(identity="=street", site=site)
    over(other, BEGIN)
    rows = list(lines_of("charger", NOVEMBER.since, NOVEMBER.until, BERLIN))
    assert [row[0] for row in rows] == ["charge point", "'=street"]
    for name in NAMES:
        head = next(lines_of(name, NOVEMBER.since, NOVEMBER.until, BERLIN))
        assert len(set(head)) == len(head)
    with pytest.raises(BadSpan, match="whole days"):
        list(lines_of("charger", NOVEMBER.since + timedelta(hours=1), NOVEMBER.until, BERLIN))


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-12-01", "2026-11-01", "is before"),
        ("2020-01-01", "2026-11-01", "more than"),
        ("November", None, "is no day"),
        ("0001-01-01", None, "outside of the calendar"),
    ],
)
def test_days_that_make_no_sense_are_refused(first, last, said):
    with pytest.raises(BadSpan, match=said):
        span_of(first, last, BERLIN, date(2026, 11, 20))


@pytest.mark.parametrize(
    ("first", "last", "meant"),
    [
        (None, "", (date(2026, 2, 1), date(2026, 2, 28))),
        ("2026-01-31", None, (date(2026, 1, 31), date(2026, 1, 31))),
        (None, "2026-03-15", (date(2026, 3, 1), date(2026, 3, 15))),
    ],
)
def test_a_day_that_is_left_out_is_the_months(first, last, meant):
    span = span_of(first, last, BERLIN, date(2026, 2, 14))
    assert (span.first, span.last) == meant
