"""How long chargers were connected and without a fault, from their history."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
from django.db import connection as connection_of_django
from django.test.utils import CaptureQueriesContext

from levity.billing.reports import availability as module
from levity.billing.reports.availability import availability
from levity.billing.reports.span import BadSpan, Span
from levity.ocpp.models import ChargePoint, ConnectionEvent, Connector, StatusEvent
from levity.pages.overview.timeline import FAULT, faults

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 11, 10, tzinfo=UTC)
SPAN = Span(DAY.date(), DAY.date(), UTC)
LATER = DAY + timedelta(days=20)


@pytest.fixture
def charger():
    row = ChargePoint.objects.create(identity="garage-1", name="Left")
    ChargePoint.objects.update(created_at=DAY - timedelta(days=30))
    return row


def connection(charger, hour, kind, which):
    ConnectionEvent.objects.create(
        charge_point=charger,
        identity=charger.identity,
        connection=which,
        kind=kind,
        at=DAY + timedelta(hours=hour),
    )


def status(charger, hour, word, error="NoError", connector=1):
    StatusEvent.objects.create(
        charge_point=charger,
        connector=connector,
        status=word,
        error_code=error,
        received_at=DAY + timedelta(hours=hour),
    )


def figures(now=LATER, span=SPAN):
    report = availability(span, None, now=now)
    return [dict(zip(report.head, row, strict=True)) for row in report.rows]


def test_time_away_and_time_with_a_fault_are_taken_off_once(charger):
    first, second = uuid4(), uuid4()
    connection(charger, -100, "connected", first)
    connection(charger, 6, "disconnected", first)
    connection(charger, 9, "connected", second)
    status(charger, 8, "Faulted", "GroundFailure")
    status(charger, 12, "Available")
    (row,) = figures()
    assert row == {
        "charge point": "garage-1",
        "name": "Left",
        "site": "",
        "most frequent fault": "GroundFailure",
        "known (h)": "24.00",
        # 6 to 12 o'clock: away for three hours, faulty for four, for one of them both.
        "available (%)": "75.00",
        "not connected (h)": "3.00",
        "times lost": "1",
        "with a fault (h)": "4.00",
        "faults": "1",
    }


def test_what_began_before_the_days_and_goes_on_behind_them_is_cut(charger):
    Connector.objects.create(charge_point=charger, number=1)
    only = uuid4()
    connection(charger, -50, "connected", only)
    connection(charger, -2, "disconnected", only)
    status(charger, -3, "Faulted", "OtherError")
    connection(charger, 12, "connected", uuid4())
    (row,) = figures()
    assert (row["available (%)"], row["not connected (h)"], row["with a fault (h)"]) == (
        "0.00",
        "12.00",
        "24.00",
    )


def test_an_old_connection_that_closes_behind_a_new_one_is_no_loss(charger):
    old, new = uuid4(), uuid4()
    connection(charger, -50, "connected", old)
    connection(charger, -40, "connected", new)
    connection(charger, -39, "disconnected", old)
    assert figures()[0]["available (%)"] == "100.00"


def test_time_of_which_nothing_is_known_is_told_and_not_judged(charger):
    ChargePoint.objects.update(created_at=DAY + timedelta(hours=18))
    assert figures()[0]["known (h)"] == "6.00"
    assert figures(now=DAY + timedelta(hours=20))[0]["known (h)"] == "2.00"
    # Of days before it was there, and of days whose history was deleted, there is no row.
    assert figures(span=Span(date(2026, 11, 1), date(2026, 11, 2), UTC)) == []
    assert figures(now=DAY + timedelta(days=500)) == []


def test_too_many_events_are_refused_and_not_half_counted(charger, monkeypatch):
    monkeypatch.setattr(module, "MOST_EVENTS", 1)
    status(charger, 1, "Faulted", "OtherError")
    status(charger, 2, "Available")
    with pytest.raises(BadSpan, match="too many events"):
        figures()


@pytest.mark.parametrize("seed", range(4))
def test_the_turns_say_what_all_statuses_say(charger, seed):
    """Of 97,000 statuses each was read, for the few that begin or end a fault."""
    random = Random(seed)
    chargers = [charger, ChargePoint.objects.create(identity="b", name="Right")]
    chargers.append(ChargePoint.objects.create(identity="c", name="Without a fault"))
    ChargePoint.objects.update(created_at=DAY - timedelta(days=30))
    words = [
        *(("Available", "NoError"), ("Charging", ""), ("Faulted", "NoError")),
        *(("Faulted", "GroundFailure"), ("Available", "OtherError"), ("Charging", "OverVoltage")),
    ]
    for where in chargers:
        for number in (0, 1, 2):
            Connector.objects.create(charge_point=where, number=number, status="Available")
    for _ in range(300):
        where = random.choice(chargers)
        word, error = random.choice(words[:2] if where is chargers[2] else words)
        status(where, random.randrange(-20, 60) / 2, word, error, random.randrange(3))
    rows = StatusEvent.objects.filter(received_at__lt=SPAN.until).order_by("received_at", "id")
    columns = ("charge_point_id", "received_at", "evse", "connector", "status", "error_code")
    every = [row for row in rows.values_list(*columns) if row[1] >= SPAN.since]
    before = list(module._status_before(ChargePoint.objects.all(), SPAN.since))
    whole = set(faults([*before, *every], SPAN.until))
    found = module._stretches(ChargePoint.objects.all(), SPAN.since, SPAN.until)
    assert {each for each in found if each.what == FAULT} == whole
    assert {each.charge_point for each in whole} == {chargers[0].pk, chargers[1].pk}
    assert len(whole) > 20


def test_statuses_without_a_fault_are_not_read(charger):
    with CaptureQueriesContext(connection_of_django) as few:
        figures()
    for hour in range(20):
        status(charger, hour, "Available" if hour % 2 else "Charging")
    with CaptureQueriesContext(connection_of_django) as many:
        assert figures()[0]["faults"] == "0"
    assert len(many) == len(few)
