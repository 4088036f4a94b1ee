"""What every transport promises, checked on each: in memory, through a pipe, on a real RabbitMQ.

Besides: what only a broker can do wrong (it is away, its queue is gone, the wire is cut).
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pamqp.frame
import pytest
from pamqp import commands
from tests.rabbitmq import AMQP_URL, Queues, TcpProxy, isolated_queues, unused_port

from levity.run.amqp.transport import AmqpWorkerTransport
from levity_ws.rpc.amqp import AmqpEdgeTransport
from levity_ws.rpc.envelope import Batch, Received, Reply, Send
from levity_ws.rpc.memory import MemoryBroker
from levity_ws.rpc.pipe import PipeBackend, PipeEdgeTransport, pair
from levity_ws.rpc.topology import declarations, rpc_queue
from levity_ws.rpc.transport import Delivery, EdgeTransport, TransportUnavailable, WorkerTransport

NUL_AND_EMOJI = '[2,"1","DataTransfer",{"data":"\x00\U0001f50c\\u0000"}]'


def no_pause(_failures: int) -> float:
    """Tries again at once, so that nothing here waits for a jittered pause."""
    return 0.02


def batch(name: str, text: str = "[]", attempt: int = 0) -> Batch:
    """A batch with one frame in it."""
    event = Received(charge_point="CP 1", connection="c1", seq=0, at=1.5, text=text)
    return Batch(edge="edge-1", batch=name, events=(event,), attempt=attempt)


@dataclass(slots=True)
class Medium:
    """A transport to test: makes edges and workers, and takes them away afterwards."""

    make_edge: Callable[[], EdgeTransport]
    make_worker: Callable[[], WorkerTransport]
    workers: list[WorkerTransport] = field(default_factory=list)

    @asynccontextmanager
    async def edge(self) -> AsyncIterator["Edge"]:
        """A started edge."""
        edge = Edge(self.make_edge())
        await edge.transport.start(edge.replies.put_nowait, edge.connected.put_nowait_none)
        try:
            yield edge
        finally:
            await edge.transport.close()

    def worker(self) -> WorkerTransport:
        """A worker, closed after the test."""
        worker = self.make_worker()
        self.workers.append(worker)
        return worker


class Signals(asyncio.Queue[None]):
    """Counts calls."""

    def put_nowait_none(self) -> None:
        """One more."""
        self.put_nowait(None)


@dataclass(slots=True)
class Edge:
    """An edge's transport and what came back."""

    transport: EdgeTransport
    replies: "asyncio.Queue[Reply]" = field(default_factory=asyncio.Queue)
    connected: Signals = field(default_factory=Signals)

    async def next_reply(self) -> Reply:
        """The next reply, or a failure after a minute."""
        async with asyncio.timeout(60):
            return await self.replies.get()

    async def next_connection(self) -> None:
        """Wait until the transport says that a connection stands."""
        async with asyncio.timeout(60):
            await self.connected.get()

    async def publish(self, batch: Batch) -> None:
        """Publish until it is taken, as the relay does: a busy broker may refuse now and then."""
        async with asyncio.timeout(60):
            while True:
                with suppress(TransportUnavailable):
                    await self.transport.publish(batch)
                    return
                await asyncio.sleep(0.02)


@pytest.fixture
def queues() -> Iterator[Queues]:
    with isolated_queues() as isolated:
        yield isolated


class JoinedEdge(PipeEdgeTransport):
    """The edge's end, with the other end in the same loop."""

    def __init__(self, broker: MemoryBroker) -> None:
        ours, its = pair()
        super().__init__(its)
        self._broker, self._ours = broker, ours

    async def start(
        self,
        on_reply: Callable[[Reply], None],
        on_connect: Callable[[], None] | None = None,
    ) -> None:
        """Both ends."""
        backend = PipeBackend(self._broker, self._ours)
        self._passing = asyncio.create_task(backend.run())
        await super().start(on_reply, on_connect)

    async def close(self) -> None:
        """Until the other end has seen it."""
        await super().close()
        await self._passing


@pytest.fixture(params=["memory", "pipe", pytest.param("amqp", marks=pytest.mark.services)])
def medium(request: pytest.FixtureRequest) -> Iterator[Medium]:
    if request.param == "memory":
        broker = MemoryBroker()
        made = Medium(broker.edge_transport, broker.worker_transport)
    elif request.param == "pipe":
        broker = MemoryBroker()
        made = Medium(lambda: JoinedEdge(broker), broker.worker_transport)
    else:
        prefix = request.getfixturevalue("queues").prefix
        made = Medium(
            lambda: AmqpEdgeTransport(AMQP_URL, prefix=prefix, pause=no_pause),
            lambda: AmqpWorkerTransport(AMQP_URL, prefix=prefix, prefetch=4, pause=no_pause),
        )
    yield made
    for worker in made.workers:
        worker.close()


async def receive(worker: WorkerTransport, within: float = 10.0) -> Delivery:
    """The worker's next delivery, which must come."""
    delivery = await asyncio.to_thread(worker.receive, within)
    assert delivery is not None
    return delivery


async def test_a_batch_arrives_as_it_was_sent(medium: Medium) -> None:
    worker = medium.worker()
    async with medium.edge() as edge:
        sent = batch("b1", NUL_AND_EMOJI, attempt=3)
        await edge.publish(sent)
        delivery = await receive(worker)
        assert (delivery.batch, delivery.deliveries) == (sent, 0)
        assert delivery.reply_to


async def test_batches_arrive_in_the_order_in_which_they_were_published(medium: Medium) -> None:
    worker = medium.worker()
    async with medium.edge() as edge:
        names = [f"b{number}" for number in range(50)]
        for name in names:
            await edge.publish(batch(name))
        arrived = []
        for _ in names:
            delivery = await receive(worker)
            arrived.append(delivery.batch.batch)
            worker.ack(delivery)
        assert arrived == names


async def test_a_batch_waits_for_a_worker(medium: Medium) -> None:
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        delivery = await receive(medium.worker())
        assert delivery.batch.batch == "b1"


async def test_replies_arrive_in_order_at_the_edge_that_asked(medium: Medium) -> None:
    worker = medium.worker()
    async with medium.edge() as edge, medium.edge() as other:
        await edge.publish(batch("b1"))
        delivery = await receive(worker)
        replies = [
            Reply(batch="b1", commands=(Send("c1", NUL_AND_EMOJI),)),
            *(Reply(batch=f"more-{number}") for number in range(20)),
        ]
        for reply in replies:
            assert await asyncio.to_thread(worker.send, delivery.reply_to, reply)
        worker.ack(delivery)
        assert [await edge.next_reply() for _ in replies] == replies
        assert other.replies.empty()


async def test_the_backend_can_speak_first(medium: Medium) -> None:
    worker = medium.worker()
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        delivery = await receive(worker)
        push = Reply(commands=(Send("c1", '[2,"op","Reset",{"type":"Soft"}]'),))
        assert await asyncio.to_thread(worker.send, delivery.reply_to, push) is True
        assert await edge.next_reply() == push


async def test_speaking_to_nobody_is_said_so(medium: Medium) -> None:
    worker = medium.worker()
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        gone = (await receive(worker)).reply_to
    assert await asyncio.to_thread(worker.send, gone, Reply(commands=(Send("c1", "[]"),))) is False


async def test_a_reply_to_an_edge_that_has_gone_does_not_stop_the_worker(medium: Medium) -> None:
    worker = medium.worker()
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        delivery = await receive(worker)
    worker.send(delivery.reply_to, Reply(batch="b1"))
    worker.ack(delivery)
    async with medium.edge() as edge:
        await edge.publish(batch("b2"))
        assert (await receive(worker)).batch.batch == "b2"


async def test_what_a_closed_worker_left_is_delivered_again_and_counted(medium: Medium) -> None:
    first = medium.worker()
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        await edge.publish(batch("b2"))
        worker, count = first, 0
        for expected in range(3):
            deliveries = [await receive(worker), await receive(worker)]
            assert [(item.batch.batch, item.deliveries) for item in deliveries] == [
                ("b1", expected),
                ("b2", expected),
            ]
            await asyncio.to_thread(worker.close)
            worker, count = medium.worker(), count + 1


async def test_what_was_acknowledged_is_not_delivered_again(medium: Medium) -> None:
    first = medium.worker()
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        first.ack(await receive(first))
        await asyncio.to_thread(first.close)
        await edge.publish(batch("b2"))
        assert (await receive(medium.worker())).batch.batch == "b2"


async def test_acknowledging_after_the_close_is_harmless(medium: Medium) -> None:
    first = medium.worker()
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        stale = await receive(first)
        await asyncio.to_thread(first.close)
        first.ack(stale)
        again = await receive(medium.worker())
        assert (again.batch.batch, again.deliveries) == ("b1", 1)


async def test_two_workers_share_the_queue(medium: Medium) -> None:
    workers = [medium.worker(), medium.worker()]
    async with medium.edge() as edge:
        seen: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        everything = threading.Barrier(2)

        def work(index: int) -> None:
            delivery = workers[index].receive(60)
            assert delivery is not None
            everything.wait(60)  # each holds one: neither got both
            seen.put((index, delivery.batch.batch))
            workers[index].ack(delivery)

        tasks = [asyncio.create_task(asyncio.to_thread(work, index)) for index in (0, 1)]
        # A worker with room for more may get both at first, so there is more than two.
        for number in range(12):
            await edge.publish(batch(f"b{number}"))
        await asyncio.gather(*tasks)
        assert {seen.get(timeout=60)[0], seen.get(timeout=60)[0]} == {0, 1}


async def test_receive_gives_up_after_its_time(medium: Medium) -> None:
    worker = medium.worker()
    started = time.monotonic()
    assert await asyncio.to_thread(worker.receive, 0.05) is None
    assert time.monotonic() - started < 30


async def test_wake_ends_a_waiting_receive(medium: Medium) -> None:
    worker = medium.worker()
    waiting = asyncio.create_task(asyncio.to_thread(worker.receive, 600.0))
    await asyncio.sleep(0)
    worker.wake()
    async with asyncio.timeout(60):
        assert await waiting is None


async def test_publishing_on_a_closed_transport_is_unavailable(medium: Medium) -> None:
    async with medium.edge() as edge:
        assert edge.transport.available
    assert not edge.transport.available
    with pytest.raises(TransportUnavailable):
        await edge.transport.publish(batch("b1"))


async def test_closing_twice_is_as_good_as_once(medium: Medium) -> None:
    worker = medium.worker()
    async with medium.edge() as edge:
        await edge.transport.close()
    await asyncio.to_thread(worker.close)
    await asyncio.to_thread(worker.close)
    assert worker.receive(0.0) is None


async def test_the_edge_is_told_that_a_connection_stands(medium: Medium) -> None:
    async with medium.edge() as edge:
        await edge.next_connection()


async def test_a_full_memory_queue_is_unavailable() -> None:
    broker = MemoryBroker(capacity=1)
    medium = Medium(broker.edge_transport, broker.worker_transport)
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        with pytest.raises(TransportUnavailable):
            await edge.transport.publish(batch("b2"))


@pytest.fixture
def wire() -> Iterator[TcpProxy]:
    parts = urlsplit(AMQP_URL)
    proxy = TcpProxy(parts.hostname or "localhost", parts.port or 5672)
    yield proxy
    proxy.close()


def through(wire: TcpProxy) -> str:
    """The broker's URL by way of the proxy."""
    parts = urlsplit(AMQP_URL)
    credentials = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{credentials}@127.0.0.1:{wire.port}").geturl()


@pytest.fixture
def wired(queues: Queues, wire: TcpProxy) -> Iterator[Medium]:
    """RabbitMQ at the end of a wire that can be cut."""
    url = through(wire)
    made = Medium(
        lambda: AmqpEdgeTransport(url, prefix=queues.prefix, pause=no_pause),
        lambda: AmqpWorkerTransport(url, prefix=queues.prefix, pause=no_pause),
    )
    yield made
    for worker in made.workers:
        worker.close()


async def wait_until(condition: Callable[[], bool], within: float = 10.0) -> None:
    """For what another thread does and tells nobody."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110  # nobody could set an event
            await asyncio.sleep(0.01)


async def test_no_broker_is_unavailable_and_leaks_no_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"amqp://guest:s3cret-word@127.0.0.1:{unused_port()}/"
    transport = AmqpEdgeTransport(url, pause=no_pause)
    with pytest.raises(TransportUnavailable):
        await transport.start(lambda _reply: None)
    assert not transport.available
    with pytest.raises(TransportUnavailable):
        await transport.publish(batch("b1"))
    await transport.close()
    worker = AmqpWorkerTransport(url, pause=no_pause)
    assert await asyncio.to_thread(worker.receive, 0.1) is None
    assert worker.send("anywhere", Reply()) is False
    worker.close()
    assert "s3cret-word" not in caplog.text


@pytest.mark.services
async def test_a_wrong_password_is_said_once_and_not_repeated(
    caplog: pytest.LogCaptureFixture, queues: Queues
) -> None:
    caplog.set_level(logging.DEBUG)
    parts = urlsplit(AMQP_URL)
    url = f"amqp://guest:s3cret-word@{parts.hostname}:{parts.port or 5672}/"
    transport = AmqpEdgeTransport(url, prefix=queues.prefix, pause=lambda _failures: 3600.0)
    with pytest.raises(TransportUnavailable, match="ACCESS_REFUSED"):
        await transport.start(lambda _reply: None)
    await transport.close()
    assert "s3cret-word" not in caplog.text


@pytest.mark.services
async def test_an_edge_that_starts_before_the_broker_connects_when_it_comes(
    wired: Medium, wire: TcpProxy
) -> None:
    wire.cut()
    edge = Edge(wired.make_edge())
    with pytest.raises(TransportUnavailable):
        await edge.transport.start(edge.replies.put_nowait, edge.connected.put_nowait_none)
    wire.heal()
    await edge.next_connection()
    await edge.publish(batch("b1"))
    await edge.transport.close()


@pytest.mark.services
async def test_a_cut_wire_is_noticed_and_everything_comes_back(
    wired: Medium, wire: TcpProxy
) -> None:
    worker = wired.worker()
    async with wired.edge() as edge:
        await edge.next_connection()
        await edge.publish(batch("b1"))
        held = await receive(worker)
        wire.cut()
        await wait_until(lambda: not edge.transport.available)
        with pytest.raises(TransportUnavailable):
            await edge.transport.publish(batch("b2"))
        worker.ack(held)  # on a connection that is gone
        wire.heal()
        await edge.next_connection()
        again = await receive(worker)
        assert (again.batch.batch, again.deliveries) == ("b1", 1)
        worker.ack(held)  # the tag means nothing on the new connection: no error, no effect
        worker.ack(again)
        await edge.publish(batch("b2", attempt=1))
        last = await receive(worker)
        assert (last.batch, last.deliveries) == (batch("b2", attempt=1), 0)
        assert last.reply_to != held.reply_to
        worker.send(last.reply_to, Reply(batch="b2"))
        assert await edge.next_reply() == Reply(batch="b2")


@pytest.mark.services
async def test_an_old_acknowledgement_never_takes_a_new_delivery(
    wired: Medium, wire: TcpProxy, queues: Queues
) -> None:
    worker = wired.worker()
    async with wired.edge() as edge:
        await edge.publish(batch("b1"))
        stale = await receive(worker)
        wire.break_connections()
        await receive(worker)  # tag 1 of the new connection, as the stale one was of the old
        worker.ack(stale)
        await asyncio.to_thread(worker.close)
        assert (await receive(wired.worker())).batch.batch == "b1"


@pytest.mark.services
async def test_what_lay_ready_when_the_wire_was_cut_is_received_once(
    wired: Medium, wire: TcpProxy
) -> None:
    worker = wired.worker()
    assert isinstance(worker, AmqpWorkerTransport)
    async with wired.edge() as edge:
        await edge.publish(batch("b1"))
        await wait_until(lambda: worker._deliveries.qsize() == 1)
        wire.break_connections()
        await wait_until(lambda: worker._deliveries.qsize() == 2)
        again = await receive(worker)
        assert (again.batch.batch, again.deliveries) == ("b1", 1)
        assert worker.receive(0.0) is None


@pytest.mark.services
async def test_a_deleted_queue_is_unavailable_and_declared_again(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    transport = AmqpEdgeTransport(AMQP_URL, prefix=queues.prefix, pause=no_pause)
    edge = Edge(transport)
    await transport.start(edge.replies.put_nowait, edge.connected.put_nowait_none)
    await edge.next_connection()
    await asyncio.to_thread(queues.delete)
    with pytest.raises(TransportUnavailable):
        await transport.publish(batch("b1"))
    await edge.next_connection()
    await transport.publish(batch("b1", attempt=1))
    assert await asyncio.to_thread(queues.depth) == 1
    await transport.close()


@pytest.mark.services
async def test_a_channel_that_is_closed_is_unavailable_at_once_and_made_again(
    queues: Queues,
) -> None:
    """Before anybody has told that it closes: no publish waits for a confirm that never comes."""
    options = {"confirm_timeout": 600.0, "pause": no_pause}
    transport = AmqpEdgeTransport(AMQP_URL, prefix=queues.prefix, **options)
    edge = Edge(transport)
    await transport.start(edge.replies.put_nowait, edge.connected.put_nowait_none)
    await edge.next_connection()
    assert transport._channel is not None
    closing = asyncio.ensure_future(transport._channel.close())

    async def until_closed() -> None:
        while True:
            await asyncio.sleep(0)
            await transport.publish(batch("b1"))

    async with asyncio.timeout(60):
        with pytest.raises(TransportUnavailable):
            await until_closed()
    await edge.next_connection()
    await transport.publish(batch("b1", attempt=1))
    await closing
    await transport.close()


@pytest.mark.services
async def test_a_worker_whose_queue_is_deleted_consumes_again(queues: Queues) -> None:
    medium = Medium(
        lambda: AmqpEdgeTransport(AMQP_URL, prefix=queues.prefix, pause=no_pause),
        lambda: AmqpWorkerTransport(AMQP_URL, prefix=queues.prefix, pause=no_pause),
    )
    worker = medium.worker()
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        worker.ack(await receive(worker))
        await asyncio.to_thread(queues.delete)
        await edge.publish(batch("b2"))
        assert (await receive(worker)).batch.batch == "b2"
    worker.close()


@pytest.mark.services
async def test_a_blocked_connection_is_unavailable_at_once(wired: Medium, wire: TcpProxy) -> None:
    """F-04: what RabbitMQ says when its memory or disk alarm goes off."""
    async with wired.edge() as edge:
        assert edge.transport.available
        wire.inject_to_clients(pamqp.frame.marshal(commands.Connection.Blocked("low on disk"), 0))
        await wait_until(lambda: not edge.transport.available)
        with pytest.raises(TransportUnavailable):
            await edge.transport.publish(batch("b1"))
        wire.inject_to_clients(pamqp.frame.marshal(commands.Connection.Unblocked(), 0))
        await wait_until(lambda: edge.transport.available)
        await edge.publish(batch("b1"))


@pytest.mark.services
async def test_bytes_that_are_no_batch_are_parked_not_repeated(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    worker = AmqpWorkerTransport(AMQP_URL, prefix=queues.prefix, pause=no_pause)
    await wait_until(lambda: worker.connected)
    for body in (b"not json", b'{"v":999}', b'{"v":1,"events":5}'):
        await asyncio.to_thread(queues.put, body)
    await wait_until(lambda: worker.undecodable == 3)
    await wait_until(lambda: queues.depth(0) == 3)
    assert queues.depth(1) == 0
    worker.close()


@pytest.mark.services
async def test_a_batch_is_persistent_and_the_queues_are_as_declared(queues: Queues) -> None:
    """T-09, T-10, T-11: a second declaration with the same words is accepted by the broker."""
    transport = AmqpEdgeTransport(AMQP_URL, prefix=queues.prefix)
    await transport.start(lambda _reply: None)
    await transport.publish(batch("b1"))
    await transport.close()

    def peek() -> Any:
        import pika

        with pika.BlockingConnection(pika.URLParameters(AMQP_URL)) as connection:
            channel = connection.channel()
            for queue_ in declarations(queues.prefix):
                channel.queue_declare(queue_.name, durable=True, arguments=dict(queue_.arguments))
            return channel.basic_get(rpc_queue(queues.prefix).name, auto_ack=True)[1]

    assert (await asyncio.to_thread(peek)).delivery_mode == 2


@pytest.mark.services
async def test_heartbeats_go_on_while_a_handler_takes_its_time(
    queues: Queues, wire: TcpProxy
) -> None:
    """T-03: the thread that handles the batch does nothing, and the connection stands."""
    worker = AmqpWorkerTransport(f"{through(wire)}?heartbeat=1", prefix=queues.prefix)
    medium = Medium(lambda: AmqpEdgeTransport(AMQP_URL, prefix=queues.prefix), lambda: worker)
    async with medium.edge() as edge:
        await edge.publish(batch("b1"))
        delivery = await receive(worker)
        before = wire.heartbeats
        # The broker gives up on a client after two silent heartbeat intervals.
        await wait_until(lambda: wire.heartbeats >= before + 5)
        assert wire.connections == 1
        worker.ack(delivery)
        await asyncio.to_thread(worker.close)
        assert await asyncio.to_thread(queues.depth) == 0
