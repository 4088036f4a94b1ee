"""The worker's connection in trouble: nothing hangs, nothing is left over, nothing stays deaf."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pika
import psutil
import pytest
from tests.rabbitmq import AMQP_URL, Queues, TcpProxy

import levity.run.amqp.connection
import levity.run.amqp.transport
from levity.run.amqp.transport import AmqpWorkerTransport
from levity_ws.rpc.envelope import Batch, Reply
from levity_ws.rpc.topology import dead_letter_queue, rpc_queue
from tests.promises.wired_worker import batch, transport
from tests.system.processes import eventually


def test_a_broker_that_takes_connections_and_says_nothing_is_trouble_and_no_bug(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """F-05, seen in `broker-stop-2-minutes`: told once, without a traceback, and tried again."""
    monkeypatch.setattr(levity.run.amqp.connection, "HANDSHAKE_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        worker = AmqpWorkerTransport(
            f"amqp://guest:guest@127.0.0.1:{silent.getsockname()[1]}/", pause=lambda _: 0.01
        )
        silent.settimeout(10)
        tries = [silent.accept()[0] for _ in range(3)]
        worker.close()
        assert not worker._thread.is_alive()
        for each in tries:
            each.close()
    said = [record for record in caplog.records if record.name == "levity.run.amqp.transport"]
    assert [record.levelname for record in said] == ["WARNING"]
    assert "AMQPConnectorStackTimeout" in said[0].getMessage()
    assert said[0].exc_info is None


@pytest.mark.services
def test_nothing_is_left_of_a_connection_that_is_gone(queues: Queues, wire: TcpProxy) -> None:
    """Twenty that broke, and twenty transports that closed before they stood."""
    worker = transport(queues, wire)

    def lose_and_reconnect(number: int) -> None:
        wire.break_connections()
        assert eventually(lambda: wire.connections, number) == number
        assert eventually(lambda: worker.connected, True)

    lose_and_reconnect(2)
    before = psutil.Process().num_fds()
    for number in range(3, 23):
        lose_and_reconnect(number)
    url = f"amqp://127.0.0.1:{wire.port}/"
    for _ in range(20):
        short = AmqpWorkerTransport(url, prefix=queues.prefix)
        short.close()
        assert not short._thread.is_alive()
    assert eventually(lambda: psutil.Process().num_fds() <= before, True)
    worker.close()
    assert not worker._thread.is_alive()


class StillWire(TcpProxy):
    """Lets nothing through once `still` is set, and breaks nothing either."""

    def __init__(self, host: str, port: int) -> None:
        self.still, self.over = threading.Event(), threading.Event()
        super().__init__(host, port)

    def _pump(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.still.is_set():
                    self.over.wait(30)
                sink.sendall(data)
        sink.close()


@pytest.mark.services
def test_a_close_waits_for_no_broker_that_stands_still(
    queues: Queues, wire: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for the confirm of a push nor for its goodbye; all of it within CLOSE_TIMEOUT."""
    waits = (
        levity.run.amqp.transport.LAST_CONFIRM_TIMEOUT + levity.run.amqp.connection.GOODBYE_TIMEOUT
    )
    assert waits < levity.run.amqp.transport.CLOSE_TIMEOUT
    monkeypatch.setattr(levity.run.amqp.transport, "LAST_CONFIRM_TIMEOUT", 0.1)
    monkeypatch.setattr(levity.run.amqp.connection, "GOODBYE_TIMEOUT", 0.1)
    still = StillWire("127.0.0.1", wire.port)
    worker = transport(queues, still)
    still.still.set()
    with ThreadPoolExecutor(1) as thread:
        push = thread.submit(worker.send, "nobody", Reply())
        assert eventually(lambda: worker._pushes.settled, False) is False
        worker.close()
        assert not worker._thread.is_alive()
        assert push.result(0.5) is False
    still.over.set()
    still.close()


@pytest.mark.services
def test_a_bug_in_a_callback_is_told_and_the_worker_hears_again(
    queues: Queues,
    wire: TcpProxy,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """pika drops what its callbacks raise; the batch comes again on a new connection."""
    worker = transport(queues, wire)
    plain = levity.run.amqp.transport.decode_batch
    bugs = [ZeroDivisionError("a bug")]

    def decode_at_second_try(body: bytes) -> Batch:
        if bugs:
            raise bugs.pop()
        return plain(body)

    monkeypatch.setattr(levity.run.amqp.transport, "decode_batch", decode_at_second_try)
    queues.put(batch(0))
    delivery = worker.receive(10)
    assert delivery is not None
    assert (delivery.batch.batch, delivery.deliveries) == ("b0", 1)
    assert wire.connections == 2
    said = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.exc_info is not None for record in said] == [True]
    worker.ack(delivery)
    worker.close()
    assert queues.depth() == 0


@pytest.mark.services
def test_a_queue_that_somebody_deletes_is_there_again(queues: Queues, wire: TcpProxy) -> None:
    """The worker's own ends its delivery; the other is missed when somebody asks how deep it is."""
    worker = transport(queues, wire)
    for connections in (2, 3):
        rpc, dead = rpc_queue(queues.prefix).name, dead_letter_queue(queues.prefix).name
        with pika.BlockingConnection(pika.URLParameters(AMQP_URL)) as other:
            other.channel().queue_delete(rpc if connections == 2 else dead)
        if connections == 3:
            assert worker.depths(5) is None
        assert eventually(lambda: wire.connections, connections) == connections
        assert eventually(lambda: worker.depths(5), (0, 0)) == (0, 0)
    queues.put(batch(0))
    delivery = worker.receive(5)
    assert delivery is not None
    worker.ack(delivery)
    worker.close()
    assert wire.connections == 3
