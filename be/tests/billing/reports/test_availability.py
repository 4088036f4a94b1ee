"""How long chargers were connected and without a fault, from their history."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from levity.billing.reports import availability as module
from levity.billing.reports.availability import availability
from levity.billing.reports.span import BadSpan, Span
from levity.ocpp.models import ChargePoint, ConnectionEvent, Connector, StatusEvent

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
