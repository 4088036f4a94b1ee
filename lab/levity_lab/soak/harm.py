"""How each fault is done, and undone: context managers around the time that it lasts.

Blocking work (signals, SQL, rabbitmqctl) is done in threads: the chargers go on meanwhile.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import psycopg2

from levity_lab.soak.poison import poison
from levity_lab.soak.programs import SoakError
from levity_lab.soak.scene import Scene, family
from levity_lab.soak.service import Service, until
from levity_lab.soak.sql import (
    cancel_statements,
    deadlocks,
    exhaust_connections,
    kill_backend,
    long_lock,
    read_only,
    terminate_backends,
)
from levity_lab.soak.wire import GOOD, Trouble

__all__ = [
    "Harm",
    "abandon",
    "broker_away",
    "cancel_statements",
    "clock",
    "close_connections",
    "cut",
    "database_away",
    "deadlocks",
    "delete_queue",
    "disk_alarm",
    "edge_away",
    "exhaust_connections",
    "full_disk",
    "half_open",
    "kill_backend",
    "kill_broker",
    "kill_edges",
    "kill_postmaster",
    "kill_workers",
    "long_lock",
    "memory_alarm",
    "pause",
    "poison",
    "purge_queue",
    "read_only",
    "restart_broker",
    "restart_database",
    "slow",
    "stand_still",
    "storm",
    "terminate",
    "terminate_backends",
    "trap",
    "trouble",
    "workers_away",
]

# Seconds (T-07).
LONGEST_HELD = 60.0

Harm = Callable[[Scene], AbstractAsyncContextManager[None]]
"""Entered when the fault begins, left when it is healed."""


def kill_workers(number: int, times: int = 0) -> Harm:
    """SIGKILL for so many workers (0: all), every second or so, or exactly `times` times."""
    return _killing("worker", number, (0.2, 1.6), times)


def kill_edges(number: int) -> Harm:
    """SIGKILL for so many edges (0: all), every few seconds."""
    return _killing("edge", number, (3.0, 5.0), 0)


def _killing(kind: str, number: int, pause: tuple[float, float], times: int) -> Harm:
    async def once(scene: Scene) -> None:
        victims = [each for each in scene.services(kind, number) if each.running]
        await _all(victims, Service.kill)
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
            await _until(lambda: not path.exists(), 30)
            for wire in scene.wires("edge"):
                scene.count("abandoned", wire.abandon())
            yield
        finally:
            path.unlink(missing_ok=True)
            _signal_all([each.pid for each in scene.site.workers if each.running], signal.SIGCONT)
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
        await _all(scene.site.workers, Service.stop)
        try:
            yield
        finally:
            await _all(scene.site.workers, Service.start)

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
        _signal_all([one.pid for one in stopped], signal.SIGSTOP)
        try:
            yield
        finally:
            _signal_all([one.pid for one in reversed(stopped)], signal.SIGCONT)

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


def restart_broker(times: int = 1) -> Harm:
    """Stop RabbitMQ in good order and start it, so many times."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        site = scene.site
        for number in range(times):
            if number:
                await _until(lambda: site.consumers() and site.healthy_edges() == len(site.edges))
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


def trouble(
    where: str,
    *,
    latency: float = 0.0,
    loss: float = 0.0,
    reset: float = 0.0,
    rate: float = 0.0,
    stalled: bool = False,
) -> Harm:
    """These wires are bad (see `Trouble`), and good again in the end."""
    bad = Trouble(latency=latency, loss=loss, reset=reset, rate=rate, stalled=stalled)

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        wires = scene.wires(where)
        for wire in wires:
            wire.trouble = bad
        try:
            yield
        finally:
            for wire in wires:
                wire.trouble = GOOD

    return harm


def half_open(where: str) -> Harm:
    """Nothing passes, and in the end every connection turns out to be dead."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        wires = scene.wires(where)
        for wire in wires:
            wire.trouble = Trouble(stalled=True)
        try:
            yield
        finally:
            for wire in wires:
                wire.break_all()
                wire.heal()

    return harm


def cut(where: str) -> Harm:
    """The wire is cut: RST both ways, and refused, until it is over. Of several, the first."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        wire = scene.wires(where)[0]
        wire.cut()
        try:
            yield
        finally:
            wire.heal()

    return harm


def abandon(where: str) -> Harm:
    """The near ends vanish, the far ends are not told; connections made afterwards are good."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        for wire in scene.wires(where):
            scene.count("abandoned", wire.abandon())
        try:
            yield
        finally:
            for wire in scene.wires(where):
                wire.heal()

    return harm


def storm() -> Harm:
    """Everybody is cut off for a second, then all come at once; every few seconds."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        async def go_on() -> None:
            while True:
                for wire in scene.site.charger_wires:
                    wire.cut()
                await asyncio.sleep(1.0)
                for wire in scene.site.charger_wires:
                    wire.heal()
                scene.count("storms")
                await asyncio.sleep(2.5)

        try:
            async with scene.meanwhile(go_on):
                yield
        finally:
            for wire in scene.site.charger_wires:
                wire.heal()

    return harm


async def _all(services: list[Service], work: Callable[[Service], object]) -> None:
    await asyncio.gather(*(asyncio.to_thread(work, service) for service in services))


async def _until(ready: Callable[[], object], within: float = 90.0) -> None:
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(ready):  # noqa: ASYNC110  # only a look can tell
            await asyncio.sleep(0.2)


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
