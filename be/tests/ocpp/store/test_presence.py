"""Promise 5: the newest authenticated connection wins (D-21, D-23, D-28, D-29, E-01, E-04)."""

from typing import Any

import pytest

from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint, Command, ConnectionEvent, Edge
from levity.ocpp.worker.housekeeping import sweep
from levity_ws.rpc.envelope import Accept, Close, Received, Refuse, Send, decode_batch
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db


def connection() -> str | None:
    """The websocket of the only charge point that the books call its own."""
    current = ChargePoint.objects.get().connection
    return str(current) if current else None


def test_a_handshake_is_answered_with_how_to_treat_the_charger() -> None:
    """One that offers no subprotocol gets none back (Grizzl-E), one that offers several 1.6."""
    site, charger = CentralSystem(), Charger()
    (accept,) = site.take(charger.asks(subprotocols=("ocpp2.0.1", "ocpp1.6"))).reply.commands
    # Nobody has seen it before: no large frames yet.
    assert accept == Accept(charger.connection, subprotocol="ocpp1.6", max_size=128 * 1024)
    (accept,) = site.take(charger.asks()).reply.commands
    assert accept == Accept(charger.connection, subprotocol="", max_size=128 * 1024)
    (refuse,) = site.take(charger.asks(subprotocols=("ocpp2.0.1",))).reply.commands
    assert isinstance(refuse, Refuse)
    assert refuse.status == 400


def test_a_charge_point_has_the_subprotocol_of_its_newest_connection() -> None:
    site, charger = CentralSystem(), Charger()
    site.take(charger.connects(subprotocol="ocpp1.6j"))
    assert ChargePoint.objects.get().subprotocol == "ocpp1.6j"
    site.take(charger.again().connects())
    assert ChargePoint.objects.get().subprotocol == ""


def test_an_event_of_an_edge_that_names_no_subprotocol_is_one_of_1_6() -> None:
    site, charger = CentralSystem(), Charger()
    site.take(charger.connects())
    said = b'{"type": "received", "charge_point": "CP1", "connection": "c", "seq": 1, "at": 1.5}'
    (event,) = decode_batch(b'{"v": 1, "edge": "e", "batch": "b", "events": [%s]}' % said).events
    assert isinstance(event, Received)
    assert event.subprotocol == ""


@pytest.mark.parametrize(
    ("rule", "status", "registration"),
    [("accept", None, "Accepted"), ("pending", None, "Pending"), ("reject", 404, None)],
)
def test_an_unknown_charge_point_is_treated_as_the_site_says(
    settings: Any, rule: str, status: int | None, registration: str | None
) -> None:
    """E-01."""
    settings.OCPP_UNKNOWN_CHARGE_POINTS = rule
    site, charger = CentralSystem(), Charger()
    (answer,) = site.take(charger.asks()).reply.commands
    assert getattr(answer, "status", None) == status
    assert ChargePoint.objects.values_list("registration", flat=True).first() == registration


def test_a_charger_that_is_not_known_any_more_is_sent_away(settings: Any) -> None:
    """Deleted while it was connected: neither silence nor a crash."""
    settings.OCPP_UNKNOWN_CHARGE_POINTS = "reject"
    site, charger = CentralSystem(), Charger()
    close = Close(charger.connection, 1008, "this charge point is not registered here")
    assert site.take(charger.connects()).reply.commands == (close,)
    assert site.take(charger.boots()).reply.commands == (close,)
    assert site.take(charger.leaves()).reply.commands == ()


@pytest.mark.parametrize("identity", ["", "x" * 49, "x" * 10_000])
def test_an_impossible_identity_is_nobodys(identity: str) -> None:
    """E-02: the edge refuses it; whatever comes through all the same breaks nothing here."""
    site, charger = CentralSystem(), Charger(identity)
    (refuse,) = site.take(charger.asks()).reply.commands
    assert isinstance(refuse, Refuse)
    assert refuse.status == 404
    taken = site.take(charger.connects(), charger.boots(), charger.leaves())
    assert {type(command) for command in taken.reply.commands} == {Close}
    assert ChargePoint.objects.count() == 0


def test_a_new_connection_replaces_the_old_one_and_its_late_close_changes_nothing() -> None:
    """D-21: 50 times, in this order and with frames of the old socket in between."""
    site, old = CentralSystem(), Charger()
    site.connect(old)
    for _ in range(50):
        new = old.again()
        taken = site.take(new.asks(), new.connects())
        assert Close(old.connection, 1000, "a newer connection took over") in taken.reply.commands
        assert connection() == new.connection
        # D-23: an answer to the old socket goes to the old socket.
        (send,) = site.take(old.calls("Heartbeat")).reply.commands
        assert isinstance(send, Send)
        assert send.connection == old.connection
        site.take(old.leaves())
        assert connection() == new.connection
        old = new
    site.take(old.leaves())
    assert connection() is None


def test_a_connection_on_another_edge_is_closed_there() -> None:
    """F-16: two edges."""
    one, two, old = CentralSystem("edge-1"), CentralSystem("edge-2"), Charger()
    one.connect(old)
    new = old.again()
    taken = two.take(new.connects())
    assert taken.reply.commands == ()
    assert taken.elsewhere == [
        ("edge-1", Close(old.connection, 1000, "a newer connection took over"))
    ]
    one.take(old.leaves())
    row = ChargePoint.objects.values_list("connection", "edge_id").get()
    assert (str(row[0]), row[1]) == (new.connection, "edge-2")


@pytest.mark.parametrize("late_by", [0.001, 60])
def test_an_older_connection_heard_of_last_does_not_take_over(late_by: float) -> None:
    """Its edge was busy: the charger had moved to another one before its `connected` came."""
    one, two, old = CentralSystem("edge-1"), CentralSystem("edge-2"), Charger()
    opened = old.connects()
    new = old.again()
    new.now += late_by
    two.take(new.connects())
    taken = one.take(opened)
    assert taken.reply.commands == (Close(old.connection, 1000, "a newer connection took over"),)
    assert taken.elsewhere == []
    assert connection() == new.connection
    one.take(old.leaves())
    assert connection() == new.connection


def test_an_edge_whose_clock_is_behind_still_gets_the_charger() -> None:
    """By more than an event is ever late: then its order of arrival decides."""
    one, two, old = CentralSystem("edge-1"), CentralSystem("edge-2"), Charger()
    old.now = 61
    one.connect(old)
    new = old.again()
    new.now = 0
    taken = two.take(new.connects())
    assert taken.elsewhere == [
        ("edge-1", Close(old.connection, 1000, "a newer connection took over"))
    ]
    assert connection() == new.connection


def test_events_that_come_again_out_of_time_change_nothing() -> None:
    """The old connection's `connected` redelivered after the new one's."""
    site, old = CentralSystem(), Charger()
    opened = old.connects()
    site.take(opened)
    new = old.again()
    site.take(new.connects(), old.leaves())
    site.take(opened, deliveries=1)
    assert connection() == new.connection
    closed = new.leaves()
    site.take(closed)
    site.take(opened, closed, deliveries=1)
    assert connection() is None
    assert ConnectionEvent.objects.count() == 4


def test_open_and_close_in_one_batch_leave_the_charger_off_line() -> None:
    """In one batch, in their order; and in two batches."""
    site, charger = CentralSystem(), Charger()
    site.take(charger.connects(), charger.boots(), charger.leaves())
    assert connection() is None
    assert list(ConnectionEvent.objects.order_by("id").values_list("kind", flat=True)) == [
        "connected",
        "disconnected",
    ]


def test_two_spellings_are_one_charge_point_with_one_connection() -> None:
    """E-04: no shadow record."""
    site, one = CentralSystem(), Charger("Garage-1")
    site.connect(one)
    two = one.again("GARAGE-1")
    site.take(two.connects())
    assert connection() == two.connection
    three = Charger("garage-1")
    four = Charger("gArAgE-1")
    site.take(three.connects(), four.connects())
    assert connection() == four.connection
    assert ChargePoint.objects.get().identity == "Garage-1"


def test_a_frame_brings_a_charger_back_whose_edge_was_thought_dead() -> None:
    """F-17: the edge was only cut off."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    site.alive()
    timeout = setting("OCPP_EDGE_TIMEOUT")
    sweep(at(timeout))
    assert connection() == charger.connection
    sweep(at(timeout + 1))
    assert connection() is None
    assert Edge.objects.count() == 0
    charger.now = 40
    site.take(charger.calls("Heartbeat"))
    assert connection() == charger.connection
    assert Edge.objects.get().reply_to == site.reply_to


def test_a_frame_of_a_closed_connection_brings_nobody_back() -> None:
    """Its answer came late; the charger is gone."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    late = charger.calls("Heartbeat")
    site.take(charger.leaves())
    site.take(late)
    assert connection() is None


def test_a_frame_on_a_connection_that_never_opened_brings_nobody_back() -> None:
    """A replayed frame comes on a connection on which nobody listens."""
    site, charger = CentralSystem(), Charger()
    assert "currentTime" in site.result(charger.calls("Heartbeat"))
    assert connection() is None


@pytest.mark.parametrize("reason", ["bye\x00", "\x00" * 123, "x" * 300, "a\r\nb"])
def test_no_close_reason_keeps_a_charger_on_line(reason: str) -> None:
    """A NUL in it is valid UTF-8, and Postgres can't store it: I-11 by the back door."""
    site, charger = CentralSystem(), Charger()
    site.take(charger.connects(user_agent="a\x00b" * 100, subprotocol="x" * 300))
    site.take(charger.leaves(1000, reason))
    assert connection() is None
    assert ConnectionEvent.objects.count() == 2


def test_a_reconnect_without_a_boot_is_served() -> None:
    """D-28; OCPP-J 1.6, 5.4."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    started = site.start(charger)
    charger = site.connect(charger.again())
    assert site.result(charger.measures(started, 2000)) == {}
    assert site.result(charger.stops(started)) == {}


@pytest.mark.parametrize("registration", ["Accepted", "Pending"])
def test_a_charger_is_served_before_its_boot(registration: str) -> None:
    """D-29: what comes before an accepted boot is kept; a pending charger is served, too."""
    site, charger = CentralSystem(), Charger()
    ChargePoint.objects.create(identity="CP1", registration=registration)
    site.take(charger.connects())
    assert "transactionId" in site.result(charger.starts())
    assert "currentTime" in site.result(charger.calls("Heartbeat"))
    assert site.result(charger.boots())["status"] == registration


def test_a_rejected_charger_gets_errors_and_results_where_the_standard_wants_them() -> None:
    """D-29: 4.2; Start and Stop are answered with a result all the same, and quarantined."""
    site, charger = CentralSystem(), Charger()
    ChargePoint.objects.create(identity="CP1", registration="Rejected")
    assert site.result(charger.boots())["status"] == "Rejected"
    assert site.error(charger.calls("Heartbeat")) == "SecurityError"
    first = site.result(charger.starts())
    assert first["idTagInfo"] == {"status": "Invalid"}
    assert site.result(charger.starts()) == first
    assert site.result(charger.stops(first["transactionId"])) == {}


def test_six_fresh_chargers_with_their_first_frames_at_once_are_all_served() -> None:
    """D-31: three bursts in one batch each."""
    site = CentralSystem()
    chargers = [Charger(f"CP{number}") for number in range(6)]
    for _ in range(3):
        frames = site.frames(*(charger.shows("Available") for charger in chargers))
        assert len(frames) == 6
        assert all(frame.startswith("[3,") for frame in frames)
    assert ChargePoint.objects.count() == 6


def test_the_commands_of_a_lost_connection_end_with_it() -> None:
    """The outstanding one has an unknown outcome; those for this connection only are off."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    charge_point = ChargePoint.objects.get()
    usual = {"charge_point": charge_point, "action": "Reset"}
    Command.objects.create(**usual, state="sent", connection=charger.connection)
    Command.objects.create(**usual, connection=charger.connection, idempotency_key="k")
    Command.objects.create(**usual)
    site.take(charger.leaves())
    assert list(
        Command.objects.order_by("id").values_list("state", "idempotency_key", "error_description")
    ) == [
        (
            "timed_out",
            None,
            "the connection closed before the answer came; the outcome is unknown",
        ),
        ("cancelled", None, "the connection closed before it was due"),
        ("queued", None, ""),
    ]
