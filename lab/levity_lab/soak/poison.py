"""One charger sends a frame that does harm; it must be parked, and that charger served on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from levity.simulator.makes import GENERIC
from levity.simulator.websocket import WebsocketDialer
from levity.simulator.wire import DialError, LinkClosedError, call_frame
from levity_lab.soak.scene import Scene
from levity_lab.soak.traps import POISON

__all__ = ["poison"]

PARKED_WITHIN = 60.0


def poison(kind: str) -> Callable[[Scene], AbstractAsyncContextManager[None]]:
    """`raise`, `kill`, `hang` or `sleep` (see `traps.py`), sent once."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        identity = f"{scene.crew.prefix}-poison"
        dialer = WebsocketDialer(scene.site.urls[0])
        link = await dialer.dial(identity, GENERIC)
        await link.send(
            call_frame("poison", "DataTransfer", {"vendorId": POISON, "messageId": kind})
        )
        yield
        link.abort()
        statement = "SELECT action FROM ocpp_failedmessage WHERE identity = %s"
        for _ in range(int(PARKED_WITHIN * 2)):
            if await asyncio.to_thread(scene.site.database.rows, statement, identity):
                break
            await asyncio.sleep(0.5)
        else:
            scene.odd.append(f"the poison was not parked within {PARKED_WITHIN:g} s")
        await _served(scene, dialer, identity)

    return harm


async def _served(scene: Scene, dialer: WebsocketDialer, identity: str) -> None:
    try:
        link = await dialer.dial(identity, GENERIC)
        await link.send(call_frame("after", "Heartbeat", {}))
        async with asyncio.timeout(10):
            answer = await link.recv()
        if not answer.startswith('[3,"after"'):
            scene.odd.append(f"after its poison the charger got {answer:.100}")
        await link.close()
    except (DialError, LinkClosedError, TimeoutError) as error:
        scene.odd.append(f"the charger was not served after its poison: {error!r}")
