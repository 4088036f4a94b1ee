"""The figures of section D of docs/evidence/checks.md whose case another test shows once.

In batches, as the edge sends them: a hundred chargers at once cost little more than one.
"""

import json
import threading
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

import pytest
from django.db import connections

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import (
    ChargePoint,
    Command,
    Connector,
    FailedMessage,
    IdTag,
    Message,
    QuarantinedMessage,
    SecurityEvent,
    Transaction,
)
from levity_ws.rpc.envelope import Close, Event, Received, Reply, Send
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, at, wire

pytestmark = pytest.mark.django_db


def results(site: CentralSystem, events: Sequence[Received]) -> list[Any]:
    """Take these Calls of as many chargers as one batch; the payloads of their CALLRESULTs."""
    answers = [json.loads(frame) for frame in site.frames(*events)]
    assert [answer[0] for answer in answers] == [3] * len(events), answers
    return [answer[2] for answer in answers]


def fleet(count: int, name: str = "CP") -> list[Charger]:
    """So many chargers."""
    return [Charger(f"{name}{number}") for number in range(count)]


def taken_by_two(rounds: Sequence[tuple[list[Event], list[Event]]]) -> list[list[Any]]:
    """Each of the two batches of a round is taken by a worker of its own, at the same moment."""
    answers: list[list[Any]] = [[], []]
    gate = threading.Barrier(2, timeout=30)
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        site = CentralSystem(f"edge-{worker}")
        try:
            for batches in rounds:
                gate.wait()
                answers[worker] += [json.loads(text) for text in site.frames(*batches[worker])]
        except BaseException as error:  # noqa: BLE001  # told to the test, on another thread
            failures.append(error)
            gate.abort()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    return answers


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_five_hundred_races_of_the_same_start_make_five_hundred_transactions() -> None:
    """D-02: two sockets, two workers, the same moment, any order; 0 duplicates, 0 CALLERRORs."""
    chance = Random(2)
    chargers = fleet(10)
    rounds: list[tuple[list[Event], list[Event]]] = []
    for number in range(50):
        one = [charger.again().starts(meterStart=number, connectorId=1) for charger in chargers]
        two = [charger.again().starts(meterStart=number, connectorId=1) for charger in chargers]
        chance.shuffle(one)
        chance.shuffle(two)
        rounds.append((list(one), list(two)))
    first, second = taken_by_two(rounds)
    assert [answer[0] for answer in (*first, *second)] == [3] * 1000

    def ids(answers: list[Any], worker: int) -> dict[tuple[int, str], int]:
        sent = [(n, event.charge_point) for n, pair in enumerate(rounds) for event in pair[worker]]
        named = [answer[2]["transactionId"] for answer in answers]
        return dict(zip(sent, named, strict=True))

    assert ids(first, 0) == ids(second, 1)
    assert Transaction.objects.count() == len(set(ids(first, 0).values())) == 500
    assert (FailedMessage.objects.count(), QuarantinedMessage.objects.count()) == (0, 0)
    # D-17: and whatever the order, one of a connector's is running.
    assert Transaction.objects.filter(state="active").count() == 10


def test_two_hundred_starts_again_on_a_new_socket_are_the_same_transactions() -> None:
    """D-03: the answers of all were lost with their sockets."""
    site, chargers = CentralSystem(), fleet(100)
    for meter in (1, 2):
        first = results(site, [charger.starts(meterStart=meter) for charger in chargers])
        chargers = [charger.again() for charger in chargers]
        site.take(*(charger.connects() for charger in chargers))
        assert results(site, [charger.starts(meterStart=meter) for charger in chargers]) == first
    assert Transaction.objects.count() == 200


def test_a_hundred_repeated_frames_get_the_stored_answers_and_do_nothing() -> None:
    """D-05: same id, same bytes, same socket; 100 of 100 byte-equal.

    A StartTransaction would be answered the same by its content alone: what the time is, and what
    is noted each time, is not.
    """
    site, chargers = CentralSystem(), fleet(100)
    calls = [charger.starts() for charger in chargers]
    beats = [charger.calls("Heartbeat") for charger in chargers]
    said = {"type": "FirmwareUpdated", "timestamp": wire()}
    noted = [charger.calls("SecurityEventNotification", said) for charger in chargers]
    for frames in (calls, beats, noted):
        first = site.frames(*frames)
        for charger in chargers:
            charger.now += 60
        again = [charger.says(call.text) for charger, call in zip(chargers, frames, strict=True)]
        assert site.frames(*again) == first
    assert Transaction.objects.count() == 100
    assert SecurityEvent.objects.count() == 100


def test_a_hundred_reused_ids_with_another_content_are_other_messages() -> None:
    """D-06: ids that begin anew on one connection lose no session (ATTACK B11)."""
    site, chargers = CentralSystem(), fleet(100)
    site.take(*(charger.calls("Heartbeat", unique_id="same") for charger in chargers))
    other = [charger.calls("StartTransaction", START, unique_id="same") for charger in chargers]
    assert len({answer["transactionId"] for answer in results(site, other)}) == 100
    assert (Transaction.objects.count(), QuarantinedMessage.objects.count()) == (100, 0)
    noted = Message.objects.filter(
        error_description__startswith="its unique id was already used"
    ).count()
    assert noted == 100


START = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": wire()}


def test_a_hundred_ids_used_again_on_new_connections_are_new_calls() -> None:
    """D-07: an id is unique on its connection only."""
    site, chargers = CentralSystem(), fleet(100)
    site.take(*(charger.calls("Heartbeat", unique_id="same") for charger in chargers))
    news = [
        charger.again().calls("StartTransaction", START, unique_id="same") for charger in chargers
    ]
    assert len({answer["transactionId"] for answer in results(site, news)}) == 100


def test_nobody_gets_at_one_of_a_thousand_foreign_transactions() -> None:
    """D-10, D-11: a hundred attackers, each with ten ids that are not his, stop and measure."""
    site = CentralSystem()
    owned: list[int] = []
    for _ in range(10):
        victims = fleet(100, f"A{_}-")
        answers = results(site, [victim.starts() for victim in victims])
        owned += [answer["transactionId"] for answer in answers]
    before = list(Transaction.objects.order_by("id").values())
    attackers = fleet(100, "B")
    for first in range(0, 1000, 100):
        ids = owned[first : first + 100]
        pairs = list(zip(attackers, ids, strict=True))
        assert results(site, [one.stops(number) for one, number in pairs]) == [{}] * 100
        assert results(site, [one.measures(number, 5) for one, number in pairs]) == [{}] * 100
    assert list(Transaction.objects.order_by("id").values()) == before
    assert Samples.objects.filter(transaction__isnull=False).count() == 0
    assert SecurityEvent.objects.filter(type="ForeignTransaction").count() == 2000


def test_a_tag_in_other_letters_is_one_tag_everywhere() -> None:
    """D-18: noted once, counted together, stopped by either spelling."""
    ChargePoint.objects.create(identity="CP1", authorization="record")
    ChargePoint.objects.create(identity="CP2", authorization="record")
    site, charger = CentralSystem(), Charger()
    for spelling in ("Card", "CARD", "card"):
        site.result(charger.calls("Authorize", {"idTag": spelling}))
    assert IdTag.objects.values_list("id_tag", "status").get() == ("Card", "Recorded")
    IdTag.objects.update(status="Accepted", max_transactions=1)
    transaction_id = site.start(charger, idTag="CARD")
    refused = site.result(Charger("CP2").starts(idTag="CaRd"))
    assert refused["idTagInfo"] == {"status": "ConcurrentTx"}
    stopped = site.result(charger.stops(transaction_id, idTag="cArD"))
    assert stopped["idTagInfo"] == {"status": "Accepted"}
    assert Transaction.objects.get(pk=transaction_id).state == "stopped"


def test_five_hundred_changes_of_the_socket_never_show_a_charger_offline() -> None:
    """D-21: frames of both sockets, the old one's late close, and repetitions, in any order."""
    chance = Random(21)
    site, chargers = CentralSystem(), fleet(50)
    before: list[Event] = [charger.connects() for charger in chargers]
    site.take(*before)
    closes = 0
    for _ in range(10):
        news = [charger.again() for charger in chargers]
        opened: list[Event] = [new.connects() for new in news]
        taken = site.take(*opened)
        closes += sum(isinstance(command, Close) for command in taken.reply.commands)
        late: list[Event] = [old.calls("Heartbeat") for old in chargers]
        late += [old.leaves() for old in chargers]
        late += [new.shows("Available") for new in news]
        # Delivered again: the new one's beginning, and the old one's.
        late += [*chance.sample(opened, 10), *chance.sample(before, 10)]
        chance.shuffle(late)
        # An event of one connection never overtakes another.
        late.sort(key=lambda event: event.seq)
        for first in range(0, len(late), 7):
            site.take(*late[first : first + 7])
            online = dict(ChargePoint.objects.values_list("identity", "connection"))
            assert {name: str(on) for name, on in online.items()} == {
                new.identity: new.connection for new in news
            }
        chargers, before = news, opened
    assert closes == 500


def test_a_hundred_answers_that_nobody_waits_for_change_nothing_and_close_nothing() -> None:
    """D-24: unknown ids, and ids of Calls that had timed out: those are noted as late."""
    site, chargers = CentralSystem(), fleet(100)
    site.take(*(charger.connects() for charger in chargers))
    unknown = [charger.answers("nobody", {"status": "Accepted"}) for charger in chargers]
    assert site.take(*unknown).reply.commands == ()
    sent = _reset_all(chargers)
    lifecycle.give_up(at(3600))
    assert set(Command.objects.values_list("state", flat=True)) == {"timed_out"}
    late = [
        charger.answers(sent[charger.connection], {"status": "Accepted"}) for charger in chargers
    ]
    assert site.take(*late).reply.commands == ()
    assert set(Command.objects.values_list("state", "answered_late")) == {("answered", True)}
    assert ChargePoint.objects.filter(connection=None).count() == 0


def test_a_thousand_calls_cross_and_both_sides_are_answered() -> None:
    """D-27: the charger's Call, our Call, its answer to it: no side waits for the other."""
    site, chargers = CentralSystem(), fleet(100)
    site.take(*(charger.connects() for charger in chargers))
    for _ in range(10):
        sent = _reset_all(chargers)
        assert len(sent) == 100
        beats = results(site, [charger.calls("Heartbeat") for charger in chargers])
        assert len(beats) == 100
        answers = [
            charger.answers(sent[charger.connection], {"status": "Accepted"})
            for charger in chargers
        ]
        assert site.take(*answers).reply.commands == ()
        assert Command.objects.exclude(state="answered").count() == 0
    assert Command.objects.filter(result_status="Accepted").count() == 1000


def _reset_all(chargers: Sequence[Charger]) -> dict[str, str]:
    """Ask every charger to reset; the id of the Call that went out on each connection."""
    known = {row.identity: row for row in ChargePoint.objects.all()}
    Command.objects.bulk_create(
        Command(charge_point=known[charger.identity], action="Reset", not_before=at(-1))
        for charger in chargers
    )
    return _sent(at(0))


def _sent(now: datetime) -> dict[str, str]:
    """What a worker sends then: the id of the Call by its connection."""
    sent: dict[str, str] = {}

    def send(reply_to: str, reply: Reply) -> bool:
        for command in reply.commands:
            assert isinstance(command, Send)
            sent[command.connection] = json.loads(command.text)[1]
        return True

    while lifecycle.dispatch(now, send):
        pass
    return sent


def test_two_hundred_plug_ins_are_started_once_each() -> None:
    """D-30: Preparing is said three times; one RemoteStartTransaction comes of it."""
    site, chargers = CentralSystem(), fleet(50)
    site.take(*(charger.connects() for charger in chargers))
    for plug_in in range(4):
        for again in range(3):
            for charger in chargers:
                charger.now = plug_in * 100 + again
            site.take(*(charger.shows("Preparing") for charger in chargers))
        site.take(*(charger.shows("Available") for charger in chargers))
        assert Command.objects.count() == 50 * (plug_in + 1)
    assert Connector.objects.filter(status="Available").count() == 50


def test_an_accepted_remote_start_without_a_start_is_shown_as_what_it_is() -> None:
    """D-32: the command is answered, no session runs; a late StartTransaction makes exactly one."""
    site = CentralSystem()
    charger = site.connect(Charger())
    site.result(charger.shows("Preparing"))
    sent = _sent(at(2))
    charger.now = 3
    site.take(charger.answers(sent[charger.connection], {"status": "Accepted"}))
    row = Command.objects.values("action", "state", "result_status").get()
    assert row == {
        "action": "RemoteStartTransaction",
        "state": "answered",
        "result_status": "Accepted",
    }
    assert Transaction.objects.count() == 0
    assert Connector.objects.values("status", "transaction").get() == {
        "status": "Preparing",
        "transaction": None,
    }
    charger.now = 900
    transaction_id = site.start(charger, idTag="anonymous", timestamp=wire(900))
    assert Transaction.objects.values("id", "state", "flags").get() == {
        "id": transaction_id,
        "state": "active",
        "flags": "",
    }
    assert Message.objects.filter(transaction=transaction_id).count() == 1
