"""A session with an idle fee has its price when the car has left."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from levity.billing.deciding import decide
from levity.billing.models import SessionPrice, TariffUse
from levity.billing.tariffs import add_tariff
from levity.billing.unplugging import settle_unplugged
from levity.ocpp.models import Connector, StatusEvent
from tests.billing.test_settling import DOCUMENT, NOVEMBER, anna, charger, session, settled, site

__all__ = ["anna", "charger", "site"]

pytestmark = pytest.mark.django_db
IDLE = {"price_per_minute": "0.10", "grace_minutes": 10}
AT = timezone.now().replace(microsecond=0) - timedelta(hours=3)


@pytest.fixture
def idle(db):
    row = add_tariff("Idle", DOCUMENT | {"idle": IDLE}, NOVEMBER - timedelta(days=9999), None)
    TariffUse.objects.create(tariff=row)
    return row


def said(charger, at, status):
    StatusEvent.objects.create(
        charge_point=charger, connector=1, status=status, reported_at=at, received_at=at
    )
    Connector.objects.update_or_create(
        charge_point=charger, number=1, evse=0, defaults={"status": status}
    )


def charged(charger):
    return session(charger, started_at=AT, stopped_at=AT + timedelta(hours=1))


def test_it_waits_while_the_car_is_there_and_has_its_fee_once_it_has_left(charger, anna, idle):
    said(charger, AT + timedelta(hours=1, seconds=1), "Finishing")
    row = charged(charger)
    (price,) = settled(row)
    assert (price.state, price.reason, price.amount) == ("waits", "plugged-in", None)
    assert settle_unplugged(timezone.now()) == 0
    said(charger, AT + timedelta(hours=1, minutes=40), "Available")
    assert settle_unplugged(timezone.now()) == 1
    price = SessionPrice.objects.get()
    # 5 kWh at 0.40, and 30 of the 40 minutes: ten are free.
    assert (price.state, price.amount) == ("priced", Decimal("5.00"))
    assert settle_unplugged(timezone.now()) == 0


def test_somebody_may_bill_it_before_and_it_stays_so(charger, anna, idle):
    said(charger, AT + timedelta(minutes=50), "SuspendedEV")
    row = charged(charger)
    settled(row)
    decide(SessionPrice.objects.get(), "bill", None)
    price = SessionPrice.objects.get()
    assert (price.state, price.amount) == ("priced", Decimal("2.00"))
    said(charger, timezone.now() + timedelta(seconds=5), "Available")
    (price,) = settled(row)
    assert (price.state, price.amount) == ("priced", Decimal("2.00"))


def test_nobody_waits_longer_than_two_weeks(charger, anna, idle):
    began = AT - timedelta(days=15)
    said(charger, began + timedelta(minutes=59, seconds=59), "Finishing")
    (price,) = settled(session(charger, started_at=began, stopped_at=began + timedelta(hours=1)))
    assert (price.state, len(price.lines)) == ("priced", 2)
