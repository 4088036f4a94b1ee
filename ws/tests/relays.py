"""A relay alone: a transport that does what the test says, and a clock that stands still."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from levity_ws.edge.lane import BackendUnavailable, Lane
from levity_ws.edge.relay import Relay
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.envelope import (
    Accept,
    Batch,
    Close,
    Received,
    Refuse,
    Reply,
    Send,
)
from levity_ws.rpc.transport import TransportUnavailable


@dataclass(slots=True)
class FakeTransport:
    """Takes batches, or refuses them while `down`."""

    available: bool = True
    down: bool = False
    published: list[Batch] = field(default_factory=list)
    on_reply: Callable[[Reply], None] = lambda reply: None
    on_connect: Callable[[], None] = lambda: None

    async def start(
        self, on_reply: Callable[[Reply], None], on_connect: Callable[[], None] | None = None
    ) -> None:
        self.on_reply = on_reply
        assert on_connect is not None
        self.on_connect = on_connect

    async def publish(self, batch: Batch) -> None:
        self.published.append(batch)
        if self.down:
            raise TransportUnavailable("down")

    async def close(self) -> None:
        self.available = False


@dataclass(slots=True)
class FakePeer:
    """Remembers what was sent to the charger."""

    written: list[str] = field(default_factory=list)
    closed: list[tuple[int, str]] = field(default_factory=list)

    def write(self, text: str) -> None:
        self.written.append(text)

    def hang_up(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))


class Bench:
    """A relay on a fake transport. `now` is the monotonic clock."""

    def __init__(self, **settings: float) -> None:
        self.now = 1000.0
        self.transport = FakeTransport()
        self.settings = EdgeSettings(edge_id="edge-1", **settings)  # type: ignore[arg-type]
        self.relay = Relay(
            self.transport, self.settings, clock=lambda: self.now, wall=lambda: 5.0 + self.now
        )
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self) -> "Bench":
        await self.relay.start(ticking=False)
        return self

    def lane(self, charge_point: str = "CP 1") -> tuple[Lane, FakePeer]:
        peer = FakePeer()
        return self.relay.open(charge_point, peer), peer

    def send(self, lane: Lane, text: str) -> "asyncio.Task[None]":
        task = asyncio.create_task(lane.received(text))
        self.tasks.append(task)
        return task

    async def settle(self) -> None:
        """Let everything run that can run now."""
        for _ in range(10):
            await asyncio.sleep(0)

    def answer(self, index: int = -1, *commands: Send | Close | Accept | Refuse) -> None:
        self.transport.on_reply(
            Reply(batch=self.transport.published[index].batch, commands=commands)
        )

    async def pass_time(self, seconds: float) -> None:
        """The clock moves, and the relay looks at it."""
        self.now += seconds
        self.relay.tick()
        await self.settle()

    def texts(self) -> list[list[str]]:
        """The frames of every batch published."""
        return [
            [event.text for event in batch.events if isinstance(event, Received)]
            for batch in self.transport.published
        ]


async def given_up(task: "asyncio.Task[None]") -> None:
    """The task has been told that no answer comes."""
    async with asyncio.timeout(30):
        with pytest.raises(BackendUnavailable):
            await task
