"""How much each household used, and who may see that."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from levity.billing.models import Assignment, Household
from levity.billing.used import Use, used
from levity.ocpp.models import ChargePoint, Site, Transaction
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
NOVEMBER, DECEMBER = datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC)
PAGE = "/admin/billing/household/energy/"


@pytest.fixture
def garage():
    return Site.objects.create(name="Garage", time_zone="Europe/Berlin")


@pytest.fixture
def charger(garage):
    return ChargePoint.objects.create(identity="garage-1", site=garage)


def session(charger, started_at, wh=5000, tag="04AA", **values):
    values = {"state": "stopped", "confidence": "high", "connector": 1} | values
    return Transaction.objects.create(
        charge_point=charger,
        id_tag=tag,
        started_at=started_at,
        start_received_at=started_at,
        meter_start=Decimal(Transaction.objects.count()),
        energy=None if wh is None else Decimal(wh),
        **values,
    )


def household(name, site=None, **assigned):
    row = Household.objects.create(name=name, site=site)
    Assignment.objects.create(household=row, first_day=date(2026, 1, 1), **assigned)
    return row


def test_sums_by_household_with_what_needs_a_look(charger):
    anna = household("Anna", id_tag="04aa")
    bob = household("Bob", charge_point=charger)
    at = NOVEMBER + timedelta(days=3)
    session(charger, NOVEMBER - timedelta(seconds=1))
    session(charger, NOVEMBER)
    session(charger, at, 7000, confidence="low")
    session(charger, at, None, state="active")
    session(charger, at, 10**9, flags="implausible-energy")
    session(charger, at, 2500, tag="")
    session(charger, DECEMBER)
    assert used(NOVEMBER, DECEMBER).households == {
        anna.pk: Use(sessions=4, wh=Decimal(12000), to_check=3),
        bob.pk: Use(sessions=1, wh=Decimal(2500), to_check=0),
    }


def test_a_move_is_a_day_at_the_sites_own_clock(charger):
    old = household("Old", charge_point=charger)
    old.assignments.update(last_day=date(2026, 11, 15))
    new = Household.objects.create(name="New")
    Assignment.objects.create(household=new, charge_point=charger, first_day=date(2026, 11, 16))
    midnight = datetime(2026, 11, 15, 23, tzinfo=UTC)
    session(charger, midnight - timedelta(seconds=1), 1000, tag="")
    session(charger, midnight, 2000, tag="")
    found = used(NOVEMBER, DECEMBER).households
    assert {key: use.wh for key, use in found.items()} == {old.pk: 1000, new.pk: 2000}


def test_the_number_of_statements_does_not_grow(charger):
    household("Anna", id_tag="04AA")
    session(charger, NOVEMBER)
    with CaptureQueriesContext(
        connection,
    ) as few:
        used(NOVEMBER, DECEMBER)
    for number in range(20):
        household(f"H{number}", id_tag=f"{number}")
        session(charger, NOVEMBER + timedelta(hours=number), tag=f"{number}")
    with CaptureQueriesContext(connection) as many:
        used(NOVEMBER, DECEMBER)
    assert len(few) == len(many) == 2


def test_the_page_and_its_csv(charger, browser, root):
    household("Anna <b>", id_tag="04AA")
    session(charger, NOVEMBER + timedelta(days=1))
    session(charger, NOVEMBER + timedelta(days=1), 1500, tag="STRANGER")
    client = browser(root)
    text = client.get(PAGE, {"day": "2026-11-05"}).content.decode()
    assert "Anna &lt;b&gt;" in text
    assert "5.000 kWh" in text
    assert "STRANGER" in text
    assert "6.500 kWh" in text
    lines = b"".join(client.get(f"{PAGE}export/", {"day": "2026-11-05"}).streaming_content).decode()
    assert lines.splitlines()[1:] == [
        "2026-11,Anna <b>,,,,1,5.000,0",
        "2026-11,(nobody's),,,,1,1.500,0",
    ]


def test_an_empty_page_says_what_to_do(browser, root):
    text = browser(root).get(PAGE).content.decode()
    assert "There is no household yet" in text


def test_who_sees_one_site_sees_its_households_and_sessions_only(garage, charger, person, browser):
    other = Site.objects.create(name="Other")
    elsewhere = ChargePoint.objects.create(identity="other-1", site=other)
    household("Here", garage, id_tag="04AA")
    household("There", other, id_tag="04BB")
    session(charger, NOVEMBER + timedelta(days=1))
    session(elsewhere, NOVEMBER + timedelta(days=1), tag="04BB")
    limited = person("limited", "Admin", sites=[garage])
    client = browser(limited)
    text = client.get(PAGE, {"day": "2026-11-05"}).content.decode()
    assert "Here" in text
    assert "There" not in text
    assert "04BB" not in text
    there = Household.objects.get(name="There")
    assert client.get(f"/admin/billing/household/{there.pk}/change/").status_code in (302, 404)
    assert client.get("/admin/billing/household/import/").status_code == 403


def test_nothing_is_two_households_on_one_day(charger):
    household("Anna", id_tag="04AA")
    mine = Assignment(
        household=Household.objects.create(name="Bob"),
        id_tag="04aa",
        first_day=date(2026, 12, 1),
    )
    said = "Anna has id tag 04AA from 2026-01-01 on: end that first"
    with pytest.raises(ValidationError, match=said):
        mine.full_clean()
    with pytest.raises(ValidationError, match="either an id tag or a charge point"):
        Assignment(household=mine.household, id_tag="X", charge_point=charger).full_clean()
    with pytest.raises(ValidationError, match="before the first day"):
        Assignment(
            household=mine.household,
            id_tag="X",
            first_day=date(2026, 12, 2),
            last_day=date(2026, 12, 1),
        ).full_clean()


def test_a_file_is_looked_at_before_it_is_imported(charger, browser, root):
    from django.core.files.uploadedfile import SimpleUploadedFile

    client: Client = browser(root)
    address = "/admin/billing/household/import/"
    file = SimpleUploadedFile("list.csv", "name;id_tags\nMüller;04AA\n".encode("cp1252"))
    page = client.post(address, {"file": file})
    assert "This would be imported" in page.content.decode()
    assert "Windows-1252" in page.content.decode()
    assert not Household.objects.exists()
    done = client.post(address, {"text": page.context["text"]}, follow=True)
    assert "1 new households" in done.content.decode()
    assert Household.objects.get().assignments.get().first_day == timezone.localdate()


def test_roles_see_and_change_households(db):
    rights = {
        role: set(
            Group.objects.get(name=role)
            .permissions.filter(content_type__app_label="billing")
            .values_list("codename", flat=True)
        )
        for role in ("Viewer", "Operator", "Admin")
    }
    models = {
        model._meta.model_name
        for model in apps.get_app_config("billing").get_models()
        if "view" in model._meta.default_permissions
    }
    assert {"household", "assignment", "tariff", "statement"} <= models
    assert rights["Viewer"] == {f"view_{name}" for name in models}
    assert "change_household" in rights["Admin"]
