"""Postgres stops, crashes or stays away; what is done with SQL stands in `sql`."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

from levity_lab.soak.harms.common import Harm
from levity_lab.soak.scene import Scene
from levity_lab.soak.service import until

__all__ = ["database_away", "kill_postmaster", "restart_database"]


# Seconds (T-07).
LONGEST_HELD = 60.0


def restart_database(mode: str) -> Harm:
    """Stop Postgres (`fast`, or `immediate`, which is a crash) and start it."""
    number = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        service = scene.site.database.service
        await asyncio.to_thread(service.stop, number)
        await asyncio.to_thread(service.start)
        yield

    return harm


def kill_postmaster() -> Harm:
    """SIGKILL for the postmaster alone; its children notice."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        database = scene.site.database
        database.service.send(signal.SIGKILL)
        scene.count("kills")
        yield
        await asyncio.to_thread(until, database.answers, "Postgres", [database.service], 60)

    return harm


def database_away() -> Harm:
    """Postgres is stopped, until it is over. No batch may be held by a worker for a minute."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        site, database = scene.site, scene.site.database
        await asyncio.to_thread(database.service.stop)
        try:
            yield
            if scene.seconds > LONGEST_HELD:
                held = await asyncio.to_thread(site.broker.unacknowledged, site.queue)
                if held:
                    scene.odd.append(f"workers have held {held} batches for {scene.seconds:g} s")
        finally:
            database.service.start()
            await asyncio.to_thread(until, database.answers, "Postgres", [database.service], 60)

    return harm
