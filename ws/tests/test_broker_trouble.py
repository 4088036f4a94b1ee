"""An edge and a worker on a RabbitMQ that is stopped, killed, paused and put under alarm.

The edge learns of it before its chargers do, holds what is under way, closes with 1013, refuses
handshakes with 503 and a jittered Retry-After, and comes back by itself. (Promise 6.)

LEVITY_BROKER_RESTARTS says how often the broker is restarted: 2 here (stopped, killed), 50
before a release.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pika
import pytest
from tests.backend import ScriptedBackend
from tests.chargers import RawCharger, raw_charger
from tests.own_broker import OwnBroker, own_broker

from levity.run.amqp.transport import AmqpWorkerTransport
from levity_ws.edge.server import EdgeServer
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.amqp import AmqpEdgeTransport
from levity_ws.rpc.envelope import Received
from levity_ws.rpc.topology import rpc_queue

# Limits of time are what it promises.
pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timed]

RESTARTS = int(os.environ.get("LEVITY_BROKER_RESTARTS", "2"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBroker]:
    with own_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@dataclass(slots=True)
class Fleet:
    """One edge and one worker on the broker."""

    edge: EdgeServer
    transport: AmqpEdgeTransport
    backend: ScriptedBackend
    worker: AmqpWorkerTransport

    async def until(self, available: bool, within: float) -> float:
        """Seconds until the edge says so of the backend."""
        began = time.monotonic()
        async with asyncio.timeout(within):
            # What the edge knows of its backend, it tells nobody.
            while self.edge.relay.available != available:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def answered(self, identity: str, within: float) -> None:
        """A new charger is let in and answered, at the first or at a later try."""
        async with asyncio.timeout(within):
            while True:
                async with raw_charger(self.edge.port, f"/ws/{identity}") as charger:
                    if charger.status == 101:
                        charger.send("hello")
                        assert await charger.text() == "echo hello"
                        return
                    assert charger.status == 503, charger.head
                await asyncio.sleep(0.1)

    async def refused(self) -> int:
        """A handshake is refused with 503; its Retry-After."""
        async with raw_charger(self.edge.port, "/ws/REFUSED") as charger:
            assert charger.status == 503, charger.head
            return int(charger.header("Retry-After") or 0)

    def nothing_is_left(self) -> bool:
        """True if no batch, verdict, task or connection waits for anything any more."""
        relay: Any = self.edge.relay
        left = (
            relay.under_way,
            relay.waiting,
            relay._verdicts,
            relay._batches._tasks,
            relay._lanes,
        )
        return not any(left)

    async def settled(self, within: float = 15.0) -> None:
        """Wait until nothing is left under way."""
        async with asyncio.timeout(within):
            while not self.nothing_is_left():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running_fleet(broker: OwnBroker, prefix: str, **settings: Any) -> AsyncIterator[Fleet]:
    worker = AmqpWorkerTransport(broker.url, prefix=prefix, prefetch=4)
    backend = ScriptedBackend(worker)
    transport = AmqpEdgeTransport(broker.url, prefix=prefix, confirm_timeout=2.0)
    chosen = {"host": "127.0.0.1", "port": 0, "close_timeout": 0.3, **settings}
    edge = EdgeServer(EdgeSettings(**chosen), transport)
    await edge.start()
    fleet = Fleet(edge, transport, backend, worker)
    try:
        await fleet.answered("WARM-UP", 20)
        yield fleet
    finally:
        backend.answering.set()
        await edge.stop()
        await asyncio.to_thread(backend.stop)


async def closed_with(charger: RawCharger, code: int, within: float) -> float:
    """Seconds until the edge closes with this code."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        opcode, payload = await charger.frame()
    assert (opcode, int.from_bytes(payload[:2], "big")) == (8, code)
    charger.send_frame(8, payload[:2])
    return time.monotonic() - began


async def test_broker_that_is_killed_and_restarted_is_back_within_30_seconds(
    broker: OwnBroker,
) -> None:
    """T-14, T-15, F-02, F-03: every restart is noticed, and nothing is left of it.

    The broker is killed while frames are under way, so between a publish and its confirm, too.
    """
    slowest = 0.0
    # A slow machine may need longer for a restart than the 20 s for which an edge holds a frame.
    async with running_fleet(broker, "restarts", hold=60.0) as fleet:
        tasks = len(asyncio.all_tasks())
        for number in range(RESTARTS):
            async with raw_charger(fleet.edge.port, f"/ws/R-{number}") as charger:
                charger.send("before")
                assert await charger.text() == "echo before"
                fleet.backend.answering.clear()
                charger.send("under way")
                # In good order first: RabbitMQ 3.10 forgets who leads a quorum queue that was
                # declared within seconds before a SIGKILL.
                await asyncio.to_thread(broker.kill if number % 2 else broker.stop)
                assert await fleet.until(available=False, within=5) < 5
                assert 10 <= await fleet.refused() <= 60
                fleet.backend.answering.set()
                await asyncio.to_thread(broker.start)
                began = time.monotonic()
                # On the same websocket: what was held is answered, if it comes back in time.
                async with asyncio.timeout(30):
                    assert await charger.text() == "echo under way"
                await fleet.answered(f"N-{number}", 30)
                slowest = max(slowest, time.monotonic() - began)
            await fleet.settled()
        assert slowest <= 30
        assert len(asyncio.all_tasks()) <= tasks
        print(f"{RESTARTS} restarts, the slowest recovery took {slowest:.1f} s")


@pytest.mark.parametrize(
    ("alarm", "all_clear"),
    [
        (("set_vm_memory_high_watermark", "0"), ("set_vm_memory_high_watermark", "0.4")),
        (("set_disk_free_limit", "900GB"), ("set_disk_free_limit", "1MB")),
    ],
    ids=["memory", "disk"],
)
async def test_broker_under_alarm_is_unavailable_until_it_is_over(
    broker: OwnBroker,
    alarm: tuple[str, ...],
    all_clear: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F-04: the broker blocks who publishes, from the first publish on: a frame, or the `alive`."""
    async with running_fleet(broker, f"alarm-{alarm[0][4:6]}", alive_interval=2.0) as fleet:
        async with raw_charger(fleet.edge.port, "/ws/ALARM") as charger:
            await asyncio.to_thread(broker.ctl, *alarm)
            began = time.monotonic()
            # Nobody sends anything: the edge's own sign of life finds it out.
            await fleet.until(available=False, within=5)
            assert time.monotonic() - began <= 5
            assert 10 <= await fleet.refused() <= 60
            charger.send("held")
            # Longer than a confirm may take (2 s here). The connection is only blocked, and a new
            # one each time that a confirm is late would mend nothing.
            await asyncio.sleep(3)
            assert not fleet.edge.relay.available
            assert "Giving up" not in caplog.text
            await asyncio.to_thread(broker.ctl, *all_clear)
            async with asyncio.timeout(15):
                assert await charger.text() == "echo held"
        await fleet.answered("AFTERWARDS", 15)
        await fleet.settled()


async def test_broker_that_is_paused_is_noticed_by_its_heartbeat(broker: OwnBroker) -> None:
    """F-05, F-17: it holds the connection and says nothing, as behind a cut network."""
    async with running_fleet(broker, "paused") as fleet:
        async with raw_charger(fleet.edge.port, "/ws/PAUSED") as charger:
            await asyncio.to_thread(broker.pause)
            try:
                charger.send("held")
                # Twice the heartbeat (4 s here), and the grace that the libraries give.
                noticed = await fleet.until(available=False, within=20)
                print(f"noticed after {noticed:.1f} s")
                assert noticed <= 15
                assert 10 <= await fleet.refused() <= 60
            finally:
                await asyncio.to_thread(broker.resume)
            async with asyncio.timeout(30):
                assert await charger.text() == "echo held"
        await fleet.answered("AFTERWARDS", 30)
        await fleet.settled()


async def test_connections_that_the_broker_closes_are_made_anew(broker: OwnBroker) -> None:
    """T-14: five times in a row, with frames under way."""
    async with running_fleet(broker, "closed") as fleet:
        async with raw_charger(fleet.edge.port, "/ws/CLOSED") as charger:
            for number in range(5):
                charger.send(f"frame {number}")
                await asyncio.to_thread(broker.ctl, "close_all_connections", "a person said so")
                async with asyncio.timeout(20):
                    assert await charger.text() == f"echo frame {number}"
        await fleet.settled()


async def test_backend_that_consumes_and_does_not_answer_closes_with_1013(
    broker: OwnBroker,
) -> None:
    """F-13, T-15: the broker is well; its worker is stuck, then gone, then back."""
    timing = {"alive_interval": 1.0, "alive_timeout": 1.0, "hold": 3.0}
    async with running_fleet(broker, "stale", **timing) as fleet:
        async with raw_charger(fleet.edge.port, "/ws/STALE") as charger:
            charger.send("well")
            assert await charger.text() == "echo well"
            fleet.backend.answering.clear()
            # Stuck: nobody sends anything, and the edge knows within interval and time-out.
            await fleet.until(available=False, within=5)
            assert 10 <= await fleet.refused() <= 60
            charger.send("held")
            held = await closed_with(charger, 1013, 6)
            assert 2 <= held <= 4.5
        fleet.backend.answering.set()
        await fleet.until(available=True, within=5)
        await fleet.answered("AFTERWARDS", 10)
        # Gone: no consumer at all.
        await asyncio.to_thread(fleet.backend.stop)
        await fleet.until(available=False, within=5)
        fleet.worker = AmqpWorkerTransport(broker.url, prefix="stale")
        fleet.backend = ScriptedBackend(fleet.worker)
        await fleet.until(available=True, within=10)
        await fleet.answered("AFTER-ALL", 10)
        await fleet.settled()


async def test_reply_to_an_edge_that_has_vanished_is_dropped_and_counted(
    broker: OwnBroker,
) -> None:
    """T-16: its queue has gone with it, the batch is not delivered again, and nothing grows."""
    async with running_fleet(broker, "vanished") as fleet:
        other = AmqpEdgeTransport(broker.url, prefix="vanished")
        edge = EdgeServer(
            EdgeSettings(host="127.0.0.1", port=0, shutdown_grace=0.1, goodbye_timeout=0.1), other
        )
        await edge.start()
        async with raw_charger(edge.port, "/ws/VANISHED") as charger:
            charger.send("well")
            assert await charger.text() == "echo well"
            fleet.backend.answering.clear()
            charger.send("nobody will read the answer")
            assert await asyncio.to_thread(
                fleet.backend.wait_for, lambda _events: len(fleet.backend.of(Received)) == 3
            )
            await other.close()
        await edge.stop()
        before = fleet.worker.returned_replies
        fleet.backend.answering.set()
        await fleet.answered("STILL-HERE", 10)
        assert fleet.worker.returned_replies >= before + 1
        await fleet.settled()
        rpc, ours = rpc_queue("vanished").name, {"": 1}
        async with asyncio.timeout(10):
            while ours.get(rpc) != 0:
                # Counted by the broker now and then.
                listed = await asyncio.to_thread(broker.ctl, "list_queues", "name", "messages")
                ours = {
                    line.split()[0]: int(line.split()[1])
                    for line in listed.splitlines()[1:]
                    if line
                }
        assert [name for name in ours if name.startswith("amq.gen")] == [fleet.transport._reply_to]


async def test_queue_of_another_release_is_named_and_everything_starts_when_it_is_gone(
    broker: OwnBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """T-13: RabbitMQ takes no second declaration with other arguments (406)."""
    name = rpc_queue("older").name

    def declare_otherwise() -> None:
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            connection.channel().queue_declare(
                name, durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 3}
            )

    await asyncio.to_thread(declare_otherwise)
    worker = AmqpWorkerTransport(broker.url, prefix="older")
    backend = ScriptedBackend(worker)
    transport = AmqpEdgeTransport(broker.url, prefix="older")
    edge = EdgeServer(EdgeSettings(host="127.0.0.1", port=0, goodbye_timeout=0.1), transport)
    await edge.start()
    fleet = Fleet(edge, transport, backend, worker)
    try:
        assert not edge.relay.available
        assert 10 <= await fleet.refused() <= 60
        said = [
            record.message for record in caplog.records if "PRECONDITION_FAILED" in record.message
        ]
        assert said, caplog.text
        assert all(name in line and "rabbitmqctl delete_queue" in line for line in said)
        await asyncio.to_thread(broker.ctl, "delete_queue", name)
        await fleet.answered("AFTERWARDS", 30)
    finally:
        await edge.stop()
        await asyncio.to_thread(backend.stop)
