"""Edges and workers die, stand still, go away, or have another clock."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

from levity_lab.soak.harms.common import Harm, all_at_once, signal_all, wait_until
from levity_lab.soak.scene import Scene, family
from levity_lab.soak.service import Service

__all__ = [
    "clock",
    "edge_away",
    "kill_edges",
    "kill_workers",
    "pause",
    "slow",
    "stand_still",
    "terminate",
    "trap",
    "workers_away",
]


def kill_workers(number: int, times: int = 0) -> Harm:
    """SIGKILL for so many workers (0: all), every second or so, or exactly `times` times."""
    return _killing("worker", number, (0.2, 1.6), times)


def kill_edges(number: int) -> Harm:
    """SIGKILL for so many edges (0: all), every few seconds."""
    return _killing("edge", number, (3.0, 5.0), 0)


def _killing(kind: str, number: int, pause: tuple[float, float], times: int) -> Harm:
    async def once(scene: Scene) -> None:
        victims = [each for each in scene.services(kind, number) if each.running]
        await all_at_once(victims, Service.kill)
        scene.count("kills", len(victims))

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        async def go_on() -> None:
            while True:
                await once(scene)
                await asyncio.sleep(scene.chance.uniform(*pause))

        while scene.counted.get("kills", 0) < times:
            await once(scene)
            await asyncio.sleep(scene.chance.uniform(*pause))
        if times:
            yield
        else:
            async with scene.meanwhile(go_on):
                yield

    return harm


def trap(name: str) -> Harm:
    """Arm this one-shot trap (`traps.py`) again and again."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        path = scene.site.traps / name

        async def go_on() -> None:
            while True:
                if not path.exists():
                    path.touch()
                    scene.count("armed")
                await asyncio.sleep(scene.chance.uniform(0.5, 1.5))

        try:
            async with scene.meanwhile(go_on):
                yield
        finally:
            path.unlink(missing_ok=True)

    return harm


def stand_still() -> Harm:
    """One worker stands still (SIGSTOP) in the middle of a batch with transaction messages.

    The chargers are cut off then, so that they send what it holds again, to the others.
    """

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        path = scene.site.traps / "stand-still"
        path.touch()
        try:
            await wait_until(lambda: not path.exists(), 30)
            for wire in scene.wires("edge"):
                scene.count("abandoned", wire.abandon())
            yield
        finally:
            path.unlink(missing_ok=True)
            signal_all([each.pid for each in scene.site.workers if each.running], signal.SIGCONT)
            for wire in scene.wires("edge"):
                wire.heal()

    return harm


def slow(seconds: float) -> Harm:
    """Every frame takes so much longer."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        path = scene.site.traps / "slow"
        # Each frame of a batch pauses: so long that a batch takes about `seconds`.
        path.write_text(str(seconds / 8))
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    return harm


def workers_away() -> Harm:
    """No worker, until it is over."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        await all_at_once(scene.site.workers, Service.stop)
        try:
            yield
        finally:
            await all_at_once(scene.site.workers, Service.start)

    return harm


def edge_away() -> Harm:
    """One edge dies at once and is not started again until it is over."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        (edge,) = scene.services("edge", 1)
        edge.kept = False
        await asyncio.to_thread(edge.kill)
        try:
            yield
        finally:
            await asyncio.to_thread(edge.start)

    return harm


def terminate(kind: str) -> Harm:
    """SIGTERM for one after the other, as a deployment does; each must end with status 0."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        async def roll() -> None:
            for service in scene.services(kind, 0):
                status = await asyncio.to_thread(service.stop)
                scene.count("stopped")
                if status != 0:
                    scene.odd.append(f"{service.name} ended with {status} after SIGTERM")
                await asyncio.to_thread(service.start)
                await asyncio.sleep(2.5)

        await roll()
        yield

    return harm


def pause(kind: str, number: int) -> Harm:
    """SIGSTOP for so many of these (0: all), with all that they have started; then SIGCONT."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        stopped = [one for service in scene.services(kind, number) for one in family(service)]
        signal_all([one.pid for one in stopped], signal.SIGSTOP)
        try:
            yield
        finally:
            signal_all([one.pid for one in reversed(stopped)], signal.SIGCONT)

    return harm


def clock(kind: str, seconds: int) -> Harm:
    """The clock on the wall of one process is wrong, and put right again in the end."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        (service,) = scene.services(kind, 1)
        scene.site.set_clock(service, seconds)
        try:
            yield
        finally:
            scene.site.set_clock(service, 0)

    return harm
