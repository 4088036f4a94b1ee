"""The worker and its broker: T-03 to T-08, on RabbitMQ."""

import ast
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pika.adapters.utils.io_services_utils import _AsyncTransportBase
from tests.rabbitmq import AMQP_URL, Queues, TcpProxy

import levity.run.amqp.connection
import levity.run.amqp.pushes
import levity.run.amqp.transport
from levity.run.amqp.transport import AmqpWorkerTransport
from levity_ws.rpc.envelope import Reply
from levity_ws.rpc.topology import dead_letter_queue
from tests.promises.wired_worker import batch, transport
from tests.system.processes import eventually

SOURCE, CONNECTION, PUSHES = (
    ast.parse(Path(module.__file__).read_text())
    for module in (levity.run.amqp.transport, levity.run.amqp.connection, levity.run.amqp.pushes)
)
# What the worker's own thread, any other thread and signal handlers call.
FOREIGN = (
    "receive",
    "send",
    "ack",
    "wake",
    "close",
    "hand_back",
    "listen",
    "_hand_over",
    "connected",
)
PIKAS = {"_newest", "_connection", "_replies", "_pushes", "connection", "channel"}


def methods_of(source: ast.Module, name: str) -> dict[str, ast.FunctionDef]:
    """The methods of this class."""
    (kind,) = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == name]
    return {node.name: node for node in kind.body if isinstance(node, ast.FunctionDef)}


def test_only_the_io_thread_touches_pikas_objects() -> None:
    """T-04: static; the one way in from another thread is add_callback_threadsafe."""
    methods = methods_of(SOURCE, "AmqpWorkerTransport")
    # What is handed over runs on the I/O thread.
    handed_over = {
        id(node)
        for method in methods.values()
        for call in ast.walk(method)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("self._hand_over", "connection.call_threadsafe")
        for argument in call.args
        for node in ast.walk(argument)
    }

    def touched(name: str, seen: frozenset[str] = frozenset()) -> list[str]:
        """What it does with pika's objects, itself or in a method that it calls."""
        found = []
        for node in ast.walk(methods[name]):
            if not isinstance(node, ast.Attribute) or id(node) in handed_over:
                continue
            owner = ast.unparse(node.value).removeprefix("self.")
            if owner in PIKAS and node.attr != "call_threadsafe":
                found.append(f"{name}: {owner}.{node.attr}")
            if owner == "self" and node.attr in methods and node.attr not in seen:
                found += touched(node.attr, seen | {name, node.attr})
        return found

    assert [each for name in FOREIGN for each in touched(name)] == []
    assert sorted(touched("_acknowledge")) == [
        "_acknowledge: _replies.basic_ack",
        "_acknowledge: _replies.is_open",
    ]
    # And what all of them may call does nothing there but hand over.
    (handing_over,) = methods_of(CONNECTION, "BrokerConnection")["call_threadsafe"].body[1:]
    assert isinstance(handing_over, ast.Expr)
    assert isinstance(handing_over.value, ast.Call)
    called = ast.unparse(handing_over.value.func)
    assert called == "self._loop.add_callback_threadsafe"
    (work,) = handing_over.value.args
    assert isinstance(work, ast.Call)
    assert ast.unparse(work.func) == "self.guarded"
    assert isinstance(work.args[0], ast.Lambda)


def test_nothing_is_taken_without_an_acknowledgement_and_prefetch_is_set_first() -> None:
    """T-06, T-08: static, for whoever adds a consumer."""
    calls = [
        (node.func.attr, {word.arg: ast.unparse(word.value) for word in node.keywords})
        for source in (SOURCE, CONNECTION, PUSHES)
        for node in ast.walk(source)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    consumers = [words for name, words in calls if name in ("basic_consume", "basic_get")]
    assert [set(words) for words in consumers] == [{"callback"}]
    names = [name for name, _ in calls]
    assert ("basic_qos", {"prefetch_count": "self._prefetch"}) in calls
    assert names.index("basic_qos") < names.index("basic_consume")


@pytest.mark.services
def test_a_worker_holds_one_batch_and_the_others_stay_for_others(
    queues: Queues, wire: TcpProxy
) -> None:
    """T-06, T-08: prefetch 1 is what the broker sees; what is not acknowledged comes back."""
    one = transport(queues, wire)
    for number in range(5):
        queues.put(batch(number))
    first = one.receive(60)
    assert first is not None
    assert first.batch.batch == "b0"
    assert eventually(queues.depth, 4) == 4
    two = transport(queues, wire)
    other = two.receive(60)
    assert other is not None
    assert other.batch.batch == "b1"
    one.close()
    two.ack(other)
    again = two.receive(60)
    assert again is not None
    assert (again.batch.batch, again.deliveries) == ("b0", 1)
    two.close()
    assert eventually(queues.depth, 4) == 4


@pytest.mark.services
def test_a_reply_and_its_acknowledgement_leave_in_one_piece(
    queues: Queues, wire: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the pika that is installed; each piece would wake the broker up (ADR 23)."""
    sent: list[int] = []
    plain = _AsyncTransportBase._sigint_safe_send

    def counted(sock: socket.socket, data: bytes) -> int:
        if threading.current_thread() is worker._thread:
            sent.append(len(data))
        return int(plain(sock, data))

    worker = transport(queues, wire)
    queues.put(batch(0))
    delivery = worker.receive(60)
    assert delivery is not None
    monkeypatch.setattr(_AsyncTransportBase, "_sigint_safe_send", staticmethod(counted))
    # Both are there when the I/O thread comes round.
    both = threading.Event()
    worker._hand_over(lambda: both.wait(60) and None)
    worker.send("nobody", Reply(batch="b0"))
    worker.ack(delivery)
    both.set()
    assert eventually(lambda: worker.returned_replies, 1) == 1
    assert len(sent) == 1
    worker.close()
    assert eventually(queues.depth, 0) == 0


@pytest.mark.services
def test_what_is_handed_back_waits_in_the_queue_and_is_counted_once(
    queues: Queues, wire: TcpProxy
) -> None:
    """T-07: nobody holds it, nobody listens, also after a break; then it comes a second time."""
    worker = transport(queues, wire)
    queues.put(batch(0))
    held = worker.receive(60)
    assert held is not None
    worker.hand_back()
    assert eventually(queues.depth, 1) == 1
    assert queues.consumers() == 0
    wire.break_connections()
    assert eventually(lambda: wire.connections, 2) == 2
    assert eventually(lambda: worker.connected, True)
    assert worker.receive(0.2) is None
    assert queues.consumers() == 0
    worker.listen()
    worker.ack(held)
    again = worker.receive(60)
    assert again is not None
    assert (again.batch.batch, again.deliveries) == ("b0", 1)
    worker.ack(again)
    assert worker.receive(0.2) is None
    worker.close()
    assert queues.depth() == 0


@pytest.mark.services
def test_whoever_changes_his_mind_at_once_listens_in_the_end(
    queues: Queues, wire: TcpProxy
) -> None:
    """Channels that are given back before they are open."""
    worker = transport(queues, wire)
    for _ in range(50):
        for change in (worker.hand_back, worker.listen):
            change()
            until = time.monotonic() + 5
            while worker._work and time.monotonic() < until:
                pass  # the broker takes longer
    queues.put(batch(0))
    delivery = worker.receive(60)
    assert delivery is not None
    worker.ack(delivery)
    assert eventually(queues.consumers, 1) == 1
    worker.close()
    assert queues.depth() == 0
    assert wire.connections == 1


@pytest.mark.services
def test_an_acknowledgement_on_a_dead_channel_is_no_error_and_the_batch_comes_again(
    queues: Queues, wire: TcpProxy
) -> None:
    """T-05: twenty times; the worker goes on, each batch is acknowledged once in the end.

    Every other time on the next connection already, where the same number is another delivery.
    """
    worker = transport(queues, wire)
    for number in range(20):
        queues.put(batch(number))
        held = worker.receive(60)
        assert held is not None
        wire.break_connections()
        if number % 2:
            assert eventually(lambda: wire.connections, number + 2) == number + 2
            assert eventually(lambda: worker.connected, True)
        # Its connection is gone, or going: nobody may hear of it.
        worker.ack(held)
        worker.send("nobody", Reply(batch=held.batch.batch))
        again = worker.receive(15)
        assert again is not None
        assert (again.batch.batch, again.deliveries) == (held.batch.batch, 1)
        worker.ack(again)
    # Acknowledged in the order of the hand-over: the queue is empty when this comes through.
    assert worker.receive(0.2) is None
    assert queues.depth() == 0
    # The broker had nothing to complain of: no connection was lost but those that we broke.
    assert wire.connections == 21
    worker.close()


@pytest.mark.services
def test_each_push_is_told_what_became_of_it(queues: Queues, wire: TcpProxy) -> None:
    """Many under way at once: half of them come back, the others are in a queue."""
    worker = transport(queues, wire)
    addresses = [dead_letter_queue(queues.prefix).name, "nobody"] * 50
    with ThreadPoolExecutor(20) as threads:
        arrived = list(threads.map(lambda address: worker.send(address, Reply()), addresses))
    assert arrived == [True, False] * 50
    assert worker.depths(5) == (0, 50)
    worker.close()


@pytest.mark.services
def test_what_was_said_before_the_close_goes_out(queues: Queues, wire: TcpProxy) -> None:
    """The acknowledgement, and a push whose sender is told so."""
    for number in range(10):
        worker = transport(queues, wire)
        queues.put(batch(number))
        held = worker.receive(60)
        assert held is not None
        with ThreadPoolExecutor(1) as thread:
            handed_over = threading.Event()
            worker._hand_over(lambda over=handed_over: over.wait(60) and None)
            push = thread.submit(worker.send, dead_letter_queue(queues.prefix).name, Reply())
            assert eventually(lambda here=worker: len(here._work), 1) == 1
            worker.ack(held)
            threading.Timer(0.05, handed_over.set).start()
            worker.close()
            assert push.result(60) is True
        assert not worker._thread.is_alive()
        assert (queues.depth(), queues.depth(0)) == (0, number + 1)


@pytest.mark.services
def test_commands_are_sent_while_the_worker_works(queues: Queues, wire: TcpProxy) -> None:
    """T-04: stress; the thread of the commands pushes, the worker's receives and acknowledges."""
    worker = transport(queues, wire)
    errors: list[BaseException] = []

    def push() -> None:
        try:
            for _ in range(100):
                # Nobody listens there: the broker gives each one back, in its own time.
                assert worker.send("nobody", Reply()) is False
        except BaseException as error:  # noqa: BLE001  # told to the test
            errors.append(error)

    pusher = threading.Thread(target=push)
    pusher.start()
    for number in range(100):
        queues.put(batch(number))
        delivery = worker.receive(60)
        assert delivery is not None
        assert delivery.batch.batch == f"b{number}"
        worker.send("nobody", Reply(batch=delivery.batch.batch))
        worker.ack(delivery)
    pusher.join(60)
    assert errors == []
    assert eventually(queues.depth, 0) == 0
    assert eventually(lambda: worker.returned_replies, 100) == 100
    assert wire.connections == 1
    worker.close()


@pytest.mark.services
def test_a_handler_that_takes_longer_than_many_heartbeats_loses_no_connection(
    queues: Queues, wire: TcpProxy
) -> None:
    """T-03: heartbeats of 1 s and a handler of 4 s (a broker gives up after two missed ones),
    which is a handler of 90 s at heartbeats of 20 s; the batch is not delivered twice."""
    url = AMQP_URL.rpartition("@")
    worker = AmqpWorkerTransport(
        f"{url[0]}@127.0.0.1:{wire.port}/{url[2].partition('/')[2]}?heartbeat=1",
        prefix=queues.prefix,
    )
    assert eventually(lambda: worker.connected, True)
    queues.put(batch(0))
    delivery = worker.receive(60)
    assert delivery is not None
    time.sleep(4)  # the handler: this very thread is busy
    worker.ack(delivery)
    assert worker.receive(0.3) is None
    assert queues.depth() == 0
    assert wire.connections == 1
    assert wire.heartbeats >= 3
    worker.close()
