"""Cards and operators go before the automatic start (MicroOcpp 1.2.0: 4 of 4 times they did not).

What a charger of two connectors says, and what a worker sends at which second.
"""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import ChargePoint, Command, IdTag, Transaction
from tests.ocpp.charger import CentralSystem, Charger, at
from tests.ocpp.commands.test_lifecycle import Edges, look

pytestmark = pytest.mark.django_db
CARD = "5AFE0102"
STARTS = ["RemoteStartTransaction"]


class Garage:
    """A charger, its site, and a worker."""

    def __init__(self) -> None:
        self.site, self.edges = CentralSystem(), Edges()
        self.charger = self.site.connect(Charger())

    def at(self, seconds: float) -> "Garage":
        """From now on it is so late."""
        self.charger.now = seconds
        return self

    def shows(self, status: str, connector: int = 1) -> None:
        """StatusNotification."""
        self.site.result(self.charger.shows(status, connector))

    def presents(self, card: str = CARD) -> str:
        """Authorize; what it is answered."""
        answer = self.site.result(self.charger.calls("Authorize", {"idTag": card}))
        return str(answer["idTagInfo"]["status"])

    def starts(self, connector: int = 1, card: str = CARD) -> dict[str, Any]:
        """StartTransaction."""
        when = at(self.charger.now).isoformat()
        call = self.charger.starts(connectorId=connector, idTag=card, timestamp=when)
        answer: dict[str, Any] = self.site.result(call)
        return answer

    def sent(self, seconds: float) -> list[tuple[int, str]]:
        """(connector, id tag) of the starts that go out until then, each answered Accepted."""
        found = []
        while True:
            if look(self.edges, seconds) == STARTS:
                command = Command.objects.get(state="sent")
                found.append((command.payload.get("connectorId", 0), command.payload["idTag"]))
                self.answers(command, seconds)
            else:
                return found

    def answers(self, command: Command, seconds: float, status: str = "Accepted") -> None:
        """The CALLRESULT."""
        self.at(seconds).site.take(self.charger.answers(command.unique_id, {"status": status}))

    def operator(self, seconds: float, status: str = "Accepted", **payload: Any) -> None:
        """A person's RemoteStartTransaction, from the page to the charger's answer."""
        charge_point = ChargePoint.objects.get(identity="CP1")
        wish = {"idTag": CARD, **payload}
        lifecycle.queue(charge_point, "RemoteStartTransaction", wish, source="admin")
        Command.objects.filter(source="admin").update(not_before=at(seconds))
        assert look(self.edges, seconds) == STARTS
        self.answers(Command.objects.get(state="sent"), seconds, status)


@pytest.fixture
def garage() -> Garage:
    """At twelve."""
    return Garage()


def why() -> list[tuple[str, str]]:
    """How the automatic starts stand, and why."""
    rows = Command.objects.filter(source="AutoRemoteStart").order_by("id")
    return list(rows.values_list("state", "error_description"))


def test_nobody_else_is_there_so_the_car_is_started_a_second_later(garage: Garage) -> None:
    """The default: everybody charges, with no card."""
    garage.shows("Preparing")
    assert garage.sent(0.9) == []
    assert garage.sent(1) == [(1, "anonymous")]


def test_a_card_that_was_presented_first_keeps_the_automatic_start_away(garage: Garage) -> None:
    """mo16-1: Authorize, Preparing 4 ms later, and the charger's own StartTransaction."""
    assert garage.presents() == "Accepted"
    garage.at(0.004).shows("Preparing")
    assert garage.sent(1.05) == []
    assert why() == [
        ("queued", f"waiting for {CARD}, which may start a session here until 12:02:00 UTC")
    ]
    garage.at(2.5).starts()
    garage.shows("Charging")
    assert garage.sent(4) == garage.sent(200) == []
    runs = f"no start was needed: a session of {CARD} is running on this connector"
    assert why() == [("cancelled", runs)]
    assert Transaction.objects.get().id_tag == CARD


def test_a_card_within_the_second_of_the_plug_in_is_not_too_late(garage: Garage) -> None:
    """The start that waits for its second looks once more before it goes."""
    garage.shows("Preparing")
    garage.at(0.9).presents()
    assert garage.sent(1) == garage.sent(60) == []


def test_every_other_car_is_started_when_the_card_has_its_session(garage: Garage) -> None:
    """Authorize names no connector: both wait, one is taken, the other one starts."""
    garage.presents()
    garage.at(1).shows("Preparing", 1)
    garage.shows("Preparing", 2)
    assert garage.sent(2) == garage.sent(20) == []
    garage.at(20).starts(2)
    # Its connector still shows Preparing: the session that runs there is what counts.
    assert garage.sent(23) == [(1, "anonymous")]
    runs = f"no start was needed: a session of {CARD} is running on this connector"
    assert why() == [("answered", ""), ("cancelled", runs)]


def test_the_other_car_waits_two_seconds_at_most_once_the_card_has_its_session(
    garage: Garage,
) -> None:
    """Also where the charger has just connected: it has said what is there."""
    garage.presents()
    garage.at(0.1).shows("Preparing", 1)
    garage.shows("Preparing", 2)
    assert garage.sent(1.2) == []
    garage.at(2).starts(2)
    assert garage.sent(3.3) == [(1, "anonymous")]


def test_a_card_that_is_never_used_holds_for_the_connection_time_out(garage: Garage) -> None:
    """Two minutes, if the charger has not told its own."""
    garage.presents()
    garage.at(5).shows("Preparing")
    for seconds in range(6, 119, 2):
        assert garage.sent(seconds) == []
    assert garage.sent(120.1) == [(1, "anonymous")]


@pytest.mark.parametrize(
    ("action", "asked", "answer"),
    [
        (
            "GetConfiguration",
            {},
            {"configurationKey": [{"key": "ConnectionTimeOut", "readonly": False, "value": "30"}]},
        ),
        (
            "ChangeConfiguration",
            {"key": "ConnectionTimeOut", "value": "30"},
            {"status": "Accepted"},
        ),
    ],
)
def test_the_chargers_own_connection_time_out_counts_once_it_is_known(
    garage: Garage, action: str, asked: dict[str, Any], answer: dict[str, Any]
) -> None:
    """As it says itself, or as it was set from here."""
    charge_point = ChargePoint.objects.get()
    lifecycle.queue(charge_point, action, asked, source="admin")
    Command.objects.update(not_before=at(0))
    assert look(garage.edges, 0) == [action]
    garage.site.take(garage.charger.answers(Command.objects.get().unique_id, answer))
    garage.presents()
    garage.at(5).shows("Preparing")
    assert garage.sent(29) == []
    assert garage.sent(31.1) == [(1, "anonymous")]


@pytest.mark.parametrize("said", ["0", "soon", "86400", "", None])
def test_a_connection_time_out_that_makes_no_sense_is_not_believed(
    garage: Garage, said: str | None
) -> None:
    """Some say 0 for "never"."""
    lifecycle.queue(ChargePoint.objects.get(), "GetConfiguration", {}, source="admin")
    Command.objects.update(not_before=at(0))
    look(garage.edges, 0)
    answer = {"configurationKey": [1, {"key": "ConnectionTimeOut", "value": said}]}
    garage.site.take(garage.charger.answers(Command.objects.get().unique_id, answer))
    assert ChargePoint.objects.get().connection_timeout is None


def test_an_operators_start_of_another_card_holds_its_connector(garage: Garage) -> None:
    """Accepted, then the cable: the car is the resident's. The other connector is nobody's."""
    garage.operator(0, connectorId=1)
    garage.at(5).shows("Preparing", 1)
    garage.shows("Preparing", 2)
    assert garage.sent(6) == [(2, "anonymous")]
    garage.at(9).starts(1)
    garage.shows("Charging", 1)
    assert garage.sent(200) == []


def test_an_operators_start_that_names_no_connector_holds_all(garage: Garage) -> None:
    """Until its session is there."""
    garage.operator(0)
    garage.at(5).shows("Preparing", 1)
    garage.shows("Preparing", 2)
    assert garage.sent(6) == []
    garage.at(9).starts(1)
    assert garage.sent(10) == [(2, "anonymous")]


def test_an_operators_start_that_is_rejected_holds_nothing(garage: Garage) -> None:
    """The car that waited behind it is started."""
    garage.shows("Preparing")
    garage.operator(0.5, "Rejected", connectorId=1)
    assert garage.sent(1) == [(1, "anonymous")]


def test_an_operators_start_that_is_not_answered_does_not_lose_the_car(garage: Garage) -> None:
    """One Call at a time: the automatic one goes after the other's time-out."""
    garage.shows("Preparing")
    charge_point = ChargePoint.objects.get()
    lifecycle.queue(charge_point, "RemoteStartTransaction", {"idTag": CARD}, source="admin")
    Command.objects.filter(source="admin").update(not_before=at(0))
    assert look(garage.edges, 0.5) == STARTS
    assert look(garage.edges, 60) == []
    assert garage.sent(62) == [(1, "anonymous")]


def test_the_session_may_begin_before_the_answer_to_its_start_comes(garage: Garage) -> None:
    """Then nobody is waited for."""
    charge_point = ChargePoint.objects.get()
    lifecycle.queue(charge_point, "RemoteStartTransaction", {"idTag": CARD}, source="admin")
    Command.objects.update(not_before=at(0))
    look(garage.edges, 0)
    garage.at(2).starts(1)
    garage.answers(Command.objects.get(), 3)
    garage.shows("Preparing", 2)
    assert garage.sent(4) == [(2, "anonymous")]


def test_a_charger_that_authorises_the_remote_start_holds_no_more_than_that(
    garage: Garage,
) -> None:
    """AuthorizeRemoteTxRequests: the tag of the RemoteStart, and our own one."""
    garage.operator(0, connectorId=1)
    garage.presents()
    garage.presents("anonymous")
    garage.at(5).shows("Preparing", 2)
    assert garage.sent(6) == [(2, "anonymous")]


def test_another_cards_session_does_not_end_the_hold(garage: Garage) -> None:
    """Two residents, one after the other; and the card of the first is read in capitals."""
    garage.presents("aa01")
    garage.presents("BB02")
    garage.at(1).shows("Preparing", 1)
    garage.shows("Preparing", 2)
    garage.at(2).starts(2, "BB02")
    garage.shows("Charging", 2)
    assert garage.sent(3) == []
    garage.at(4).starts(1, "AA01")
    garage.shows("Charging", 1)
    assert garage.sent(200) == []


def test_a_card_that_ends_a_session_holds_nothing_any_more(garage: Garage) -> None:
    """Authorize to stop, StopTransaction; the other car goes on waiting for nobody."""
    started = garage.starts(1)["transactionId"]
    garage.at(100).presents()
    garage.site.result(garage.charger.stops(started, idTag=CARD))
    garage.at(3601).shows("Preparing", 2)
    assert garage.sent(3602) == [(2, "anonymous")]


@pytest.mark.parametrize("told", [{}, {"idTag": CARD.lower()}, {"idTag": None}])
def test_a_card_that_ended_its_session_is_waited_for_no_longer(
    garage: Garage, told: dict[str, Any]
) -> None:
    """Authorize to stop, and a stop that does not say with which card: the other car waited out
    the connection time-out."""
    started = garage.starts(1)["transactionId"]
    garage.at(1000).presents()
    garage.at(1001).shows("Preparing", 2)
    assert garage.sent(1002.5) == []
    when = at(1003).isoformat()
    stop = {"transactionId": started, "meterStop": 1010, "timestamp": when, **told}
    garage.site.result(garage.at(1003).charger.calls("StopTransaction", stop))
    assert garage.sent(1003.1) == [(2, "anonymous")]


def test_the_end_of_another_cards_session_says_nothing_of_this_one(garage: Garage) -> None:
    """No tag is told; it was BB02's session."""
    started = garage.starts(1, "BB02")["transactionId"]
    garage.at(1000).presents()
    garage.at(1001).shows("Preparing", 2)
    stop = {"transactionId": started, "meterStop": 1010, "timestamp": at(1003).isoformat()}
    garage.site.result(garage.at(1003).charger.calls("StopTransaction", stop))
    assert garage.sent(1004) == []


def test_a_stop_that_was_kept_for_an_hour_does_not_end_the_hold(garage: Garage) -> None:
    """The charger was off line; the card was presented for the car that is there now."""
    garage.site.result(
        garage.charger.calls(
            "StatusNotification",
            {
                "connectorId": 0,
                "errorCode": "NoError",
                "status": "Available",
                "timestamp": at(0).isoformat(),
            },
        )
    )
    started = garage.starts(1)["transactionId"]
    garage.at(4000).presents()
    garage.at(4001).shows("Preparing", 2)
    stop = {"transactionId": started, "meterStop": 1010, "timestamp": at(400).isoformat()}
    garage.site.result(garage.at(4002).charger.calls("StopTransaction", {**stop, "idTag": CARD}))
    assert garage.sent(4010) == []
    garage.at(4011).starts(2)
    garage.shows("Charging", 2)
    assert garage.sent(4200) == []


def test_the_end_of_a_session_leaves_an_operators_start_elsewhere_its_connector(
    garage: Garage,
) -> None:
    """The same card, accepted for connector 2, while its session on connector 1 ends."""
    started = garage.starts(1)["transactionId"]
    garage.operator(100, connectorId=2)
    stop = {"transactionId": started, "meterStop": 1010, "timestamp": at(101).isoformat()}
    garage.site.result(garage.at(101).charger.calls("StopTransaction", stop))
    garage.at(102).shows("Preparing", 2)
    assert garage.sent(104) == []


@pytest.mark.parametrize("held", [1, 40])
def test_starts_that_are_held_cost_no_statement_until_somebody_is_served(held: int) -> None:
    """They were read, with what their connectors show, and written again every two seconds."""
    site, edges = CentralSystem(), Edges()
    for number in range(held):
        charger = site.connect(Charger(f"HELD-{number}"))
        site.result(charger.calls("Authorize", {"idTag": CARD}))
        site.result(charger.shows("Preparing"))
    assert look(edges, 1.1) == []
    with CaptureQueriesContext(connection) as idle:
        for seconds in range(2, 30, 2):
            assert lifecycle.calls_to_send(at(seconds)).calls == ()
    # Each round asks whether anything is due at all, as it does where nobody charges.
    assert len(idle) == len(range(2, 30, 2))
    with CaptureQueriesContext(connection) as again:
        assert list(lifecycle.calls_to_send(at(32)).calls) == []
    assert len(again) <= 8
    assert Command.objects.filter(state="queued").count() == held


def test_a_start_that_was_put_off_waits_beyond_its_first_three_minutes(garage: Garage) -> None:
    """The charger's own connection time-out may be a quarter of an hour."""
    ChargePoint.objects.update(connection_timeout=900)
    garage.presents()
    garage.at(5).shows("Preparing")
    for seconds in range(6, 899, 30):
        assert garage.sent(seconds) == []
        lifecycle.give_up(at(seconds))
    assert garage.sent(900.1) == [(1, "anonymous")]


def test_a_start_whose_delay_is_not_over_is_not_hastened(garage: Garage) -> None:
    """Grizzl-E ignores what comes within a second, whoever else has just been served."""
    started = garage.starts(1)["transactionId"]
    garage.at(1000).presents()
    garage.at(1002.5).shows("Preparing", 2)
    stop = {"transactionId": started, "meterStop": 1010, "timestamp": at(1003).isoformat()}
    garage.site.result(garage.at(1003).charger.calls("StopTransaction", stop))
    assert garage.sent(1003.4) == []
    assert garage.sent(1003.6) == [(2, "anonymous")]


def test_a_short_session_of_the_card_ends_its_hold_for_good(garage: Garage) -> None:
    """Begun and over within the connection time-out; the stop names no tag."""
    garage.presents()
    started = garage.at(2).starts(1)["transactionId"]
    garage.at(20)
    stop = {"transactionId": started, "meterStop": 1010, "timestamp": at(20).isoformat()}
    garage.site.result(garage.charger.calls("StopTransaction", stop))
    garage.at(30).shows("Preparing", 2)
    assert garage.sent(31) == [(2, "anonymous")]


def test_a_blocked_card_is_not_started_as_anybody_else(garage: Garage) -> None:
    """NEWCOMER B7: a lost card is blocked; Authorize, Blocked, the cable, and no start."""
    IdTag.objects.create(id_tag=CARD, status="Blocked")
    assert garage.presents() == "Blocked"
    garage.at(5).shows("Preparing")
    assert garage.sent(6) == garage.sent(300) == []
    told = f"not started without a card: {CARD} was presented here and is Blocked."
    assert [(state, text.startswith(told)) for state, text in why()] == [("cancelled", True)]
    # Told again, it is the same plug-in.
    garage.at(301).shows("Preparing")
    assert garage.sent(303) == []


def test_a_good_card_after_a_blocked_one_charges(garage: Garage) -> None:
    """And a car that comes later is nobody's who was refused."""
    IdTag.objects.create(id_tag="LOST", status="Blocked")
    garage.presents("LOST")
    garage.at(2).presents()
    garage.at(5).shows("Preparing", 1)
    garage.at(6).starts(1)
    garage.shows("Charging", 1)
    garage.at(7).presents("LOST")
    garage.at(200).shows("Preparing", 2)
    assert garage.sent(201) == [(2, "anonymous")]


def test_a_session_that_was_refused_does_not_begin_again_as_anonymous(garage: Garage) -> None:
    """A stale local list: StartTransaction is Blocked, the charger stops it, Preparing again."""
    IdTag.objects.create(id_tag=CARD, status="Blocked")
    garage.shows("Preparing", 2)
    assert garage.sent(1) == [(2, "anonymous")]
    answer = garage.at(2).starts(1)
    assert answer["idTagInfo"]["status"] == "Blocked"
    garage.site.result(
        garage.charger.calls(
            "StopTransaction",
            {
                "transactionId": answer["transactionId"],
                "meterStop": 1000,
                "timestamp": at(3).isoformat(),
                "reason": "DeAuthorized",
            },
        )
    )
    garage.at(4).shows("Preparing", 1)
    assert garage.sent(10) == []


def test_a_burst_after_a_reconnect_is_one_start(garage: Garage) -> None:
    """mo16-2: Available, Preparing (28 s old), Available, Preparing (1 s old), 11 ms apart."""
    for step, status in enumerate(["Available", "Preparing", "Available", "Preparing"]):
        garage.at(step * 0.003).shows(status)
    assert garage.sent(1) == []
    assert garage.sent(1.1) == [(1, "anonymous")]
    assert [state for state, _ in why()] == ["cancelled", "answered"]


def test_a_start_that_waits_survives_a_reconnect_and_another_worker(garage: Garage) -> None:
    """All of it is in the database; the charger says nothing of its connectors (MicroOcpp)."""
    garage.presents()
    garage.at(1).shows("Preparing")
    assert garage.sent(2) == []
    garage.at(30).site.take(garage.charger.leaves())
    garage.site, garage.charger = CentralSystem(), garage.charger.again()
    garage.site.connect(garage.charger)
    garage.edges = Edges()
    assert garage.sent(32) == garage.sent(119) == []
    assert garage.sent(121.5) == [(1, "anonymous")]


def test_a_charger_that_has_just_come_back_may_first_say_what_is_there(garage: Garage) -> None:
    """The car left while the line was cut."""
    garage.presents()
    garage.at(1).shows("Preparing")
    assert garage.sent(2) == []
    garage.at(30).site.take(garage.charger.leaves())
    garage.charger = garage.charger.again()
    garage.at(119).site.connect(garage.charger)
    assert garage.sent(125) == []
    garage.at(126).shows("Available")
    assert garage.sent(130) == []
    left = "no start was needed: the car was unplugged before it was started"
    assert why() == [("cancelled", left)]


def test_nobody_is_held_where_a_card_has_to_be_presented(garage: Garage) -> None:
    """Rule `known`: there is no automatic start that could be in the way."""
    ChargePoint.objects.update(authorization="known")
    garage.presents()
    assert ChargePoint.objects.get().holds == ""
