"""What happens by itself with time: silent edges, silent chargers, old messages."""

import itertools
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from levity.ocpp.commands import lifecycle
from levity.ocpp.decisions import retention
from levity.ocpp.models import (
    ChargePoint,
    ConnectionEvent,
    Edge,
    FrameAttempt,
    Message,
    StatusEvent,
    Transaction,
)
from levity.ocpp.store.messages.reading import newest_first
from levity.ocpp.store.messages.wanted import Wanted
from levity.ocpp.worker.housekeeping import EveryMinute, forget_edges, sweep
from levity_ws.rpc.envelope import Connected, Disconnected, Reply, Send
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db

DAY = 86_400


def online() -> bool:
    """As the admin shows it."""
    return ChargePoint.objects.get().online


def test_chargers_of_a_silent_edge_go_off_line() -> None:
    """F-14: and what it was called is forgotten."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    sweep(at(20))
    assert online()
    sweep(at(26))
    assert not online()
    assert Edge.objects.count() == 0


@pytest.mark.parametrize("ahead", [-300, 300])
def test_a_dead_edge_is_found_by_our_clock_and_not_by_its_own(ahead: int) -> None:
    """F-14: a living one whose clock is minutes off is not taken for dead, nor a dead one for
    alive."""
    site, charger = CentralSystem(), Charger()
    charger.now = ahead
    site.take(charger.asks(), charger.connects(), now=at())
    sweep(at(20))
    assert online()
    sweep(at(26))
    assert not online()
    assert Edge.objects.count() == 0


def test_a_frame_brings_a_charger_back_that_was_taken_for_dead() -> None:
    """F-16: its edge was only cut off."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    forget_edges(list(Edge.objects.values_list("pk", flat=True)), at(60))
    assert not online()
    charger.now = 61
    site.result(charger.calls("Heartbeat"))
    assert online()


def test_an_edge_that_announces_its_connections_again_brings_them_back() -> None:
    """F-16: a quiet charger need not say anything for that."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    forget_edges(list(Edge.objects.values_list("pk", flat=True)), at(60))
    site.take(Connected(charger.identity, charger.connection, 900, at(61).timestamp()))
    assert online()
    assert ConnectionEvent.objects.filter(kind="connected").count() == 1


def test_an_announcement_never_takes_over_from_a_newer_connection() -> None:
    """Promise 5: the newest wins, also against an edge that comes back."""
    site, old = CentralSystem(), Charger()
    site.connect(old)
    new = site.connect(old.again())
    site.take(Connected(old.identity, old.connection, 900, at(61).timestamp()))
    assert str(ChargePoint.objects.get().connection) == new.connection


def silent_charger() -> tuple[CentralSystem, Charger]:
    """One that has missed two heartbeats of 60 s, at second 120; its connection is open."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    ChargePoint.objects.update(heartbeat_interval=60)
    Edge.objects.update(last_seen_at=at(1000))
    sweep(at(110))
    assert not ChargePoint.objects.get().silent
    sweep(at(120))
    return site, charger


def test_a_charger_that_misses_two_heartbeats_is_silent_until_it_speaks() -> None:
    """F-19 where pings are off: within two intervals, and the reason is in its history."""
    site, charger = silent_charger()
    found = ChargePoint.objects.get()
    assert (found.silent, found.silent_since) == (True, at(0))
    sweep(at(125))
    assert ConnectionEvent.objects.get(kind="silent").charge_point == found
    charger.now = 130
    site.result(charger.calls("Heartbeat"))
    assert not ChargePoint.objects.get().silent


def test_a_command_reaches_a_charger_that_says_nothing_while_it_is_idle() -> None:
    """Field case c32 (Timxon, Morek EAW-A007T): the socket is open, so the charger is there."""
    _, charger = silent_charger()
    found = ChargePoint.objects.get()
    assert (found.online, str(found.connection), found.edge_id) == (
        True,
        charger.connection,
        "edge-1",
    )
    lifecycle.queue(found, "ClearCache", {}, source="test", queue_offline=False)
    sent: list[Send] = []

    def send(_: str, reply: Reply) -> bool:
        sent.extend(item for item in reply.commands if isinstance(item, Send))
        return True

    assert lifecycle.dispatch(timezone.now(), send) == 1
    assert [item.connection for item in sent] == [charger.connection]


def test_a_silent_charger_whose_edge_knows_of_no_such_connection_is_off_line() -> None:
    """Sending tells: the edge says who is gone, naming nobody but the connection."""
    site, charger = silent_charger()
    site.take(Disconnected("", charger.connection, 0, at(130).timestamp(), 1006, "gone"))
    assert not online()


def test_a_silent_charger_that_comes_again_is_no_longer_silent() -> None:
    """Promise 5: the newest connection is the one in use, and it has spoken."""
    site, charger = silent_charger()
    charger.now = 200
    new = site.connect(charger.again())
    found = ChargePoint.objects.get()
    assert (str(found.connection), found.silent) == (new.connection, False)


def test_what_is_looked_for_once_a_minute_is_looked_for_in_every_minute() -> None:
    """However the rounds fall: five seconds apart, but never within the first five of a minute."""
    minute = EveryMinute()
    rounds = [6.0 + 6.5 * number for number in range(60)]
    over = [tick for tick in rounds if minute.is_over(tick)]
    assert over[0] == 6.0
    gaps = [later - earlier for earlier, later in itertools.pairwise(over)]
    assert all(60 <= gap < 66.5 for gap in gaps), gaps


def test_a_round_without_a_minute_leaves_days_and_hours_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And one with a minute does not, whatever second it is."""
    asked: list[datetime] = []
    monkeypatch.setattr("levity.ocpp.worker.housekeeping.end_abandoned", asked.append)
    sweep(at(1), is_minute=False)
    sweep(at(42), is_minute=True)
    assert asked == [at(42)]


def test_old_messages_go_and_the_ledger_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """W-16: nothing older than the setting is left of the log but what sessions are made of;
    transactions are never touched."""
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    started = site.start(charger)
    site.result(charger.shows("Charging"))
    site.result(charger.measures(started, 100))
    FrameAttempt.objects.create(connection=charger.connection, seq=1, at=at(0))
    messages = Message.objects.count()
    assert messages >= 3
    before = retention.prune(at(89 * DAY))
    assert sum(before.values()) == 0
    deleted = retention.prune(at(91 * DAY))
    assert deleted["messages"] == messages - 2
    kept = [item.action for item in newest_first(Wanted())]
    assert kept == ["MeterValues", "StartTransaction"]
    assert Message.objects.count() == StatusEvent.objects.count() == 0
    assert FrameAttempt.objects.count() == 0
    assert Transaction.objects.count() == 1
    assert Samples.objects.count() >= 1
    # The beginning of a connection that stands is what a comeback is recognised by.
    assert ConnectionEvent.objects.filter(kind="connected").count() == 1


def test_nothing_is_thrown_away_where_the_setting_is_0(settings: object) -> None:
    """Keep for ever."""
    settings.OCPP_MESSAGE_RETENTION_DAYS = 0  # type: ignore[attr-defined]  # pytest-django's
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    site.result(charger.calls("Heartbeat"))
    assert retention.prune(at(10_000 * DAY)) == {}
    assert Message.objects.count() == 1


def test_the_time_of_the_last_frame_is_exact_to_some_seconds() -> None:
    """`last_seen_at` is written at most every ten seconds, and never falls behind further."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    for seconds in range(0, 60, 3):
        charger.now = float(seconds)
        site.result(charger.calls("Heartbeat"))
        seen = ChargePoint.objects.get().last_seen_at
        assert seen is not None
        assert at(seconds) - seen < timedelta(seconds=10)
