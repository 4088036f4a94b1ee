"""The worker and its broker: T-03 to T-08, on RabbitMQ."""

import ast
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rabbitmq import AMQP_URL, Queues, TcpProxy, isolated_queues

import levity.rpc_amqp
from levity.rpc_amqp import AmqpWorkerTransport
from levity_ws.rpc.envelope import Alive, Batch, Reply, encode_batch
from tests.system.processes import eventually

SOURCE = ast.parse(Path(levity.rpc_amqp.__file__).read_text())
# What the worker's own thread, any other thread and signal handlers call.
FOREIGN = ("receive", "send", "ack", "wake", "close", "_hand_over", "connected")
PIKAS = {"_connection", "_replies", "_pushes", "connection", "channel"}


@pytest.fixture
def queues() -> Iterator[Queues]:
    """Queues of its own."""
    with isolated_queues() as made:
        yield made


@pytest.fixture
def wire() -> Iterator[TcpProxy]:
    """A wire to the broker that can be cut."""
    host, _, port = AMQP_URL.rpartition("@")[2].partition("/")[0].partition(":")
    proxy = TcpProxy(host, int(port or 5672))
    yield proxy
    proxy.close()


def transport(queues: Queues, wire: TcpProxy, **more: int) -> AmqpWorkerTransport:
    """A worker's transport behind the wire."""
    url = AMQP_URL.rpartition("@")
    path = url[2].partition("/")[2]
    made = AmqpWorkerTransport(
        f"{url[0]}@127.0.0.1:{wire.port}/{path}",
        prefix=queues.prefix,
        pause=lambda failures: 0.05,
        **more,
    )
    assert eventually(lambda: made.connected, True)
    return made


def batch(number: int) -> bytes:
    """A batch that can be told from others."""
    return encode_batch(Batch("edge", f"b{number}", (Alive("", "", number, 1.0),)))


def test_only_the_io_thread_touches_pikas_objects() -> None:
    """T-04: static; the one way in from another thread is add_callback_threadsafe."""
    (kind,) = [
        node for node in SOURCE.body if isinstance(node, ast.ClassDef) and "Worker" in node.name
    ]
    methods = {node.name: node for node in kind.body if isinstance(node, ast.FunctionDef)}
    touched = []
    for name in FOREIGN:
        for node in ast.walk(methods[name]):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                if owner in PIKAS and node.attr != "add_callback_threadsafe":
                    touched.append(f"{name}: {owner}.{node.attr}")
    assert touched == []


def test_nothing_is_taken_without_an_acknowledgement_and_prefetch_is_set_first() -> None:
    """T-06, T-08: static, for whoever adds a consumer."""
    calls = [
        (node.func.attr, {word.arg: ast.unparse(word.value) for word in node.keywords})
        for node in ast.walk(SOURCE)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    consumers = [words for name, words in calls if name in ("basic_consume", "basic_get")]
    assert consumers == [{}]
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
    first = one.receive(5)
    assert first is not None
    assert first.batch.batch == "b0"
    assert eventually(queues.depth, 4) == 4
    two = transport(queues, wire)
    other = two.receive(5)
    assert other is not None
    assert other.batch.batch == "b1"
    one.close()
    two.ack(other)
    again = two.receive(5)
    assert again is not None
    assert (again.batch.batch, again.deliveries) == ("b0", 1)
    two.close()
    assert eventually(queues.depth, 4) == 4


@pytest.mark.services
def test_an_acknowledgement_on_a_dead_channel_is_no_error_and_the_batch_comes_again(
    queues: Queues, wire: TcpProxy
) -> None:
    """T-05: twenty times; the worker goes on, each batch is acknowledged once in the end."""
    worker = transport(queues, wire)
    for number in range(20):
        queues.put(batch(number))
        held = worker.receive(5)
        assert held is not None
        wire.break_connections()
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
    worker.close()


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
        delivery = worker.receive(10)
        assert delivery is not None
        assert delivery.batch.batch == f"b{number}"
        worker.send("nobody", Reply(batch=delivery.batch.batch))
        worker.ack(delivery)
    pusher.join(30)
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
    delivery = worker.receive(10)
    assert delivery is not None
    time.sleep(4)  # the handler: this very thread is busy
    worker.ack(delivery)
    assert worker.receive(0.3) is None
    assert queues.depth() == 0
    assert wire.connections == 1
    assert wire.heartbeats >= 3
    worker.close()
