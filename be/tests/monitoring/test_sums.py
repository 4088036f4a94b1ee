"""Unassigned energy is summed up once an hour, and at first for the year before."""

from datetime import timedelta
from itertools import count

import pytest

from levity.monitoring.sums import PORTION, ROUND, Sums
from levity.ocpp.models import ChargePoint, Site, UnassignedEnergy
from tests.ocpp.ledger_chargers import NOW, Charger, at

pytestmark = pytest.mark.django_db


def gap(charger: Charger, minute: float, wh: int) -> None:
    """Sessions with so much between them."""
    started = charger.started(at(minute), 1234)
    charger.stop(started, at(minute + 10), 5678)
    charger.start(at(minute + 60), 5678 + wh)


def shown() -> list[tuple[str, int]]:
    return [(row.month, int(row.wh)) for row in UnassignedEnergy.objects.order_by("month")]


def test_at_first_the_months_before_as_well() -> None:
    charger = Charger()
    gap(charger, 0, 1500)
    sums = Sums()
    later = NOW + timedelta(days=300)
    assert sums.go_on(later) == 1
    assert shown() == [("2026-03", 1500)]
    # A process that starts later need not.
    UnassignedEnergy.objects.update(month="2026-02")
    assert Sums().go_on(later) == 1
    assert shown() == [("2026-02", 1500)]


def test_once_an_hour_what_was_heard_of() -> None:
    charger = Charger()
    sums = Sums()
    assert sums.go_on(NOW) == 1
    gap(charger, 10, 1500)
    assert sums.go_on(at(59)) == 0
    assert shown() == []
    assert sums.go_on(at(80)) == 1
    assert shown() == [("2026-03", 1500)]
    ChargePoint.objects.update(last_seen_at=NOW - timedelta(days=3))
    assert sums.go_on(at(200)) == 0
    assert shown() == [("2026-03", 1500)]


def test_many_in_several_rounds() -> None:
    for number in range(2 * PORTION):
        Charger(f"CP{number}")
    ticks = count(0.0, ROUND)
    sums = Sums(lambda: next(ticks))
    assert [sums.go_on(NOW) for _ in range(3)] == [PORTION, PORTION, 0]


def test_the_month_of_a_site_that_is_ahead() -> None:
    """The last hours of March in UTC are April in Auckland."""
    charger = Charger()
    late = NOW.replace(day=31, hour=20)
    started = charger.started(late, 1234)
    charger.stop(started, late + timedelta(minutes=10), 5678)
    charger.start(late + timedelta(minutes=60), 7178)
    ChargePoint.objects.update(site=Site.objects.create(name="far", time_zone="Pacific/Auckland"))
    Sums().go_on(late + timedelta(hours=2))
    assert shown() == [("2026-04", 1500)]
