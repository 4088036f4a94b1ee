"""Faults and lost connections as stretches of time."""

from datetime import UTC, datetime, timedelta

from levity.pages.overview.timeline import FAULT, LOST, Stretch, faults, lost

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    """So many minutes ago."""
    return NOW - timedelta(minutes=minutes)


def test_a_connection_is_lost_until_the_next_one_opens() -> None:
    """The last one still is."""
    events = [
        (1, at(50), "connected", "a"),
        (1, at(40), "disconnected", "a"),
        (1, at(30), "connected", "b"),
        (1, at(20), "disconnected", "b"),
    ]
    assert list(lost(events, NOW)) == [
        Stretch(1, LOST, at(40), at(30), is_open=False),
        Stretch(1, LOST, at(20), NOW, is_open=True),
    ]


def test_an_old_connection_that_closes_behind_the_new_one_is_no_loss() -> None:
    """The charger had changed to another socket."""
    events = [
        (1, at(50), "connected", "a"),
        (1, at(40), "connected", "b"),
        (1, at(39), "disconnected", "a"),
    ]
    assert list(lost(events, NOW)) == []


def test_a_fault_lasts_until_its_connector_says_otherwise() -> None:
    """Each connector by itself."""
    events = [
        (1, at(50), 0, 1, "Faulted", "GroundFailure"),
        (1, at(45), 0, 2, "Available", "NoError"),
        (1, at(40), 0, 1, "Faulted", "OtherError"),
        (1, at(30), 0, 1, "Available", "NoError"),
        (1, at(10), 0, 2, "Faulted", "NoError"),
    ]
    assert list(faults(events, NOW)) == [
        Stretch(1, FAULT, at(50), at(30), is_open=False, detail="connector 1: GroundFailure"),
        Stretch(1, FAULT, at(10), NOW, is_open=True, detail="connector 2: Faulted"),
    ]
