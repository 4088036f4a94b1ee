"""A garage of a co-op, one household, and sessions in November."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from levity.billing.models import Assignment, Household, Issuer, TariffUse
from levity.billing.statements.closing import close
from levity.billing.tariffs import add_tariff
from levity.ocpp.models import ChargePoint, Site, Transaction

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
NOVEMBER = datetime(2026, 10, 31, 23, tzinfo=UTC)
DOCUMENT = {
    "time_zone": "Europe/Berlin",
    "vat_percent": "19",
    "energy": [{"price_per_kwh": "0.40"}],
    "monthly_fee": {"price": "3.00"},
}


@pytest.fixture
def site():
    return Site.objects.create(name="Garage", time_zone="Europe/Berlin")


@pytest.fixture
def charger(site):
    return ChargePoint.objects.create(identity="garage-1", site=site)


@pytest.fixture
def issuer(site):
    tariff = add_tariff("Garage", DOCUMENT, NOVEMBER, None)
    TariffUse.objects.create(tariff=tariff)
    pay = "Bitte überweisen: {number}"
    return Issuer.objects.create(site=site, name="WEG Müllerstraße", prefix="E-", payment_text=pay)


@pytest.fixture
def anna(site):
    return household(site, "Änne Müller", "04AA", language="de")


def household(site, name, tag, first=date(2026, 1, 1), **values):
    row = Household.objects.create(name=name, site=site, **values)
    Assignment.objects.create(household=row, id_tag=tag, first_day=first)
    return row


def session(charger, day, wh=5000, register=None, **values):
    start = NOVEMBER + timedelta(days=day - 1, hours=12)
    first = Decimal(day * 100_000 if register is None else register)
    values = {
        "id_tag": "04AA",
        "state": "stopped",
        "confidence": "high",
        "started_at": start,
        "stopped_at": start + timedelta(hours=1),
        "meter_start": first,
        "meter_stop": first + wh,
        "energy": Decimal(wh),
        "connector": 1,
    } | values
    return Transaction.objects.create(charge_point=charger, **values)


def december(issuer):
    return close(issuer, date(2026, 12, 1), date(2026, 12, 31), None)
