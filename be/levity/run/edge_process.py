"""The edge of `levity serve` as a process of its own, and a new one if it ever fails."""

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from levity_ws.edge.server import CannotListen
from levity_ws.rpc.memory import MemoryBroker
from levity_ws.rpc.pipe import PipeBackend, pair

__all__ = ["EdgeProcess"]

log = logging.getLogger(__name__)

# Seconds: in which an edge closes its chargers' connections (ten at most); before another attempt
# after a failure; for the answer with its metrics.
GOODBYE, PAUSE, ASKING = 15.0, 1.0, 2.0
# Variables with one of these in their names are kept from the process that strangers talk to.
SECRETS = ("SECRET", "PASSWORD", "PASSPHRASE", "TOKEN", "_URL")


class EdgeProcess:
    """Keeps one edge process running; it is connected to this one through `broker`.

    `on_lost` is called, in a thread, when an edge has failed and before the next one starts.
    """

    def __init__(self, broker: MemoryBroker, port: int, on_lost: Callable[[], object]) -> None:
        self.port = port
        self._broker, self._on_lost = broker, on_lost
        self._backend: PipeBackend | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, on_started: Callable[[], object]) -> None:
        """Run until SIGINT or SIGTERM; calls `on_started` once chargers can connect. Raises
        `CannotListen` if the port can't be used at the start.
        """
        self._loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, stopping.set)
        first = True
        while not stopping.is_set():
            try:
                await self._one(stopping, on_started if first else lambda: None)
            except CannotListen as error:
                if first:
                    raise
                log.error("%s", error)
            first = False
            # Time for the worker to process what the lost edge has sent, and for a signal that was
            # sent to both processes to arrive here, too.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), PAUSE)
            if not stopping.is_set():
                log.error("the edge failed; restarting it")
                await asyncio.to_thread(self._on_lost)

    async def _one(self, stopping: asyncio.Event, on_started: Callable[[], object]) -> None:
        """One edge, from its start to its end."""
        ours, its = pair()
        with its:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "levity_ws.child_process", str(its.fileno())),
                pass_fds=[its.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                env=self._environ(),
            )
        self._backend = backend = PipeBackend(self._broker, ours)
        passing = asyncio.create_task(backend.run())
        stop = asyncio.create_task(stopping.wait())
        try:
            try:
                self.port = await backend.began
            except ConnectionError as error:
                if stopping.is_set():  # Ctrl-C is for both processes
                    return
                raise CannotListen(str(error)) from error
            on_started()
            await asyncio.wait([passing, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            await _ended(process)
            await passing

    def _environ(self) -> dict[str, str]:
        """Our environment without its secrets; if WS_PORT is 0, the chosen port is kept."""
        shared = {
            name: value
            for name, value in os.environ.items()
            if not any(word in name.upper() for word in SECRETS)
        }
        return {**shared, "WS_PORT": str(self.port)}

    def collect(self) -> Iterator[Any]:
        """The edge's metrics, for a registry of prometheus_client; none while it is not running."""
        backend, loop = self._backend, self._loop
        if backend is None or loop is None:
            return
        try:
            asked = asyncio.run_coroutine_threadsafe(backend.metrics(), loop)
            text = asked.result(ASKING)
        except (TimeoutError, concurrent.futures.CancelledError, RuntimeError):
            return
        yield from text_string_to_metric_families(text)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End it, with SIGTERM first."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GOODBYE)
    except TimeoutError:
        log.error("the edge does not stop; killing it")
        process.kill()
        await process.wait()
