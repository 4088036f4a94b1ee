"""What all harms are, and what several of them do."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from levity_lab.soak.scene import Scene
from levity_lab.soak.service import Service

__all__ = ["Harm", "all_at_once", "signal_all", "wait_until"]


Harm = Callable[[Scene], AbstractAsyncContextManager[None]]
"""Entered when the fault begins, left when it is healed."""


async def all_at_once(services: list[Service], work: Callable[[Service], object]) -> None:
    """Do this with each of these services, side by side."""
    await asyncio.gather(*(asyncio.to_thread(work, service) for service in services))


async def wait_until(ready: Callable[[], object], within: float = 90.0) -> None:
    """Wait until it is so, for so many seconds at most."""
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(ready):  # noqa: ASYNC110  # only a look can tell
            await asyncio.sleep(0.2)


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Send this signal to each process that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
