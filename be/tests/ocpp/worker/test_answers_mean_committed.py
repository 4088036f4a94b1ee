"""Promise 1: a CALLRESULT means committed. And D-05 to D-07: a Call that comes again."""

import json

import pytest
from django.db import connection, transaction

from levity.db import plans
from levity.ocpp.models import (
    Command,
    ConnectionEvent,
    Connector,
    FailedMessage,
    Message,
    QuarantinedMessage,
    SecurityEvent,
    Transaction,
)
from levity.ocpp.worker.pipeline import DatabaseAway
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db


def books() -> dict[str, int]:
    """How many rows there are of everything that a frame can lead to."""
    tables = (
        Command,
        ConnectionEvent,
        FailedMessage,
        Message,
        Samples,
        QuarantinedMessage,
        SecurityEvent,
        Transaction,
    )
    return {table.__name__: table.objects.count() for table in tables}


@pytest.mark.django_db(transaction=True)
def test_what_is_answered_is_committed_and_no_transaction_is_open() -> None:
    """Promise 1: whoever reads the reply finds the rows, from wherever he looks."""
    site, charger = CentralSystem(), Charger()
    transaction_id = site.start(charger)
    assert not connection.in_atomic_block
    connection.close()
    assert Transaction.objects.get().pk == transaction_id
    site.result(charger.measures(transaction_id, 2000))
    connection.close()
    assert Samples.objects.get().transaction_id == transaction_id
    site.result(charger.stops(transaction_id))
    connection.close()
    assert Transaction.objects.get().state == "stopped"


@pytest.mark.django_db(transaction=True)
def test_no_answer_leaves_when_the_commit_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 1: neither a result nor an error; the batch comes again. (For a worker's own way of
    committing on Postgres: test_trips.py.)
    """
    plans._thread.plans = False
    connection.close()
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    start = charger.starts()

    def fail() -> None:
        from django.db import OperationalError

        connection.close()
        raise OperationalError("the server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_commit", fail)
        with pytest.raises(DatabaseAway):
            site.take(start)
    assert books()["Transaction"] == 0
    assert site.result(start)["transactionId"] == Transaction.objects.get().pk


def test_the_reply_names_the_batch() -> None:
    """So that the edge knows that all of it is committed; `CentralSystem.take` compares names."""
    site, charger = CentralSystem(), Charger()
    taken = site.take(charger.boots(), charger.shows("Available"), charger.calls("Heartbeat"))
    assert [json.loads(command.text)[0] for command in taken.reply.commands] == [3, 3, 3]


def test_answers_leave_in_the_order_of_the_frames() -> None:
    """Whatever the rounds in which they were taken."""
    site, one, two = CentralSystem(), Charger("A"), Charger("B")
    events = [one.calls("Heartbeat", unique_id="1"), two.calls("Heartbeat", unique_id="1")]
    taken = site.take(*events)
    assert [command.connection for command in taken.reply.commands] == [
        one.connection,
        two.connection,
    ]


@pytest.mark.parametrize("deliveries", [0, 1])
def test_a_batch_that_comes_again_changes_nothing_and_is_answered_with_the_same_bytes(
    deliveries: int,
) -> None:
    """Redelivery, and publication a second time by the edge: every kind of frame, D-05."""
    site, charger, other = CentralSystem(), Charger("A"), Charger("B")
    foreign = site.start(other)
    site.connect(charger)
    own = site.start(charger)
    charger.now = 5
    command = Command.objects.create(
        charge_point_id=Transaction.objects.get(pk=own).charge_point_id,
        action="Reset",
        state="sent",
        connection=charger.connection,
    )
    events = [
        charger.boots(),
        charger.shows("Preparing"),
        charger.starts(meterStart=7),
        charger.starts(meterStart="nonsense"),
        charger.starts(timestamp="when?"),
        charger.measures(own, 1500),
        charger.measures(foreign, 1500),
        charger.stops(own),
        charger.stops(foreign),
        charger.stops(-1),
        charger.calls("Authorize", {"idTag": "TAG"}),
        charger.calls("Authorize", {}),
        charger.calls("DataTransfer", {"vendorId": "V"}),
        charger.calls("NoSuchAction", {}),
        charger.calls("Heartbeat", {}, unique_id="same"),
        charger.calls("Heartbeat", {}, unique_id="same"),
        charger.calls("Authorize", {"idTag": "TAG"}, unique_id="same"),
        charger.says("no JSON"),
        charger.says("[]"),
        charger.says('[2,"half","StopTransaction",{"tra'),
        charger.says('[2,"raw","Heartbeat",{"a":"\x00"}]'),
        charger.says('[2,7,"Heartbeat",{}]'),
        charger.says('[3,"nobody",{}]'),
        charger.says('[3,"nobody",{}'),
        charger.answers(command.unique_id, {"status": "Accepted"}),
        charger.leaves(reason="power"),
    ]
    first = site.frames(*events)
    before = books()
    assert before["FailedMessage"] == 0
    again = site.frames(*events, deliveries=deliveries)
    assert again == first
    # The answer to our Call is kept with the Call; seen again, it has a row of its own.
    assert books() == {**before, "Message": before["Message"] + 1}
    assert site.frames(*events, deliveries=deliveries + 1) == first
    assert books() == {**before, "Message": before["Message"] + 1}


def test_the_same_call_again_gets_the_stored_answer_and_is_not_carried_out_again() -> None:
    """D-05: byte-equal, 100 times."""
    site, charger = CentralSystem(), Charger()
    call = charger.starts(timestamp="when?")
    (first,) = site.frames(call)
    for _ in range(100):
        assert site.frames(charger.says(call.text)) == [first]
    assert Transaction.objects.count() == 1
    assert Message.objects.count() == 101
    assert QuarantinedMessage.objects.count() == 0
    # Answered anew, a Heartbeat would say another time.
    beat = charger.calls("Heartbeat")
    (first,) = site.frames(beat)
    charger.now += 60
    assert site.frames(charger.says(beat.text)) == [first]


def test_ids_that_begin_anew_lose_no_session() -> None:
    """D-06, ATTACK B11: ids that wrap on one connection; a CALLERROR lost four sessions."""
    site, charger = CentralSystem(), Charger()
    for number in range(10):
        site.result(charger.calls("Heartbeat", unique_id=str(number)))
    start = charger.calls("StartTransaction", START, unique_id="0")
    answer = site.result(start)
    assert Transaction.objects.get().id == answer["transactionId"]
    message = Message.objects.latest("id")
    assert (message.error_code, message.error_description) == (
        "",
        "its unique id was already used for another message",
    )
    # D-05 holds for both: each repetition gets the answer to its own bytes.
    assert site.result(charger.says(start.text)) == answer
    assert Transaction.objects.count() == 1


def test_a_heartbeat_under_an_old_id_is_told_the_time_of_now() -> None:
    """Ids that wrap again: the stored answer would set the charger's clock back."""
    site, charger = CentralSystem(), Charger()
    told = []
    for number in range(25):
        charger.now += 30
        told.append(
            site.result(charger.calls("Heartbeat", unique_id=str(number % 10)))["currentTime"]
        )
    assert len(set(told)) == 25
    # So is the status: Available again under the id and in the words of before.
    say = {"connectorId": 1, "errorCode": "NoError"}
    for number, status in enumerate(["Available", "Charging", *["Finishing"] * 8, "Available"]):
        payload = {**say, "status": status}
        site.result(charger.calls("StatusNotification", payload, unique_id=f"s{number % 10}"))
    assert Connector.objects.get().status == "Available"
    # And under one and the same id, on a line that says nothing else.
    told = []
    for _ in range(3):
        charger.now += 300
        told.append(site.result(charger.calls("Heartbeat", unique_id="x"))["currentTime"])
    assert len(set(told)) == 3


def test_a_stop_with_a_used_unique_id_ends_its_session() -> None:
    """D-06: what the charger means is not in doubt, and with a CALLERROR under every id that it
    has, its sessions would be lost."""
    site, charger = CentralSystem(), Charger()
    started = site.result(charger.calls("StartTransaction", START, unique_id="1"))["transactionId"]
    stop = charger.calls(
        "StopTransaction", json.loads(charger.stops(started).text)[3], unique_id="1"
    )
    assert site.result(stop) == {}
    assert Transaction.objects.values_list("state", flat=True).get() == "stopped"
    row = Message.objects.order_by("id").values("request", "error_code", "error_description").last()
    assert row == {
        "request": stop.text,
        "error_code": "",
        "error_description": "its unique id was already used for another message",
    }


START = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": wire()}


def test_a_unique_id_may_come_again_on_a_new_connection() -> None:
    """D-07: Alfen counts from "1" after every reboot."""
    site = CentralSystem()
    for meter in range(20):
        charger = Charger()
        site.result(charger.starts(meterStart=meter))
        event = charger.calls("Authorize", {"idTag": str(meter)}, unique_id="1")
        assert site.result(event) == {"idTagInfo": {"status": "Accepted"}}
    assert Transaction.objects.count() == 20
    # Each was carried out and is in the log, not taken for the one before.
    logged = Message.objects.filter(unique_id="1").order_by("id")
    assert [json.loads(text)[3]["idTag"] for text in logged.values_list("request", flat=True)] == [
        str(meter) for meter in range(20)
    ]


def test_an_answer_that_nobody_waits_for_does_not_use_up_the_id_of_a_call() -> None:
    """The ids of the two directions have nothing to do with each other (OCPP-J 1.6, 4.1.4)."""
    site, charger = CentralSystem(), Charger()
    assert site.frames(charger.says('[3,"1",{}]')) == []
    assert "currentTime" in site.result(charger.calls("Heartbeat", {}, unique_id="1"))


def test_a_batch_inside_a_failing_transaction_leaves_nothing() -> None:
    """All of a batch or nothing of it: the rows are written in one database transaction."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    before = books()
    try:
        with transaction.atomic():
            site.take(charger.starts(), charger.boots())
            raise InterruptedError
    except InterruptedError:
        pass
    assert books() == before
