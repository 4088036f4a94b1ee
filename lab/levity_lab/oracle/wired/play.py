"""A world on real processes: all chargers at once, while something is killed now and then."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from random import Random

from levity_lab.oracle.lives import Life
from levity_lab.oracle.wired.charger import Charger
from levity_lab.oracle.wired.clock import WorldClock
from levity_lab.oracle.wired.programs import Programs
from levity_lab.oracle.world import BEGIN, HOUR

__all__ = ["STARTING", "play", "world_clock"]

STARTING = 15.0
"""Seconds that the processes have until the world begins."""
_TELL = 20.0


def world_clock(factor: float) -> WorldClock:
    """It begins when the processes run."""
    return WorldClock(BEGIN, time.monotonic() + STARTING, factor)


async def play(
    lives: Sequence[Life],
    programs: Programs,
    clock: WorldClock,
    kill_every: float,
    say: Callable[[str], object],
) -> list[Charger]:
    """Play all of them to their ends. Kills stop before the end, so that all get their answers."""
    chargers = [Charger(life, clock, programs.ports) for life in lives]
    last = max(life.steps()[-1].at for life in lives)
    playing = asyncio.gather(*(charger.play() for charger in chargers))
    telling = asyncio.create_task(_tell(chargers, clock, last, say))
    harming = asyncio.create_task(_harm(programs, clock, last, kill_every, say))
    try:
        await playing
    finally:
        for task in (telling, harming):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return chargers


async def _harm(
    programs: Programs,
    clock: WorldClock,
    last: float,
    kill_every: float,
    say: Callable[[str], object],
) -> None:
    if not kill_every:
        return
    await asyncio.sleep(clock.until(BEGIN) + 5)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(clock.until(last)):
            await programs.harm(Random(f"{last} harm"), kill_every, say)


async def _tell(
    chargers: Sequence[Charger], clock: WorldClock, last: float, say: Callable[[str], object]
) -> None:
    while True:
        await asyncio.sleep(_TELL)
        frames = sum(charger.frames for charger in chargers)
        gone = (clock.now() - BEGIN) / HOUR
        say(f"{gone:.1f} of {(last - BEGIN) / HOUR:.1f} hours of the world, {frames:,} frames")
