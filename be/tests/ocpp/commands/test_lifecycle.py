"""From an operator's wish to a charger's answer: D-24 to D-27, D-30, W-14."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import ChargePoint, Command, Message
from levity_ws.rpc.envelope import Reply, Send
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db


class Edges:
    """What was sent to the edges; False from those in `gone`."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, list[Any]]] = []
        self.gone: set[str] = set()

    def __call__(self, reply_to: str, reply: Reply) -> bool:
        if reply_to in self.gone:
            return False
        for command in reply.commands:
            assert isinstance(command, Send)
            self.sent.append((reply_to, command.connection, json.loads(command.text)))
        return True

    def actions(self) -> list[str]:
        """The actions that were sent since the last look."""
        found = [frame[2] for _, _, frame in self.sent]
        self.sent.clear()
        return found


@pytest.fixture
def edges() -> Edges:
    """Where `dispatch` sends to."""
    return Edges()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """`queue` counts from `NOW`."""
    monkeypatch.setattr("levity.ocpp.commands.lifecycle.timezone.now", lambda: at(0))


@pytest.fixture
def site(clock: None) -> CentralSystem:
    """An edge and a backend."""
    return CentralSystem()


@pytest.fixture
def charger(site: CentralSystem) -> Charger:
    """One that is connected."""
    return site.connect(Charger())


def ask(action: str = "Reset", identity: str = "CP1", **options: Any) -> Command:
    """Queue a Call; what it asks for is of no matter here."""
    charge_point = ChargePoint.objects.get(identity=identity)
    payload = {"type": "Soft"}
    return lifecycle.queue(charge_point, action, payload, source="test", force=True, **options)


def look(edges: Edges, seconds: float = 0) -> list[str]:
    """What a worker does again and again; the actions that went out."""
    now = at(seconds)
    lifecycle.give_up(now)
    lifecycle.dispatch(now, edges)
    return edges.actions()


def end(command: Command) -> tuple[str, str]:
    """How the command stands, and why."""
    command.refresh_from_db()
    return command.state, command.error_description


def test_a_call_goes_to_the_charger_and_its_answer_comes_back(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """Whole rows: the command, and the message with its answer beside it."""
    command = ask(timeout=30)
    assert lifecycle.dispatch(at(1), edges) == 1
    assert edges.sent == [
        (
            site.reply_to,
            charger.connection,
            [2, command.unique_id, "Reset", {"type": "Soft"}],
        )
    ]
    command.refresh_from_db()
    assert (command.state, command.sent_at, command.deadline) == ("sent", at(1), at(31))
    charger.now = 2
    assert site.frames(charger.answers(command.unique_id, {"status": "Accepted"})) == []
    command.refresh_from_db()
    assert (
        command.state,
        command.result,
        command.result_status,
        command.finished_at,
        command.answered_late,
    ) == ("answered", {"status": "Accepted"}, "Accepted", at(2), False)
    row = Message.objects.values("sender", "action", "request", "response", "answered_at").get()
    assert row == {
        "sender": "cs",
        "action": "Reset",
        "request": f'[2,"{command.unique_id}","Reset",{{"type":"Soft"}}]',
        "response": f'[3, "{command.unique_id}", {{"status": "Accepted"}}]',
        "answered_at": at(2),
    }


def test_the_second_call_waits_for_the_first_result(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """D-25: five at once go one after the other, in the order in which they were asked for."""
    asked = [ask(f"Action{number}") for number in range(5)]
    for command in asked:
        assert look(edges) == [command.action]
        assert look(edges) == []
        assert Command.objects.filter(state="sent").count() == 1
        taken = site.take(charger.answers(command.unique_id, {}))
        # The next one goes at once; where there is none, nobody looks for it.
        assert taken.commands_due == (command is not asked[-1])
    assert look(edges) == []


def test_only_a_call_that_waits_for_the_same_charger_is_looked_for(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """An answer is no reason to look at the queue where nobody waits for it."""
    first, second = ask("One"), ask("Two")
    others = ChargePoint.objects.create(identity="OTHER")
    Command.objects.create(charge_point=others, action="Three", payload={})
    assert look(edges)[0] == "One"
    assert site.take(charger.answers(first.unique_id, {})).commands_due
    assert look(edges) == ["Two"]
    assert not site.take(charger.answers(second.unique_id, {})).commands_due


def test_the_database_forbids_a_second_outstanding_call(charger: Charger) -> None:
    """OCPP-J 1.6, 4.1.1: whoever sends it, in whichever worker."""
    one, two = ask(), ask()
    Command.objects.filter(pk=one.pk).update(state="sent")
    with pytest.raises(IntegrityError), transaction.atomic():
        Command.objects.filter(pk=two.pk).update(state="sent")


def test_a_call_that_is_never_answered_times_out_and_the_next_one_goes(
    charger: Charger, edges: Edges
) -> None:
    """D-26: its own time-out, else the charge point's, else the site's."""
    one, two = ask("One", timeout=10), ask("Two")
    ChargePoint.objects.update(call_timeout=120)
    assert look(edges) == ["One"]
    assert look(edges, 10) == []
    assert look(edges, 10.001) == ["Two"]
    assert end(one) == ("timed_out", "the charger did not answer in time")
    assert look(edges, 130) == []
    assert end(two)[0] == "sent"
    assert look(edges, 131) == []
    assert end(two)[0] == "timed_out"


def test_a_late_answer_is_still_matched(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """Mennekes Amtron answers after 60 s; also after the next Call is out."""
    one, two = ask("One", timeout=1), ask("Two")
    look(edges)
    assert look(edges, 2) == ["Two"]
    site.take(charger.answers(one.unique_id, {"status": "Accepted"}))
    one.refresh_from_db()
    assert (one.state, one.answered_late, one.result_status) == ("answered", True, "Accepted")
    assert end(two)[0] == "sent"


def test_an_answer_on_the_next_connection_is_still_matched(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """The charger kept it while it was away."""
    command = ask()
    look(edges)
    site.take(charger.leaves())
    assert end(command)[0] == "timed_out"
    again = site.connect(charger.again())
    site.take(again.answers(command.unique_id, {"status": "Accepted"}))
    assert end(command)[0] == "answered"


def test_a_callerror_is_recorded_as_the_charger_put_it(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """Wallbox: ProtocolError to a RemoteStart that carries a profile."""
    command = ask()
    look(edges)
    site.take(charger.refuses(command.unique_id, "ProtocolError", "no profile\x00, please"))
    command.refresh_from_db()
    assert (command.state, command.error_code, command.error_description) == (
        "refused",
        "ProtocolError",
        "no profile, please",
    )
    assert Message.objects.get().error_code == "ProtocolError"


@pytest.mark.parametrize(
    "half",
    [
        '[3,"{}",{{"configurationKey":[]',
        '[3,"{}"]',
        '[3,"{}",{{"a":NaN}}]',
        '[4,"{}","Gen',
        '[3,"{}",' + "[" * 300 + "]" * 300 + "]",
    ],
)
def test_half_an_answer_ends_the_call_at_once(
    site: CentralSystem, charger: Charger, edges: Edges, half: str
) -> None:
    """I-01: Grizzl-E 5.x; the next Call flows, the socket stays."""
    command, following = ask(), ask("Next")
    look(edges)
    text = half.replace("{}", command.unique_id).replace("{{", "{").replace("}}", "}")
    assert site.take(charger.says(text)).reply.commands == ()
    command.refresh_from_db()
    assert (command.state, command.error_code) == ("refused", "Unparsable")
    assert look(edges) == ["Next"]
    assert end(following)[0] == "sent"


@pytest.mark.parametrize(
    "payload", [{}, [], None, 5, "Accepted", {"status": 7}, {"status": "x" * 99}]
)
def test_an_answer_of_any_shape_is_kept(
    site: CentralSystem, charger: Charger, edges: Edges, payload: Any
) -> None:
    """It is the charger's word; whoever asked may make sense of it."""
    command = ask()
    look(edges)
    site.take(charger.answers(command.unique_id, payload))
    command.refresh_from_db()
    assert (command.state, command.result) == ("answered", payload)


@pytest.mark.parametrize("frame", ['[3,"nobody",{}]', '[4,"nobody","GenericError","",{}]'])
def test_an_answer_that_nobody_waits_for_is_kept_and_ignored(
    site: CentralSystem, frame: str
) -> None:
    """D-24: the connection stays."""
    charger = Charger()
    assert site.take(charger.says(frame)).reply.commands == ()
    row = Message.objects.values("unique_id", "error_description").get()
    assert row == {"unique_id": "nobody", "error_description": "does not answer any Call of ours"}


def test_a_second_answer_changes_nothing(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """D-24."""
    command = ask()
    look(edges)
    site.take(charger.answers(command.unique_id, {"status": "Accepted"}))
    site.take(charger.answers(command.unique_id, {"status": "Rejected"}))
    command.refresh_from_db()
    assert command.result_status == "Accepted"
    assert (
        Message.objects.order_by("id").last().error_description == "this Call was already answered"
    )


def test_nobody_answers_for_another_charge_point(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """Whoever guesses or overhears the id of a Call."""
    command = ask()
    look(edges)
    site.take(Charger("EVIL").answers(command.unique_id, {"status": "Accepted"}))
    assert end(command)[0] == "sent"


def test_calls_cross_each_other_without_a_deadlock(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """D-27: the charger calls while it owes us an answer."""
    for _ in range(20):
        command = ask()
        look(edges)
        call = charger.calls("Heartbeat")
        frames = site.frames(call, charger.answers(command.unique_id, {"status": "Accepted"}))
        assert len(frames) == 1
        assert end(command)[0] == "answered"


def test_a_delayed_call_goes_when_it_is_due(charger: Charger, edges: Edges) -> None:
    """And lets later ones pass meanwhile."""
    ask("Later", delay=timedelta(seconds=1))
    ask("Now")
    assert look(edges, 0.999) == ["Now"]
    Command.objects.filter(action="Now").update(state="answered")
    assert look(edges, 1) == ["Later"]


def test_a_call_waits_for_a_charger_that_is_away(site: CentralSystem, edges: Edges) -> None:
    """As long as it may: then it expires. Its key stays taken: a retry is not a second wish."""
    site.take(Charger().asks())
    command = ask(expires_after=timedelta(seconds=60), idempotency_key="k")
    for_ever = ask("Later", expires_after=None)
    assert look(edges, 59) == []
    charger = site.connect(Charger())
    assert look(edges, 59) == ["Reset"]
    site.take(charger.leaves())
    assert look(edges, 60) == []
    assert end(command)[0] == "timed_out"
    assert end(for_ever)[0] == "queued"

    second = ask("Second", expires_after=timedelta(seconds=60), idempotency_key="k2")
    assert look(edges, 61) == []
    second.refresh_from_db()
    assert (second.state, second.error_description, second.idempotency_key) == (
        "expired",
        "it could not be sent in time",
        "k2",
    )


def test_a_call_for_now_fails_at_once_when_the_charger_is_away(
    site: CentralSystem, edges: Edges
) -> None:
    """`queue_offline=False`."""
    site.take(Charger().asks())
    command = ask(queue_offline=False, idempotency_key="k")
    assert look(edges) == []
    assert end(command) == ("failed", "the charger is not connected")
    assert command.idempotency_key == "k", "W-14: a second click makes no second command"


def test_a_call_for_one_connection_goes_there_or_nowhere(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """D-30: none after a disconnect, even if the charger is back by then."""
    command = ask(idempotency_key="k")
    Command.objects.update(connection=charger.connection, queue_offline=False)
    site.connect(charger.again())
    assert look(edges) == []
    assert end(command)[0] == "cancelled"
    assert command.idempotency_key is None, "it may be asked for again on the next connection"


def test_a_call_for_a_status_goes_only_while_the_connector_has_it(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """`only_status`: the car was unplugged within the second."""
    site.take(charger.shows("Preparing", 2))
    one = ask()
    Command.objects.update(only_connector=2, only_status="Preparing")
    assert look(edges) == ["Reset"]
    Command.objects.update(state="answered")
    two = ask()
    Command.objects.filter(pk=two.pk).update(only_connector=2, only_status="Preparing")
    site.take(charger.shows("Available", 2))
    assert look(edges) == []
    assert end(two) == ("cancelled", "the connector is no longer Preparing")
    assert end(one)[0] == "answered"


def test_the_same_key_is_one_call(charger: Charger) -> None:
    """W-14: clicked twice."""
    first = ask(idempotency_key="k")
    assert ask(idempotency_key="k") == first
    assert ask(idempotency_key="other") != first
    assert Command.objects.count() == 2


def test_a_call_comes_back_when_nobody_is_at_the_edge_any_more(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """It never left: it waits again, except one for now; the log says nothing of it."""
    waiting = ask()
    other = site.connect(Charger("CP2"))
    now_or_never = ask(identity="CP2", queue_offline=False)
    edges.gone.add(site.reply_to)
    assert lifecycle.dispatch(at(0), edges) == 2
    assert end(waiting)[0] == "queued"
    assert (waiting.connection, waiting.sent_at, waiting.not_before) == (None, None, at(2))
    assert end(now_or_never) == ("failed", "this charger's edge is gone")
    assert Message.objects.count() == 0
    edges.gone.clear()
    assert look(edges, 1) == []
    assert look(edges, 2) == ["Reset"]
    assert other.connection


def test_what_is_queued_can_be_cancelled_and_what_is_sent_can_not(
    charger: Charger, edges: Edges
) -> None:
    """The charger may be carrying it out."""
    sent, queued = ask(), ask()
    look(edges)
    assert lifecycle.cancel(Command.objects.all()) == 1
    assert end(sent)[0] == "sent"
    assert end(queued) == ("cancelled", "cancelled")


def test_many_calls_to_one_charger_keep_nobody_waiting(site: CentralSystem, edges: Edges) -> None:
    """300 for one, then one for another: both go within two looks."""
    site.connect(Charger("A"))
    site.connect(Charger("B"))
    usual = {"action": "Reset", "not_before": at(0)}
    one = ChargePoint.objects.get(identity="A")
    Command.objects.bulk_create(Command(charge_point=one, **usual) for _ in range(300))
    ask("Other", "B")
    assert look(edges) + look(edges) == ["Reset", "Other"]


def test_a_mass_command_goes_out_in_bounded_looks(site: CentralSystem, edges: Edges) -> None:
    """Frames wait for at most 200 Calls; one reply for each edge."""
    chargers = [Charger(f"CP{number}") for number in range(250)]
    site.take(*(charger.connects() for charger in chargers))
    Command.objects.bulk_create(
        Command(charge_point=item, action="Reset", not_before=at(0))
        for item in ChargePoint.objects.order_by("id")
    )
    assert len(look(edges)) == 200
    assert len(look(edges)) == 50


def test_auto_remote_start_from_plug_in_to_answer(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """D-30: repeated Preparing is one plug-in; the next one starts again."""
    starts: list[Command] = []
    for plug_in in range(3):
        base = plug_in * 1000.0
        for again in range(5):
            charger.now = base + again * 0.1
            site.result(charger.shows("Preparing"))
        assert look(edges, base + 0.9) == []
        assert look(edges, base + 1) == ["RemoteStartTransaction"]
        command = Command.objects.get(state="sent")
        starts.append(command)
        assert command.payload == {"connectorId": 1, "idTag": "anonymous"}
        site.take(charger.answers(command.unique_id, {"status": "Accepted"}))
        site.result(charger.shows("Preparing"))
        assert look(edges, base + 30) == []
        charger.now = base + 40
        site.result(charger.shows("Charging"))
        site.result(charger.shows("Available"))
    assert Command.objects.count() == len(starts) == 3


def test_auto_remote_start_stays_away_when_the_car_or_the_charger_is_gone(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """D-30: within the second; and the next Preparing on the new connection starts."""
    site.result(charger.shows("Preparing"))
    site.result(charger.shows("Available"))
    assert look(edges, 1) == []
    charger.now = 10
    site.result(charger.shows("Preparing"))
    site.take(charger.leaves())
    assert look(edges, 11) == []
    charger = site.connect(charger.again())
    assert look(edges, 12) == []
    site.result(charger.shows("Preparing"))
    assert look(edges, 13) == ["RemoteStartTransaction"]


def test_auto_remote_start_comes_again_where_its_outcome_is_unknown(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """D-30: the link dropped while the charger had the Call; the car may still be waiting."""
    site.result(charger.shows("Preparing"))
    assert look(edges, 1) == ["RemoteStartTransaction"]
    site.take(charger.leaves())
    charger = site.connect(charger.again())
    charger.now = 5
    site.result(charger.shows("Preparing"))
    assert look(edges, 6) == ["RemoteStartTransaction"]
    site.result(charger.shows("Preparing"))
    assert look(edges, 7) == []


def test_a_grizzl_e_is_started_once_more_while_it_is_still_preparing(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """Grizzl-E misses a RemoteStart now and then; the second goes only if it did."""
    ChargePoint.objects.update(quirk_profile="grizzl-e")
    site.result(charger.shows("Preparing"))
    assert look(edges, 1) == ["RemoteStartTransaction"]
    command = Command.objects.get(state="sent")
    site.take(charger.answers(command.unique_id, {"status": "Accepted"}))
    assert look(edges, 10) == []
    assert look(edges, 11) == ["RemoteStartTransaction"]
    command = Command.objects.get(state="sent")
    site.take(charger.answers(command.unique_id, {"status": "Accepted"}))
    charger.now = 100
    site.result(charger.shows("Available"))
    site.result(charger.shows("Preparing"))
    assert look(edges, 101) == ["RemoteStartTransaction"]
    command = Command.objects.get(state="sent")
    site.take(charger.answers(command.unique_id, {"status": "Accepted"}))
    charger.now = 103
    site.result(charger.shows("Charging"))
    assert look(edges, 111) == []


def test_a_grizzl_e_that_swallows_the_first_start_gets_the_second_after_its_time_out(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """One outstanding Call: the unanswered first one holds the second up, and must not kill it."""
    ChargePoint.objects.update(quirk_profile="grizzl-e")
    site.result(charger.shows("Preparing"))
    assert look(edges, 1) == ["RemoteStartTransaction"]
    assert look(edges, 60) == []
    assert look(edges, 62) == ["RemoteStartTransaction"]


def test_a_wallbox_that_does_not_boot_is_asked_to_before_anything_else(
    site: CentralSystem, edges: Edges
) -> None:
    """Wallbox 6.x: no command before its BootNotification, and half a minute at most."""
    site.take(Charger().asks())
    ChargePoint.objects.update(quirk_profile="wallbox")
    charger = site.connect(Charger())
    ask("GetConfiguration")
    assert look(edges, 14) == []
    assert look(edges, 15) == ["TriggerMessage"]
    command = Command.objects.get(state="sent")
    site.take(charger.answers(command.unique_id, {"status": "Accepted"}))
    assert look(edges, 16) == []
    charger.now = 17
    site.result(charger.boots())
    assert look(edges, 18) == ["GetConfiguration"]


def test_a_wallbox_that_boots_by_itself_is_not_asked_to(site: CentralSystem, edges: Edges) -> None:
    """The question is cancelled, and commands go at once."""
    site.take(Charger().asks())
    ChargePoint.objects.update(quirk_profile="wallbox")
    charger = site.connect(Charger())
    charger.now = 2
    site.result(charger.boots())
    ask("GetConfiguration")
    assert look(edges, 3) == ["GetConfiguration"]
    site.take(charger.leaves())
    assert look(edges, 15) == []
    assert Command.objects.get(action="TriggerMessage").state == "cancelled"


def test_auto_remote_start_stays_away_from_a_running_session(
    site: CentralSystem, charger: Charger, edges: Edges
) -> None:
    """Some chargers show Preparing in the middle of one."""
    site.start(charger)
    site.result(charger.shows("Preparing"))
    assert look(edges, 5) == []
    assert Command.objects.count() == 0


def test_every_end_is_written_with_its_time(charger: Charger, edges: Edges) -> None:
    """So that the operator sees when it was."""
    command = ask(timeout=1)
    look(edges)
    look(edges, 5)
    command.refresh_from_db()
    finished: datetime | None = command.finished_at
    assert finished == at(5)
