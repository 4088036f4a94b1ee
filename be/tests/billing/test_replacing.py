"""A resident charges, and pays, at the new charger from the day on which it was replaced."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from levity.billing.models import Assignment, Household, Tariff, TariffUse
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.replacing import replace
from levity.ocpp.models import AuditEntry, ChargePoint

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = timezone.localdate(NOW)
DAY = timedelta(days=1)


def test_assignments_go_on_with_the_new_charger() -> None:
    old = ChargePoint.objects.create(identity="old")
    anna, ben = (Household.objects.create(name=name) for name in ("Anna", "Ben"))
    last = TODAY + 30 * DAY
    spans = [
        (anna, 1, date(2026, 1, 1), last),
        (ben, 1, last + DAY, None),
        (ben, 2, date(2025, 1, 1), date(2025, 12, 31)),
    ]
    for household, connector, first, end in spans:
        Assignment.objects.create(
            household=household,
            charge_point=old,
            connector=connector,
            first_day=first,
            last_day=end,
        )
    new = replace(old, "new", None, NOW).new

    def at(place: ChargePoint) -> list[tuple[object, ...]]:
        rows = Assignment.objects.filter(charge_point=place).order_by("first_day")
        return list(rows.values_list("household__name", "connector", "first_day", "last_day"))

    assert at(new) == [("Anna", 1, TODAY, last), ("Ben", 1, last + DAY, None)]
    assert at(old) == [
        ("Ben", 2, date(2025, 1, 1), date(2025, 12, 31)),
        ("Anna", 1, date(2026, 1, 1), TODAY),
    ]
    for row in Assignment.objects.all():
        row.clean()
    assert AuditEntry.objects.filter(kind="billing.household").count() == 2


def test_a_place_that_is_another_household_s_is_not_taken() -> None:
    old, new = (ChargePoint.objects.create(identity=name) for name in ("old", "new"))
    for name, place in (("Anna", old), ("Ben", new)):
        Assignment.objects.create(
            household=Household.objects.create(name=name), charge_point=place, first_day=TODAY
        )
    with pytest.raises(NotPossible, match="Ben"):
        replace(old, "new", None, NOW)
    old.refresh_from_db()
    assert old.retired_at is None


def test_the_tariff_of_the_place_goes_on_and_past_sessions_keep_theirs() -> None:
    old = ChargePoint.objects.create(identity="old")
    now, later = (Tariff.objects.create(name=name) for name in ("now", "later"))
    last = TODAY + 30 * DAY
    TariffUse.objects.create(tariff=now, charge_point=old, last_day=last)
    TariffUse.objects.create(tariff=later, charge_point=old, first_day=last + DAY)
    new = replace(old, "new", None, NOW).new
    columns = ("tariff__name", "first_day", "last_day")
    found = TariffUse.objects.order_by("first_day", "pk").values_list(*columns)
    assert sorted(found.filter(charge_point=new)) == [
        ("later", last + DAY, None),
        ("now", TODAY, last),
    ]
    assert list(found.filter(charge_point=old)) == [("now", None, TODAY)]
    for row in TariffUse.objects.all():
        row.clean()


def test_a_charger_with_a_tariff_of_its_own_is_not_taken() -> None:
    old, new = (ChargePoint.objects.create(identity=name) for name in ("old", "new"))
    for place in (old, new):
        TariffUse.objects.create(charge_point=place)
    with pytest.raises(NotPossible, match="tariff of its own"):
        replace(old, "new", None, NOW)
