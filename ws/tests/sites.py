"""A running edge with a scripted backend behind the transport in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.backend import ScriptedBackend, accept_all, echo

from levity_ws.edge.server import EdgeServer
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.envelope import (
    Accept,
    Authenticate,
    Command,
    Event,
    Received,
    Reply,
)
from levity_ws.rpc.memory import MemoryBroker


@dataclass(slots=True)
class Site:
    """A running edge and its backend."""

    edge: EdgeServer
    backend: ScriptedBackend

    @property
    def port(self) -> int:
        return self.edge.port

    async def heard(self, kind: type[Event], count: int = 1) -> list[Any]:
        """The events of this kind, once there are so many."""
        assert await asyncio.to_thread(
            self.backend.wait_for, lambda _events: len(self.backend.of(kind)) >= count
        ), self.backend.events
        return self.backend.of(kind)

    def push(self, *commands: Command) -> None:
        """Say this to the edge on the backend's own account."""
        assert self.backend.transport.send(self.backend.reply_to, Reply(commands=commands))

    def count(self, name: str, label: str = "") -> int:
        """One of the edge's counters."""
        return self.edge.metrics.counts[name, label]


@asynccontextmanager
async def running_site(
    *,
    authenticate: Callable[[Authenticate], Command | None] = accept_all,
    received: Callable[[Received], Command | None] = echo,
    **settings: Any,
) -> AsyncIterator[Site]:
    """An edge with its backend, on a port of its own."""
    broker = MemoryBroker()
    backend = ScriptedBackend(
        broker.worker_transport(), authenticate=authenticate, received=received
    )
    chosen = {"host": "127.0.0.1", "port": 0, "edge_id": "edge-1", "close_timeout": 0.3, **settings}
    edge = EdgeServer(EdgeSettings(**chosen), broker.edge_transport())
    await edge.start()
    try:
        yield Site(edge, backend)
    finally:
        backend.answering.set()
        await edge.stop()
        backend.stop()


def accept_with(**options: Any) -> Callable[[Authenticate], Accept]:
    """Accept everybody with these settings."""
    return lambda event: Accept(event.connection, **options)
