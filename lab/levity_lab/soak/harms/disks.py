"""A disk is full."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import psycopg2

from levity_lab.soak.harms.common import Harm
from levity_lab.soak.programs import SoakError
from levity_lab.soak.scene import Scene

__all__ = ["full_disk"]


def full_disk(which: str) -> Harm:
    """Not a byte is free for the `broker`, the `database`, or the `logs` of edges and workers."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        site = scene.site
        disk = {"broker": site.broker.disk, "database": site.database.disk, "logs": site.logs}[
            which
        ]
        if not disk.real:
            raise SoakError(
                "a disk can only be filled on a file system of its own, which only root may "
                "mount: run it as root, or leave these out: --faults '!*-disk-full'"
            )

        async def keep_full() -> None:
            # What is deleted meanwhile (a log, a WAL segment) makes no room.
            while True:
                await asyncio.to_thread(disk.fill)
                if which == "database":
                    # Postgres keeps some empty WAL segments, which would last for a while.
                    with contextlib.suppress(psycopg2.Error):
                        await asyncio.to_thread(site.database.rows, "SELECT pg_switch_wal()")
                await asyncio.sleep(0.3)

        disk.begin()
        try:
            async with scene.meanwhile(keep_full):
                yield
        finally:
            await asyncio.to_thread(disk.empty)

    return harm
