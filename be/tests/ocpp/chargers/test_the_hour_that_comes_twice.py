"""A charger that tells local times without a zone, in the night in which clocks are set back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.ocpp.ledger_chargers import Charger, books, iso

# Europe/Berlin: 02:00 to 03:00 comes twice, first as 00:00 UTC, then as 01:00 UTC.
MIDNIGHT = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)


def utc(minutes: float) -> datetime:
    """So many minutes after the first 02:00."""
    return MIDNIGHT + timedelta(minutes=minutes)


def local(text: str) -> str:
    """This time of that night, as the charger tells it."""
    return f"2026-10-25T{text}:00"


@pytest.fixture
def berlin(charger: Charger) -> Charger:
    """A charger whose times are Berlin's."""
    row = charger.row
    row.time_zone = "Europe/Berlin"
    row.save()
    return charger


def session(charger: Charger, start: str, end: str, told: datetime, **more: Any) -> datetime:
    """When a session that began and ended at these local times ended, by the books."""
    begun = charger.started(utc(0), timestamp=local(start), when=told - timedelta(minutes=1))
    payload = {"transactionId": more.pop("named", begun), "meterStop": 2000, **more}
    charger.call("StopTransaction", {**payload, "timestamp": local(end)}, told)
    ended: datetime = books(begun, "stopped_at")
    assert books(begun, "state") == "stopped"
    return ended


def test_a_session_ends_after_it_began(berlin: Charger) -> None:
    """From the first 02:50 to the second 02:10: twenty minutes."""
    assert session(berlin, "02:50", "02:10", utc(70)) == utc(70)
    assert "stop-before-start" not in books(berlin.row.transactions.get().pk, "flags")


def test_a_stop_that_names_no_session_finds_it(berlin: Charger) -> None:
    assert session(berlin, "02:50", "02:10", utc(70), named=-1) == utc(70)


def test_a_stop_that_came_first_finds_its_session(berlin: Charger) -> None:
    # An id that nobody knows is believed with the card only (ATTACK B2).
    payload = {
        "transactionId": 999,
        "idTag": "tag",
        "meterStop": 2000,
        "timestamp": local("02:10"),
    }
    berlin.call("StopTransaction", payload, utc(70))
    begun = berlin.started(utc(0), timestamp=local("02:50"), when=utc(71))
    assert books(begun, "state", "stopped_at") == ("stopped", utc(70))


def test_the_same_stop_again_is_the_same(berlin: Charger) -> None:
    begun = berlin.started(utc(0), timestamp=local("02:50"), when=utc(50))
    payload = {"transactionId": begun, "meterStop": 2000, "timestamp": local("02:10")}
    for minutes in (70, 71):
        berlin.call("StopTransaction", payload, utc(minutes))
    [kept] = berlin.row.quarantined_messages.all()
    assert kept.resolved_at is not None


def test_a_session_is_no_hour_short(berlin: Charger) -> None:
    """A sample of the first 02:55 was there before the stop of the second 02:40."""
    begun = berlin.started(utc(0), timestamp=local("01:30"), when=utc(-30))
    said = {"timestamp": local("02:55"), "sampledValue": [{"value": "1500"}]}
    berlin.meter(begun, said, when=utc(55))
    payload = {"transactionId": begun, "meterStop": 2000, "timestamp": local("02:40")}
    berlin.call("StopTransaction", payload, utc(100))
    assert books(begun, "stopped_at") == utc(100)


@pytest.mark.parametrize(
    ("start", "end", "told", "ended"),
    [
        ("01:50", "02:10", utc(10), utc(10)),
        ("02:10", "02:50", utc(50), utc(50)),
        ("02:50", "03:10", utc(130), utc(130)),
        # A clock that went back by some minutes in the session; told at once, or the next day.
        ("02:50", "02:47", utc(50), utc(47)),
        ("02:50", "02:47", utc(1440), utc(47)),
        ("02:50", "02:10", utc(50), utc(10)),
        # No such hour.
        ("05:50", "05:10", utc(290), utc(250)),
    ],
)
def test_what_is_right_or_senseless_stays_as_it_is(
    berlin: Charger, start: str, end: str, told: datetime, ended: datetime
) -> None:
    assert session(berlin, start, end, told) == ended


def test_a_time_that_names_its_offset_is_that_time(berlin: Charger) -> None:
    begun = berlin.started(utc(50))
    said = {"transactionId": begun, "meterStop": 2000, "timestamp": iso(utc(10))}
    berlin.call("StopTransaction", said, utc(70))
    assert books(begun, "stopped_at") == utc(10)
