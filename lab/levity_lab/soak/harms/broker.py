"""RabbitMQ stops, runs out of memory or disk, or loses its queue."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from levity_lab.soak.harms.common import Harm, wait_until
from levity_lab.soak.scene import Scene
from levity_lab.soak.service import until

__all__ = [
    "broker_away",
    "close_connections",
    "delete_queue",
    "disk_alarm",
    "kill_broker",
    "memory_alarm",
    "purge_queue",
    "restart_broker",
]


def restart_broker(times: int = 1) -> Harm:
    """Stop RabbitMQ in good order and start it, so many times."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        site = scene.site
        for number in range(times):
            if number:
                await wait_until(
                    lambda: site.consumers() and site.healthy_edges() == len(site.edges)
                )
                await asyncio.sleep(1.0)
            await asyncio.to_thread(site.broker.service.stop, None, 60)
            await asyncio.to_thread(site.broker.start)
            scene.count("restarts")
        yield

    return harm


def broker_away() -> Harm:
    """RabbitMQ is stopped, until it is over."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        await asyncio.to_thread(scene.site.broker.service.stop, None, 60)
        try:
            yield
        finally:
            await asyncio.to_thread(scene.site.broker.start)

    return harm


def kill_broker() -> Harm:
    """SIGKILL for RabbitMQ; it is started again by whoever keeps it."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        broker = scene.site.broker
        await asyncio.to_thread(broker.service.kill)
        scene.count("kills")
        yield
        await asyncio.to_thread(until, broker.answers, "RabbitMQ", [broker.service], 60)

    return harm


def _with_ctl(begin: tuple[str, ...], end: tuple[str, ...]) -> Harm:
    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        await asyncio.to_thread(scene.site.broker.ctl, *begin)
        try:
            yield
        finally:
            await asyncio.to_thread(scene.site.broker.ctl, *end)

    return harm


def memory_alarm() -> Harm:
    """RabbitMQ believes that it has too little memory."""
    return _with_ctl(
        ("set_vm_memory_high_watermark", "absolute", "1MB"),
        ("set_vm_memory_high_watermark", "absolute", "1GB"),
    )


def disk_alarm() -> Harm:
    """RabbitMQ believes that its disk is nearly full."""
    return _with_ctl(("set_disk_free_limit", str(10**14)), ("set_disk_free_limit", "60MB"))


def _again(work: Callable[[Scene], object], every: float) -> Harm:
    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        async def go_on() -> None:
            while True:
                await asyncio.to_thread(work, scene)
                scene.count("times")
                await asyncio.sleep(every)

        async with scene.meanwhile(go_on):
            yield

    return harm


def close_connections() -> Harm:
    """rabbitmqctl close_all_connections, every 2 s."""
    return _again(lambda scene: scene.site.broker.ctl("close_all_connections", "a drill"), 2.0)


def purge_queue() -> Harm:
    """Everything that waits in the queue is thrown away, every second."""

    def purge(scene: Scene) -> None:
        with scene.site.broker.open() as channel:
            scene.count("purged", channel.queue_purge(scene.site.queue).method.message_count)

    return _again(purge, 0.3)


def delete_queue() -> Harm:
    """The queue is deleted, with what is in it, every 3 s."""

    def delete(scene: Scene) -> None:
        with scene.site.broker.open() as channel:
            channel.queue_delete(scene.site.queue)

    return _again(delete, 3.0)
