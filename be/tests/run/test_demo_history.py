"""The history of the demo: residents, sessions, and sums that agree with them."""

from datetime import UTC, datetime

import pytest
from django.db.models import Sum

from levity.billing.models import Assignment, Household
from levity.billing.used import used
from levity.ocpp.models import ChangedSession, ChargePoint, SessionHour, Transaction
from levity.ocpp.store.hours import count_all
from levity.run.demo_history import CARDS, RESIDENTS, make_history

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COLUMNS = ("transaction", "hour", "wh", "seconds", "power")


def test_every_session_is_a_residents_and_its_hours_are_those_of_a_recount() -> None:
    """Sessions of one bay neither overlap nor lose energy between them."""
    assert make_history(NOW)
    assert Household.objects.count() == len(RESIDENTS)
    assert Assignment.objects.count() == CARDS
    assert 150 < Transaction.objects.count() < 600
    by_household = used(datetime(2026, 1, 1, tzinfo=UTC), NOW).households
    assert None not in by_household
    assert sum(use.sessions for use in by_household.values()) == Transaction.objects.count()
    assert not any(use.to_check for use in by_household.values())
    for charger in ChargePoint.objects.all():
        end, register = None, None
        for row in charger.transactions.order_by("started_at"):
            assert end is None or row.started_at > end
            assert register in (None, row.meter_start)
            end, register = row.stopped_at, row.meter_stop
    made = list(SessionHour.objects.order_by("transaction", "hour").values_list(*COLUMNS))
    assert not ChangedSession.objects.exists()
    list(count_all(NOW))
    again = SessionHour.objects.order_by("transaction", "hour")
    assert list(again.values_list(*COLUMNS)) == made
    whole = Transaction.objects.aggregate(sum=Sum("energy"))["sum"]
    assert again.aggregate(sum=Sum("wh"))["sum"] == whole


def test_a_database_that_somebody_uses_is_left_alone() -> None:
    """Nor is it made twice."""
    ChargePoint.objects.create(identity="garage-1")
    assert not make_history(NOW)
    assert not Transaction.objects.exists()
