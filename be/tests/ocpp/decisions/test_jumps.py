"""Where jumps of registers are looked for."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.decisions.proposals import find
from levity.ocpp.models import ChargePoint
from levity.ocpp.testing import NOW, CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db


def jumps(first: int, last: int) -> tuple[int, int]:
    """Changes that are found from one year to another, and the statements that it took."""
    with CaptureQueriesContext(connection) as queries:
        some = list(
            find(datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC), None, None)
        )
    return sum(map(len, some)), len(queries)


def test_years_without_samples_cost_nothing() -> None:
    """Of 1970 to 2100, each of 7,000 weeks was asked for."""
    system, charger = CentralSystem(), Charger("CP1")
    system.connect(charger)
    system.take(charger.boots())
    for minute, register in enumerate((0, 100, 9_000_000, 300, 400)):
        system.take(charger.measures(None, register, wire(60 * minute)))
    # One of a clock that was never set, and one of weeks later.
    system.take(charger.measures(None, 0, "1970-01-01T00:05:00Z"))
    later = (NOW + timedelta(weeks=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    system.take(charger.measures(None, 500, later))
    assert ChargePoint.objects.count() == 1

    near, few = jumps(NOW.year, NOW.year + 1)
    far, more = jumps(1960, 2200)
    assert (near, far) == (1, 1)
    assert more <= few + 20
