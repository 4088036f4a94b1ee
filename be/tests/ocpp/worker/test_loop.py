"""The worker: commit, reply, acknowledge, in this order (promise 1), and promise 6 on its side."""

import threading
from typing import Any

import pytest
from django.db import OperationalError, connection

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import ChargePoint, Command, Edge, Transaction
from levity.ocpp.worker.loop import Worker
from levity.ocpp.worker.pipeline import DatabaseAway, HeldUp
from levity_ws.rpc.envelope import Close, Reply
from tests.ocpp.charger import Charger, at
from tests.ocpp.transport import FakeWorkerTransport

# The worker closes connections that have been open for long, so no transaction around it.
pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def transport() -> FakeWorkerTransport:
    """What the worker works on."""
    return FakeWorkerTransport()


@pytest.fixture
def worker(transport: FakeWorkerTransport, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """One whose two clocks stand still until a test moves them."""
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: at(clock.now - 100))
    return Worker(transport, clock)


def test_it_commits_then_replies_then_acknowledges(
    transport: FakeWorkerTransport, worker: Worker
) -> None:
    """Promise 1: in this order, so that whatever dies in between is taken again."""
    seen: list[int] = []
    send = transport.send

    def counting_send(reply_to: str, reply: Reply) -> bool:
        seen.append(Transaction.objects.count())
        return send(reply_to, reply)

    transport.send = counting_send  # type: ignore[method-assign]  # the seam of the test
    batch = transport.deliver(Charger().starts())
    worker.step(0)
    assert transport.log == [("send", "replies"), ("ack", batch)]
    assert seen == [1]
    assert transport.replies[0][1].batch == batch


def test_it_acknowledges_what_a_vanished_edge_sent(
    transport: FakeWorkerTransport, worker: Worker
) -> None:
    """T-16: the books have it; nobody is there to be told."""
    transport.gone.add("replies")
    batch = transport.deliver(Charger().starts())
    worker.step(0)
    assert transport.log == [("send", "replies"), ("ack", batch)]
    assert Transaction.objects.count() == 1


def test_it_holds_a_batch_while_the_database_is_away(
    transport: FakeWorkerTransport, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 6: no answer, no acknowledgement, no error; taken as soon as it is back."""
    batch = transport.deliver(Charger().starts())
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        assert transport.log == []
        pauses.append(seconds)
        if len(pauses) == 7:
            monkeypatch.undo()
        return False

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("could not connect to server")

    monkeypatch.setattr("levity.ocpp.worker.pipeline.load", refuse)
    monkeypatch.setattr("levity.ocpp.worker.pipeline._raise_if_away", _always_away)
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(worker.stopping, "wait", pause)
    worker.step(0)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert transport.log == [("send", "replies"), ("ack", batch)]


@pytest.mark.parametrize(("error", "back"), [(DatabaseAway, True), (HeldUp, False)])
def test_a_batch_goes_back_into_the_queue_before_it_is_held_for_a_minute(
    transport: FakeWorkerTransport, monkeypatch: pytest.MonkeyPatch, error: Any, back: bool
) -> None:
    """T-07: once, however long the database is away, and nothing else is taken meanwhile; whoever
    only waits for a lock keeps it."""
    clock = Clock()
    worker = Worker(transport, clock)
    worker.next_look = float("inf")
    batch = transport.deliver(Charger().starts())
    handed_back: list[float] = []
    began = clock.now

    def pause(wait: float) -> bool:
        handed_back.extend([clock.now - began] * (len(transport.log) - len(handed_back)))
        clock.now += wait
        if clock.now - began > 300:
            monkeypatch.undo()
        return False

    def refuse(*_: Any) -> None:
        raise error("away")

    monkeypatch.setattr(worker.pipeline, "take", refuse)
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(worker.stopping, "wait", pause)
    worker.step(0)
    answered = [("send", "replies"), ("ack", batch)]
    if back:
        assert transport.log == [("hand back", ""), ("listen", ""), *answered]
        assert 40 <= handed_back[0] <= 50
    else:
        assert transport.log == answered


def _always_away(error: Exception) -> None:
    from levity.ocpp.worker.pipeline import DatabaseAway

    raise DatabaseAway(str(error))


def test_it_gives_the_batch_back_when_it_has_to_stop_without_a_database(
    transport: FakeWorkerTransport, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-12: not acknowledged, so the broker delivers it to somebody else."""
    transport.deliver(Charger().starts())
    monkeypatch.setattr(
        "levity.ocpp.worker.pipeline.load", lambda arrivals: _always_away(OSError())
    )
    monkeypatch.setattr("levity.ocpp.worker.pipeline._raise_if_away", _always_away)
    monkeypatch.setattr(connection, "close", lambda: None)
    worker.stopping.set()
    worker.step(0)
    assert transport.log == []


def test_an_answered_call_lets_the_next_one_go_in_the_same_step(
    transport: FakeWorkerTransport, worker: Worker
) -> None:
    """D-25: without waiting for the next look at the queue."""
    charger = Charger()
    transport.deliver(charger.connects())
    worker.step(0)
    charge_point = ChargePoint.objects.get()
    one = lifecycle.queue(charge_point, "One", {}, source="test", force=True)
    two = lifecycle.queue(charge_point, "Two", {}, source="test", force=True)
    worker.next_look = 0
    worker.step(0)
    worker.next_look = worker.next_end = worker.next_round = 1e9
    transport.deliver(charger.answers(one.unique_id, {}))
    worker.step(0)
    assert transport.calls() == [
        f'[2,"{one.unique_id}","One",{{}}]',
        f'[2,"{two.unique_id}","Two",{{}}]',
    ]


def test_an_overdue_call_is_given_up_within_a_second(
    transport: FakeWorkerTransport, worker: Worker
) -> None:
    """D-26: time-out + 1 s."""
    clock = worker.clock
    assert isinstance(clock, Clock)
    charger = Charger()
    transport.deliver(charger.connects())
    worker.step(0)
    lifecycle.queue(ChargePoint.objects.get(), "One", {}, source="test", force=True, timeout=10)
    clock.now += 0.25
    worker.step(0)
    assert Command.objects.get().state == "sent"
    clock.now += 10
    worker.step(0)
    assert Command.objects.get().state == "sent"
    clock.now += 1
    worker.step(0)
    assert Command.objects.get().state == "timed_out"


def test_a_replaced_connection_is_closed_at_its_own_edge(
    transport: FakeWorkerTransport, worker: Worker
) -> None:
    """F-16: the other edge hears of it."""
    Edge.objects.create(id="edge-0", reply_to="elsewhere", last_seen_at="2026-11-22T12:00:00Z")
    old = Charger()
    ChargePoint.objects.create(identity="CP1", connection=old.connection, edge_id="edge-0")
    worker.next_look = 1e9
    transport.deliver(old.again().connects())
    worker.step(0)
    assert transport.replies[-1] == (
        "elsewhere",
        Reply((Close(old.connection, 1000, "a newer connection took over"),)),
    )


def test_it_finishes_the_batch_at_hand_and_stops(
    transport: FakeWorkerTransport, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-12: SIGTERM in the middle of a batch; the next one stays on the queue."""
    monkeypatch.setattr(connection, "close", lambda: None)
    first = transport.deliver(Charger("A").starts())
    transport.deliver(Charger("B").starts())
    receive = transport.receive

    def stop_then_receive(timeout: float) -> Any:
        worker.stop()
        return receive(timeout)

    transport.receive = stop_then_receive  # type: ignore[method-assign]  # the seam of the test
    worker.run()
    assert [entry for entry in transport.log if entry[0] == "ack"] == [("ack", first)]
    assert transport.log[-1] == ("close", "")
    assert len(transport.waiting) == 1


def test_stop_wakes_a_worker_that_waits(transport: FakeWorkerTransport, worker: Worker) -> None:
    """From another thread, as a signal handler does."""
    thread = threading.Thread(target=worker.stop)
    thread.start()
    thread.join()
    assert transport.log == [("wake", "")]
    assert worker.stopping.is_set()
