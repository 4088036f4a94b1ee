"""Tariffs that are stored: versions, for whom each is, and what last year would have cost."""

import html
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from levity.billing.computing import price_document
from levity.billing.documents import TariffDocument
from levity.billing.models import Tariff, TariffUse
from levity.billing.replay import CHUNK, replay
from levity.billing.rules.curve import curve
from levity.billing.rules.pricing import changes_within, price
from levity.billing.rules.tariff import NoPrice
from levity.billing.rules.usage import Point, checked
from levity.billing.tariffs import add_tariff, add_version, checked_document
from levity.ocpp.deciding import NotAllowed
from levity.ocpp.models import AuditEntry, ChargePoint, Site, Transaction
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
NOVEMBER, DECEMBER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
DOCUMENT = {"time_zone": "Europe/Berlin", "energy": [{"price_per_kwh": "0.40"}]}
FORM = {
    "name": "Garage",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "vat_percent": "19",
    "price_per_kwh": "0.40",
    "begins": "2026-11-01T00:00",
}


def test_an_edit_is_a_new_version_and_the_old_one_stays():
    tariff = add_tariff("Garage", DOCUMENT, NOVEMBER, None)
    dearer = {**DOCUMENT, "energy": [{"price_per_kwh": "0.45"}]}
    add_version(tariff, dearer, DECEMBER, None, "electricity is dearer")
    said = [
        (each.number, each.begins, each.document["energy"][0]["price_per_kwh"])
        for each in tariff.versions.order_by("number")
    ]
    assert said == [(1, NOVEMBER, "0.40"), (2, DECEMBER, "0.45")]
    assert [entry.what for entry in AuditEntry.objects.order_by("pk")] == [
        "added",
        "version 1 added",
        "version 2 added",
    ]
    with pytest.raises(ValidationError, match="keeps its currency"):
        add_version(tariff, {**DOCUMENT, "currency": "CHF"}, DECEMBER, None)


def test_a_wrong_document_says_which_field():
    with pytest.raises(ValidationError, match=r"energy\.0\.price_per_kwh: .*greater than"):
        add_tariff("G", {**DOCUMENT, "energy": [{"price_per_kwh": "-1"}]}, NOVEMBER, None)
    with pytest.raises(ValidationError, match="holiday: Extra inputs"):
        add_tariff("G", {**DOCUMENT, "holiday": []}, NOVEMBER, None)
    assert not Tariff.objects.exists()


def test_who_may_not_changes_no_tariff(person):
    tariff = add_tariff("Garage", DOCUMENT, NOVEMBER, None)
    site = Site.objects.create(name="Here")
    for user in (person("op", "Operator"), person("limited", "Admin", sites=[site])):
        with pytest.raises(NotAllowed):
            add_version(tariff, DOCUMENT, DECEMBER, user)
        with pytest.raises(NotAllowed):
            add_tariff("Mine", DOCUMENT, NOVEMBER, user)


def test_one_tariff_at_a_time_is_for_one():
    tariff = add_tariff("Garage", DOCUMENT, NOVEMBER, None)
    site = Site.objects.create(name="Here")
    TariffUse.objects.create(tariff=tariff, site=site)
    with pytest.raises(ValidationError, match="There is a tariff for site Here at that time"):
        TariffUse(site=site, first_day=date(2027, 1, 1)).full_clean()
    with pytest.raises(ValidationError, match="Choose one of"):
        TariffUse(site=site, id_tag="04AA").full_clean()


def test_the_form_makes_a_tariff_and_then_a_version_of_it(browser, root):
    client = browser(root)
    assert client.get("/admin/billing/tariff/add/").status_code == 200
    wrong = client.post("/admin/billing/tariff/add/", FORM | {"band_1_price": "0.28"})
    assert "say when this price holds" in wrong.content.decode()
    band = {"band_1_price": "0.28", "band_1_from": "22:00", "band_1_to": "06:00"}
    page = client.post("/admin/billing/tariff/add/", FORM | band, follow=True).content.decode()
    assert "0.28 EUR/kWh, 0.40 EUR/kWh; 19 % VAT on top" in page
    row = Tariff.objects.get()
    version = f"/admin/billing/tariff/{row.pk}/version/"
    assert 'value="22:00"' in client.get(version).content.decode()
    client.post(version, {**FORM, "document": '{"time_zone": "UTC", "session_fee": {"price": 1}}'})
    assert row.versions.first().document["session_fee"] == {"price": "1"}
    broken = client.post(version, {**FORM, "document": "[1"}).content.decode()
    assert "this is no JSON" in broken
    assert client.get("/admin/billing/tariff/").status_code == 200
    assert client.get("/admin/billing/tariffuse/add/").status_code == 200


def sessions(count, first=0):
    charger, _ = ChargePoint.objects.get_or_create(identity="garage-1")
    for number in range(first, first + count):
        start = NOVEMBER + timedelta(days=1, hours=number)
        Transaction.objects.create(
            charge_point=charger,
            connector=1,
            id_tag=f"{number}",
            state="stopped",
            started_at=start,
            stopped_at=start + timedelta(minutes=30),
            meter_start=Decimal(5000 * number),
            energy=Decimal(5000),
        )


def test_a_replay_prices_a_month_in_a_fixed_number_of_statements():
    nightly = [{"price_per_kwh": "0.1", "from": "22:00", "to": "06:00"}, {"price_per_kwh": "0.4"}]
    document = {**DOCUMENT, "vat_percent": "19", "energy": nightly, "idle": {"price_per_minute": 1}}
    tariff = TariffDocument.model_validate(document).tariff()
    sessions(1)
    with CaptureQueriesContext(connection) as few:
        assert replay(tariff, NOVEMBER, DECEMBER).gross == Decimal("0.60")
    sessions(9, first=1)
    with CaptureQueriesContext(connection) as many:
        found = replay(tariff, NOVEMBER, DECEMBER)
    assert len(many) <= len(few)
    assert (found.sessions, found.wh, found.without_price) == (10, Decimal(50000), 0)


def test_what_has_no_price_is_counted_and_never_free():
    tariff = TariffDocument.model_validate(
        {**DOCUMENT, "energy": [{"price_per_kwh": "1", "from": "12:00", "to": "13:00"}]}
    ).tariff()
    sessions(2)
    found = replay(tariff, NOVEMBER, DECEMBER)
    assert (found.net, found.without_price) == (0, 2)


def test_a_replay_goes_on_month_by_month(browser, root):
    tariff = add_tariff("Garage", DOCUMENT, NOVEMBER, None)
    sessions(2)
    client = browser(root)
    page = f"/admin/billing/tariff/{tariff.pk}/replay/"
    assert "hx-get" in client.get(page).content.decode()
    month = client.get(f"{page}month/", {"month": "2020-01-01", "net": "1.50"}).content.decode()
    assert "month=2020-02-01" in month
    last = client.get(f"{page}month/", {"month": "2099-01-01", "net": "1.50"}).content.decode()
    assert "1.50 EUR" in last
    assert "hx-get" not in last
    assert client.get(f"{page}month/", {"month": "2026-10-01", "net": "NaN"}).status_code == 404


def test_a_month_that_takes_long_goes_on_where_it_was(browser, root, monkeypatch):
    tariff = add_tariff("Garage", DOCUMENT | {"vat_percent": "19"}, NOVEMBER, None)
    sessions(CHUNK + 10)
    monkeypatch.setattr("levity.billing.admin.replay.ENOUGH", -1)
    client = browser(root)
    address = f"/admin/billing/tariff/{tariff.pk}/replay/month/"
    page = client.get(address, {"month": "2026-11-01", "net": "1.50"}).content.decode()
    assert f">{CHUNK}<" in page
    more = html.unescape(page.partition(f"{address}?")[2].partition('"')[0])
    assert "net=1.50" in more
    last = client.get(f"{address}?{more}").content.decode()
    assert f">{CHUNK + 10}<" in last
    assert f">{2 * (CHUNK + 10)}.00 EUR<" in last
    assert f"net={2 * (CHUNK + 10)}.00" in html.unescape(last) or "hx-get" not in last
    for wrong in ("at=x", "at=2026-11-01,1&count=1&used=NaN&without=0", "at=2026-11-01T00:00Z,1"):
        assert client.get(f"{address}?month=2026-11-01&{wrong}").status_code == 404


def test_a_version_copies_the_holidays_of_its_calendar_and_waits_beyond_them(db):
    document = DOCUMENT | {
        "holiday_calendar": "DE-BY",
        "holidays": ["2026-12-31"],
        "energy": [{"price_per_kwh": "0.20", "holidays": True}, {"price_per_kwh": "0.40"}],
    }
    version = add_tariff(
        "Holidays", document, datetime(2026, 11, 1, tzinfo=UTC), None
    ).versions.get()
    days = version.document["holidays"]
    # Epiphany is one in Bavaria; New Year's Eve was given by hand.
    assert {"2026-01-06", "2026-12-25", "2026-12-31", "2036-12-26"} <= set(days)
    assert (min(days), max(days)) == ("2025-01-01", "2036-12-26")
    with pytest.raises(ValidationError, match="DE has no part XX"):
        checked_document(document | {"holiday_calendar": "DE-XX"})
    with pytest.raises(ValidationError, match="holiday_calendar"):
        checked_document(document | {"holiday_calendar": "Bavaria"})
    tariff = TariffDocument.model_validate(version.document).tariff()
    start = datetime(2037, 1, 1, 12, tzinfo=UTC)
    points = [Point(start, Decimal()), Point(start + timedelta(hours=1), Decimal(1000))]
    with pytest.raises(NoPrice, match="known to 2036-12-31 only"):
        price(tariff, checked(start, points[-1].at, points))


def test_a_price_that_is_only_asked_for_knows_the_holidays_too():
    document = DOCUMENT | {
        "holiday_calendar": "DE",
        "energy": [{"price_per_kwh": "0.20", "holidays": True}, {"price_per_kwh": "0.40"}],
    }
    session = {
        "start": "2026-12-25T12:00:00+01:00",
        "end": "2026-12-25T13:00:00+01:00",
        "energy_wh": "1000",
    }
    assert price_document(document, session)["lines"][0]["price"] == "0.2"


def test_the_first_tariff_holds_from_the_month_that_is_billed_next(browser, root):
    """It began today, and each session of the month to be billed waited for a price."""
    client = browser(root)
    today = timezone.localdate()
    first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    page = client.get("/admin/billing/tariff/add/").content.decode()
    assert f'value="{first}T00:00"' in page
    add_tariff("Garage", DOCUMENT, NOVEMBER, None)
    page = client.get("/admin/billing/tariff/add/").content.decode()
    assert f'value="{timezone.localdate()}T00:00"' in page


BANDED = {
    **DOCUMENT,
    "vat_percent": "19",
    "energy": [
        {"price_per_kwh": "0.1", "from": "22:00", "to": "06:00", "vat_percent": "7"},
        {"price_per_kwh": "0.4", "weekdays": ["mon", "tue", "wed", "thu", "fri"]},
        {"price_per_kwh": "0.3"},
    ],
}


@pytest.mark.parametrize("tariff_is", ["banded", "plain", "with tiers", "with an idle fee"])
def test_a_month_in_portions_is_the_month_at_once(tariff_is):
    document = {
        "banded": BANDED,
        "plain": DOCUMENT | {"tax_included": True},
        "with tiers": DOCUMENT
        | {
            "energy": [{"price_per_kwh": "1", "to_kwh": 20}, {"price_per_kwh": "2", "from_kwh": 20}]
        },
        "with an idle fee": BANDED | {"idle": {"price_per_minute": "0.01"}},
    }[tariff_is]
    tariff = TariffDocument.model_validate(document).tariff()
    sessions(3 * CHUNK // 2, first=0)
    Transaction.objects.filter(pk__in=[row.pk for row in Transaction.objects.all()[:40]]).update(
        started_at=NOVEMBER + timedelta(hours=1)
    )
    whole = replay(tariff, NOVEMBER, DECEMBER)
    found = replay(tariff, NOVEMBER, DECEMBER, is_enough=lambda: True)
    assert (found.at is None) == (tariff_is == "with tiers")
    turns = 1
    while found.at is not None:
        found = replay(tariff, NOVEMBER, DECEMBER, so_far=found, is_enough=lambda: True)
        turns += 1
    assert found == whole
    assert turns == (1 if tariff_is == "with tiers" else 2)
    assert found.gross > 0


def test_samples_are_read_of_sessions_only_whose_price_they_change():
    """The month of a big site took six seconds: the meter values of every session were read."""
    tariff = TariffDocument.model_validate(BANDED).tariff()
    for hour, minutes, changes in (
        (13, 60, False),  # noon in Berlin
        (20, 120, True),  # over 22:00
        (22, 300, False),  # over midnight, all of it cheap
        (4, 61, True),  # over 06:00
        (4, 60, False),
    ):
        start = datetime(2026, 11, 3, hour, tzinfo=UTC)
        assert changes_within(tariff, start, start + timedelta(minutes=minutes)) is changes, hour
    sessions(24)
    with CaptureQueriesContext(connection) as asked:
        replay(tariff, NOVEMBER, DECEMBER)
    assert not any("sample" in each["sql"] or "metervalue" in each["sql"] for each in asked)
    friday = datetime(2026, 11, 6, 22, 30, tzinfo=UTC)
    assert changes_within(tariff, friday, friday + timedelta(hours=2)) is True


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"])
def test_where_none_is_read_the_price_is_that_with_all_of_them(zone):
    """Over both nights on which the clocks are changed, and a holiday."""
    holiday = {"price_per_kwh": "0.2", "holidays": True}
    document = BANDED | {
        "time_zone": zone,
        "energy": [holiday, *BANDED["energy"]],
        "holidays": ["2026-11-11"],
        "minutes": [{"price_per_minute": "0.01", "from": "10:00", "to": "11:00"}],
        "session_fee": {"price": "0.35"},
        "maximum": {"gross": "9"},
    }
    tariff = TariffDocument.model_validate(document).tariff()
    random, skipped = Random(7), 0
    for first in (datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 10, 20, tzinfo=UTC)):
        for _ in range(400):
            start = first + timedelta(minutes=random.randrange(30 * 24 * 60))
            end = start + timedelta(minutes=random.randrange(1, 20 * 60))
            if changes_within(tariff, start, end):
                continue
            wh = Decimal(random.randrange(1, 30_000))
            told = [
                Point(start + (end - start) * random.random(), wh * random.randrange(101) / 100)
                for _ in range(3)
            ]
            prices = [
                price(tariff, checked(start, end, curve(start, end, wh, Decimal(), readings)))
                for readings in ((), told)
            ]
            assert prices[0] == prices[1]
            skipped += 1
    assert skipped > 100
