"""An edge with a spool, and a backend that may be away."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.backend import ScriptedBackend
from tests.chargers import RawCharger

from levity_ws.edge.server import EdgeServer
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.spool.journal import SpooledFrame
from levity_ws.rpc.envelope import Received, Send, Spooled
from levity_ws.rpc.memory import MemoryBroker

__all__ = ["START", "Site", "call", "frame", "said", "spooling"]

START = {"connectorId": 1, "idTag": "AA", "meterStart": 5, "timestamp": "2026-01-01T00:00:00Z"}
QUICK = {"alive_interval": 0.5, "alive_timeout": 0.5, "hold": 1.5, "spool_after": 0.0}


def call(action: str, payload: Any, unique_id: str = "") -> str:
    return json.dumps([2, unique_id or uuid.uuid4().hex[:36], action, payload])


def frame(number: int, **other: Any) -> SpooledFrame:
    values = {"charge_point": "CP", "connection": "c", "seq": number, "at": 1.5, "text": "[]"}
    return SpooledFrame(**{**values, "unique_id": str(number), **other})


def result(event: Received) -> Send:
    """A backend's answer: a CALLRESULT to a Call, with an id that the spool has never heard of."""
    if not event.text.startswith("["):
        return Send(event.connection, f"echo {event.text}")
    _, unique_id, action, _ = json.loads(event.text)
    payload = {"transactionId": 1_000_000} if action == "StartTransaction" else {}
    return Send(event.connection, json.dumps([3, unique_id, payload]))


class Site:
    """An edge with a spool, and a backend that may be away."""

    def __init__(self, edge: EdgeServer, backend: ScriptedBackend) -> None:
        self.edge, self.backend = edge, backend

    async def until(self, probe: Callable[[], bool], within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            # Neither the spool nor the backend tells when it is done.
            while not probe():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    @property
    def spool(self) -> Any:
        return self.edge._spool

    async def away(self) -> None:
        self.backend.answering.clear()
        await self.until(lambda: self.spool.away)

    async def back(self) -> None:
        self.backend.answering.set()
        await self.until(lambda: not self.spool.away and not self.spool.waiting)

    @property
    def spooled(self) -> list[Spooled]:
        return self.backend.of(Spooled)


@asynccontextmanager
async def spooling(
    folder: Path, *, kind: type[ScriptedBackend] = ScriptedBackend, **settings: Any
) -> AsyncIterator[Site]:
    """Entered when the edge has its ids, where it may give any. `kind` of backend."""
    broker = MemoryBroker()
    backend = kind(broker.worker_transport(), received=result)
    chosen = {**QUICK, "host": "127.0.0.1", "port": 0, "close_timeout": 0.3, **settings}
    edge = EdgeServer(EdgeSettings(spool=str(folder), **chosen), broker.edge_transport())
    await edge.start()
    site = Site(edge, backend)
    try:
        if chosen.get("spool_starts", True):
            await site.until(lambda: bool(site.spool.ids_left))
        yield site
    finally:
        backend.answering.set()
        await edge.stop()
        backend.stop()


async def said(charger: RawCharger, action: str, payload: Any) -> Any:
    """Send a Call; its answer's payload."""
    text = call(action, payload)
    charger.send(text)
    answer = json.loads(await charger.text())
    assert answer[:2] == [3, json.loads(text)[1]]
    return answer[2]
