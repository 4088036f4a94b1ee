"""Sessions get their payer and their price, whoever writes them, once and the same twice."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from levity.billing import receiving
from levity.billing.deciding import decide, take_back
from levity.billing.models import Assignment, Household, SessionMark, SessionPrice, TariffUse
from levity.billing.settling import settle, settle_between, settle_marked
from levity.billing.tariffs import add_tariff, add_version
from levity.ocpp.changes import changes_told, receivers
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.models import AuditEntry, ChargePoint, MissedChange, Site, Transaction
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
NOVEMBER, DECEMBER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
DOCUMENT = {"time_zone": "Europe/Berlin", "energy": [{"price_per_kwh": "0.40"}]}


@pytest.fixture
def site():
    return Site.objects.create(name="Garage", time_zone="Europe/Berlin")


@pytest.fixture
def charger(site):
    return ChargePoint.objects.create(identity="garage-1", site=site)


@pytest.fixture
def anna(site):
    row = Household.objects.create(name="Anna", site=site)
    Assignment.objects.create(household=row, id_tag="04AA", first_day=date(2026, 1, 1))
    return row


@pytest.fixture
def tariff(db):
    row = add_tariff("Garage", DOCUMENT, NOVEMBER, None)
    TariffUse.objects.create(tariff=row)
    return row


def session(charger, number=1, wh=5000, **values):
    start = NOVEMBER + timedelta(days=number)
    values = {
        "id_tag": "04AA",
        "state": "stopped",
        "confidence": "high",
        "started_at": start,
        "stopped_at": start + timedelta(hours=1),
        "meter_start": Decimal(number * 10000),
        "energy": Decimal(wh),
        "connector": 1,
    } | values
    return Transaction.objects.create(charge_point=charger, **values)


def settled(*rows):
    with transaction.atomic():
        settle([row.pk for row in rows])
    found = SessionPrice.objects.in_bulk([row.pk for row in rows])
    return [found.get(row.pk) for row in rows]


def said(price):
    return price.state, price.reason, price.household_id, price.amount


def test_the_price_is_written_and_writing_it_again_changes_nothing(charger, anna, tariff):
    row = session(charger)
    (price,) = settled(row)
    assert said(price) == ("priced", "", anna.pk, Decimal("2.00"))
    assert (price.rule, price.version.number) == ("card", 1)
    with CaptureQueriesContext(connection) as again:
        settled(row)
    assert not [each for each in again if "INSERT" in each["sql"] or "UPDATE " in each["sql"][:9]]


def test_a_session_keeps_the_version_it_began_with(charger, anna, tariff):
    add_version(tariff, {**DOCUMENT, "energy": [{"price_per_kwh": "1"}]}, DECEMBER, None)
    before = session(charger, started_at=DECEMBER - timedelta(minutes=1), stopped_at=DECEMBER)
    after = session(charger, 2, started_at=DECEMBER, stopped_at=DECEMBER)
    assert [price.amount for price in settled(before, after)] == [2, 5]


def test_what_may_not_be_billed_waits_with_the_reason(charger, anna, tariff):
    rows = [
        session(charger, 1, confidence="low"),
        session(charger, 2, flags="orphaned"),
        session(charger, 3, flags="implausible-energy"),
        session(charger, 4, id_tag="STRANGER"),
        session(charger, 5, started_at=NOVEMBER - timedelta(days=9)),
    ]
    waiting = [("look", anna.pk), ("look", anna.pk), ("do-not-bill", anna.pk), ("nobodys", None)]
    assert [(price.state, price.reason, price.household_id) for price in settled(*rows)] == [
        *(("waits", *each) for each in waiting),
        ("waits", "no-version", anna.pk),
    ]


def test_a_tariff_without_a_price_for_it_says_so(charger, anna):
    banded = [{"price_per_kwh": "1", "from": "22:00", "to": "23:00"}]
    row = add_tariff("Night", {**DOCUMENT, "energy": banded}, NOVEMBER, None)
    TariffUse.objects.create(tariff=row, household=anna)
    (price,) = settled(session(charger))
    assert (price.state, price.reason) == ("waits", "no-price")
    assert "no price per kWh for 2026-11-02" in price.detail


def test_an_amount_that_no_column_holds_waits_and_keeps_no_other_from_its_price(charger, anna):
    dear = {"time_zone": "UTC", "energy": [{"price_per_kwh": "99999999"}]}
    tariff = add_tariff("Dear", dear, datetime(2026, 1, 1, tzinfo=UTC), None)
    TariffUse.objects.create(tariff=tariff)
    huge, usual = settled(session(charger, 1, 999_999_999), session(charger, 2, 5000))
    assert (huge.state, huge.detail) == ("waits", "its amount is too large to be true")
    assert usual.state == "priced"


def test_tiers_count_what_was_used_before_in_the_month(charger, anna):
    tiers = [{"price_per_kwh": "0.25", "to_kwh": "100"}, {"price_per_kwh": "0.35"}]
    row = add_tariff("Tiers", {**DOCUMENT, "energy": tiers}, NOVEMBER, None)
    TariffUse.objects.create(tariff=row)
    rows = [session(charger, day, kwh * 1000) for day, kwh in ((1, 60), (2, 55), (3, 15))]
    wanted = [Decimal("15.00"), Decimal("15.25"), Decimal("5.25")]  # T15
    assert [price.amount for price in settled(*rows)] == wanted
    assert [price.amount for price in (settled(each)[0] for each in rows)] == wanted


def test_statements_do_not_grow_with_sessions(charger, anna, tariff):
    first = session(charger)
    with CaptureQueriesContext(connection) as few:
        settled(first)
    rows = [session(charger, number) for number in range(2, 12)]
    with CaptureQueriesContext(connection) as many:
        settled(*rows)
    assert len(many) == len(few)


def test_a_writer_marks_what_is_over_and_only_that(charger, anna, tariff):
    receiving.refresh()
    row = session(charger, state="active", stopped_at=None)
    with transaction.atomic(), changes_told(lambda: [row.pk]):
        Transaction.objects.filter(pk=row.pk).update(energy=100)
    assert not SessionMark.objects.exists()
    with transaction.atomic(), changes_told(lambda: [row.pk]):
        Transaction.objects.filter(pk=row.pk).update(
            state="stopped", stopped_at=NOVEMBER + timedelta(days=3)
        )
    assert list(SessionMark.objects.values_list("session", flat=True)) == [row.pk]
    assert settle_marked() == 1
    assert not SessionMark.objects.exists()
    assert not MissedChange.objects.exists()
    assert SessionPrice.objects.get().wh == 100


def test_without_a_tariff_billing_costs_the_message_path_nothing(charger):
    receiving.refresh()
    assert receivers() == ()
    row = session(charger)
    with (
        transaction.atomic(),
        CaptureQueriesContext(connection) as found,
        changes_told(lambda: [row.pk]),
    ):
        pass
    assert [each["sql"] for each in found if "billing" in each["sql"]] == []


def test_a_session_that_is_taken_back_has_no_price(charger, anna, tariff):
    row = session(charger)
    settled(row)
    pk = row.pk
    row.delete()
    with transaction.atomic():
        settle([pk])
    assert not SessionPrice.objects.exists()


def test_a_decision_leaves_a_trail_and_lapses_with_the_figures(charger, anna, tariff, person):
    row = session(charger, confidence="low")
    (price,) = settled(row)
    with pytest.raises(NotAllowed):
        decide(price, "bill", person("viewer", "Viewer"))
    with pytest.raises(NotPossible, match="say why"):
        decide(price, "common", None)
    bob = Household.objects.create(name="Bob")
    decided = decide(price, "bill", person("boss", "Admin"), household=bob, why="his guest")
    assert (said(decided), decided.rule) == (("priced", "", bob.pk, 2), "by hand")
    entry = AuditEntry.objects.order_by("pk").last()
    assert (entry.who_name, entry.kind, entry.object_id, entry.what) == (
        "boss",
        "ocpp.transaction",
        str(row.pk),
        "billing: Bill it as it is",
    )
    Transaction.objects.update(energy=6000)
    assert settled(row)[0].state == "waits"
    Transaction.objects.update(energy=5000)
    assert said(settled(row)[0]) == ("priced", "", bob.pk, 2)
    assert said(take_back(settled(row)[0], None)) == ("waits", "look", anna.pk, None)


def test_one_that_cannot_be_priced_keeps_no_other_from_its_price(charger, anna, tariff):
    bob = Household.objects.create(name="Bob")
    Assignment.objects.create(household=bob, id_tag="04BB", first_day=date(2026, 1, 1))
    broken = add_tariff("Broken", DOCUMENT, NOVEMBER, None)
    TariffUse.objects.create(tariff=broken, household=bob)
    # As a later release might not read it any more.
    broken.versions.update(document={"gone": 1})
    rows = [session(charger, 1), session(charger, 2, id_tag="04BB"), session(charger, 3)]
    SessionMark.objects.bulk_create(SessionMark(session=row.pk) for row in rows)
    assert settle_marked() == 3
    priced = SessionPrice.objects.order_by("pk").values_list("pk", flat=True)
    assert list(priced) == [rows[0].pk, rows[2].pk]
    assert not SessionMark.objects.exists()


def test_who_holds_what_is_asked_again_before_statements(charger, tariff):
    row = session(charger)
    assert settled(row)[0].reason == "nobodys"
    late = Household.objects.create(name="Late")
    Assignment.objects.create(household=late, id_tag="04AA", first_day=date(2026, 11, 1))
    assert settle_between(NOVEMBER, DECEMBER) == 1
    assert SessionPrice.objects.get().household == late


def test_it_is_decided_on_a_page(charger, anna, tariff, browser, root):
    (price,) = settled(session(charger, flags="orphaned"))
    client = browser(root)
    page = client.get("/admin/billing/sessionprice/").content.decode()
    assert "waits for a decision" in page
    page = f"/admin/billing/sessionprice/{price.pk}/decide/"
    assert "No stop arrived" in client.get(page).content.decode()
    wrong = client.post(page, {"what": "exclude"}).content.decode()
    assert "Say why nobody is to pay for it." in wrong
    done = client.post(page, {"what": "bill"}, follow=True).content.decode()
    assert "2.00 EUR" in done
    assert client.post(f"{page}?next=//evil.example/", {"what": "bill"}).url.startswith("/admin/")
