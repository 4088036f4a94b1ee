"""Energy of no session, by connector and month."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.models import ChargePoint, SampleTrace, Site, Transaction, UnassignedEnergy
from levity.ocpp.store.loose import is_month, months_before, outside_sessions, renew
from levity.ocpp.store.samples.moving import move_some
from tests.ocpp.clock_unset import play
from tests.ocpp.ledger_chargers import NOW, Charger, at, meter_value

pytestmark = pytest.mark.django_db


def found(*months: str, charge_points: list[int] | None = None) -> list[Any]:
    items = outside_sessions(charge_points, months[0], months[-1])
    return [
        (item.charge_point.identity, item.connector, item.month, int(item.wh)) for item in items
    ]


def session(charger: Charger, minute: float, first: int, last: int) -> int:
    pk = charger.started(at(minute), first)
    charger.stop(pk, at(minute + 30), last)
    return pk


def test_what_lies_between_two_sessions(charger: Charger) -> None:
    one, two = session(charger, 0, 1000, 5000), session(charger, 60, 8000, 9000)
    [item] = outside_sessions(None, "2026-03", "2026-03")
    [stretch] = item.stretches
    assert (stretch.since, stretch.until) == (at(30), at(60))
    assert (stretch.before, stretch.after, stretch.wh) == (one, two, 3000)
    assert found("2026-02") == found("2026-04") == []
    assert found("2026-03", charge_points=[]) == []


def test_a_charger_that_charges_with_no_session() -> None:
    """FIRMWARE.md 3: nine samples, 398 to 520 Wh, and no StartTransaction."""
    play(NOW)
    [item] = outside_sessions(None, "2026-03", "2026-03")
    assert [(each.shown_by, int(each.wh)) for each in item.stretches] == [
        ("to-sample", 200),
        ("samples", 122),
    ]


def test_samples_that_moved_into_traces_are_the_same(charger: Charger) -> None:
    session(charger, 0, 1000, 5000)
    for minute in range(40, 50):
        charger.meter(None, meter_value(at(minute), 5000 + minute), when=at(minute))
    before = list(outside_sessions(None, "2026-03", "2026-03"))
    assert [int(item.wh) for item in before] == [49]
    assert move_some(NOW + timedelta(days=9), 60.0, timedelta(days=1)) > 0
    assert SampleTrace.objects.filter(transaction=None).exists()
    assert list(outside_sessions(None, "2026-03", "2026-03")) == before


def test_the_month_is_the_sites(charger: Charger) -> None:
    """23:30 UTC on the last of March is April in Berlin."""
    late = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
    one = charger.started(late, 1000)
    charger.stop(one, late + timedelta(minutes=10), 2000)
    charger.start(late + timedelta(minutes=30), 5000)
    assert found("2026-03", "2026-04") == [("CP1", 1, "2026-03", 3000)]
    site = Site.objects.create(name="garage", time_zone="Europe/Berlin")
    ChargePoint.objects.update(site=site)
    assert found("2026-03", "2026-04") == [("CP1", 1, "2026-04", 3000)]


def test_the_session_before_may_be_long_ago(charger: Charger) -> None:
    session(charger, 0, 1000, 5000)
    later = NOW + timedelta(days=300)
    charger.start(later, 55_000)
    assert found(f"{later:%Y-%m}") == [("CP1", 1, f"{later:%Y-%m}", 50_000)]


def test_the_main_meter_and_sessions_without_a_place_are_left_out(charger: Charger) -> None:
    session(charger, 0, 1000, 5000)
    for minute in range(40, 60):
        charger.meter(None, meter_value(at(minute), 90_000 + 500 * minute), connectorId=0)
    assert found("2026-03") == []
    charger.started(at(120), 8000)
    assert found("2026-03") == [("CP1", 1, "2026-03", 3000)]
    Transaction.objects.create(
        charge_point=charger.row,
        state="stopped",
        started_at=at(60),
        stopped_at=at(90),
        start_received_at=at(60),
        meter_start=0,
        meter_stop=3000,
        energy_source="registers",
    )
    assert found("2026-03") == []


def test_what_is_in_doubt_is_held_against_nobody(charger: Charger) -> None:
    session(charger, 0, 1000, 5000)
    second = session(charger, 60, 8000, 9000)
    for flags, source in (
        ("registers-in-kwh", "registers"),
        ("start-contradicted", "samples"),
        ("session-register", "session-register"),
    ):
        Transaction.objects.filter(pk=second).update(flags=flags, energy_source=source)
        assert found("2026-03") == [], flags


def test_as_many_statements_for_many_chargers_as_for_one(charger: Charger) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            list(outside_sessions(None, "2026-03", "2026-03"))
        return len(queries)

    others = [charger, *(Charger(f"CP{number}") for number in range(2, 12))]
    for each in others:
        session(each, 0, 1000, 5000)
        each.meter(None, meter_value(at(40), 5600), when=at(40))
        each.meter(None, meter_value(at(50), 5900), when=at(50))
    asked()
    few = asked()
    assert few <= 5
    for number in range(12, 30):
        session(Charger(f"CP{number}"), 0, 1000, 5000)
    move_some(NOW + timedelta(days=9), 60.0, timedelta(days=1))
    assert asked() <= few
    assert len(found("2026-03")) == 11


def test_the_sums_are_kept_and_renewed(charger: Charger) -> None:
    session(charger, 0, 1000, 5000)
    second = session(charger, 60, 8000, 9000)
    assert renew([charger.row.pk], "2026-03", "2026-03", NOW) == 1
    names = ("connector", "month", "wh", "stretches", "last_at")
    assert list(UnassignedEnergy.objects.values_list(*names)) == [(1, "2026-03", 3000, 1, at(60))]
    row = UnassignedEnergy.objects.get().pk
    Transaction.objects.filter(pk=second).update(meter_start=7000)
    renew([charger.row.pk], "2026-03", "2026-03", at(1))
    assert list(UnassignedEnergy.objects.values_list("pk", "wh")) == [(row, 2000)]
    Transaction.objects.filter(pk=second).update(meter_start=5000)
    renew([charger.row.pk], "2026-01", "2026-02", at(2))
    assert UnassignedEnergy.objects.exists()
    renew([charger.row.pk], "2026-03", "2026-03", at(2))
    assert not UnassignedEnergy.objects.exists()


def test_months() -> None:
    assert months_before("2026-02", 3) == ["2026-02", "2026-01", "2025-12"]
    assert is_month("2026-11")
    for text in ("", "2026-13", "2026-1", "26-11", "2026-11-01", "+026-11", "0000-01", "x"):
        assert not is_month(text), text


def live(charger: Charger, chance: Random) -> int:
    """Some days of a connector, as its charger tells of them; what its meter moved, Wh."""
    wh = first = 100_123
    minute = 0
    for _ in range(8):
        kind = chance.choice(["session", "session", "lost stop", "lost start", "silent", "samples"])
        rise = chance.randint(300, 9_000)
        told = [meter_value(at(minute + 15 * step), wh + rise * step // 5) for step in range(1, 6)]
        if kind in ("session", "lost stop"):
            pk = charger.started(at(minute), wh)
            charger.meter(pk, *told[:4], when=at(minute + 61))
            if kind == "session":
                charger.stop(pk, at(minute + 76), wh + rise)
        elif kind == "samples":
            charger.meter(None, meter_value(at(minute), wh), *told, when=at(minute + 76))
        elif kind == "lost start":
            charger.meter(99_999, meter_value(at(minute), wh), *told, when=at(minute + 76))
            charger.stop(99_999, at(minute + 77), wh + rise, idTag="other")
        wh += rise
        minute += 200
    pk = charger.started(at(minute), wh)
    charger.stop(pk, at(minute + 60), wh + 1_000)
    return wh + 1_000 - first


@pytest.mark.parametrize("seed", range(10))
def test_the_books_and_what_lies_outside_are_what_the_meter_moved(
    charger: Charger, seed: int
) -> None:
    """Lost stops, lost starts, silence and samples of no session: each Wh is in one place."""
    before = charger.started(at(-60), 100_000)
    charger.stop(before, at(-30), 100_123)
    moved = live(charger, Random(seed)) + 123
    billed = sum(row.energy or 0 for row in Transaction.objects.all())
    outside = sum(item.wh for item in outside_sessions(None, "2026-03", "2026-03"))
    assert billed + outside == moved
