"""The chargers of one round: five ways of sending again, each charger with a ledger of its own."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from levity.simulator.charge_point import ChargePoint
from levity.simulator.clock import Clock
from levity.simulator.ledger import Ledger
from levity.simulator.life import Life, live
from levity.simulator.makes import PROFILES
from levity.simulator.profiles import Profile
from levity.simulator.statistics import Statistics
from levity.simulator.websocket import WebsocketDialer
from levity.simulator.wire import Link

__all__ = ["STYLES", "Crew", "NotedLedger"]

STYLES: tuple[str, ...] = ("generic", "libocpp", "one-attempt", "microocpp", "grizzl-e")
"""3 x 60 s growing (OCPP 1.6, 3.7.1); 3 x 30 s with new ids; 1 x 10 s; the same id; Grizzl-E."""

BUSY = Life(
    pause=(2.0, 30.0),
    session=(120.0, 420.0),
    linger=(2.0, 10.0),
    patience=(60.0, 90.0),
    card_share=1.0,
    fault_share=0.0,
    power_loss_share=0.0,
    offline_share=0.0,
    reboot_share=0.0,
    sessions=1,
)


class NotedLedger(Ledger):
    """A ledger that also knows, in seconds of the event loop, when the newest answered Call left.

    `trouble(event, action)` hears of every CALLERROR, time-out and message given up.
    """

    def __init__(
        self, charge_point: str, directory: Path, trouble: Callable[[str, str], None]
    ) -> None:
        super().__init__(charge_point, directory=directory, keep=True)
        self._trouble = trouble
        self._left_at = 0.0
        self.answered_call_left_at = 0.0

    def write(  # the ledger's own signature, passed on
        self, event: str, at: str, key: int, unique_id: str, action: str, *rest: Any, **more: Any
    ) -> None:
        """See `Ledger.write`."""
        if event == "sent":
            self._left_at = asyncio.get_running_loop().time()
        elif event == "result":
            self.answered_call_left_at = self._left_at
        elif event in ("error", "timeout", "dropped"):
            self._trouble(event, action)
        super().write(event, at, key, unique_id, action, *rest, **more)


class Hopping:
    """Dials the edges in turn: a charger comes back at another one (F-16)."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._dialers = itertools.cycle([WebsocketDialer(url) for url in urls])

    async def dial(self, identity: str, profile: Profile) -> Link:
        """The next edge, whichever it is."""
        return await next(self._dialers).dial(identity, profile)


class Crew:
    """So many chargers at these addresses, with cars coming and going, until `finish`."""

    def __init__(
        self,
        prefix: str,
        count: int,
        urls: Sequence[str],
        *,
        factor: float,
        seconds: float,
        seed: int,
        directory: Path,
        trouble: Callable[[str, str], None],
    ) -> None:
        self.prefix = prefix
        self.statistics = Statistics()
        self._seed = seed
        self._factor = factor
        self._enough = asyncio.Event()
        self._lives: list[asyncio.Task[None]] = []
        # Compressed time begins so far back that it does not run into the future.
        clock = Clock.that_ends_now(speed=factor, seconds=seconds)
        self.ledgers = [
            NotedLedger(f"{prefix}-{number:03d}", directory, trouble)
            for number in range(1, count + 1)
        ]
        self.chargers = [
            ChargePoint(
                f"{prefix}-{number:03d}",
                _profile(STYLES[number % len(STYLES)]),
                Hopping(_from(urls, number)),
                clock=clock,
                chance=Random(f"{seed}/{prefix}/{number}"),
                number=number,
                ledger=ledger,
                statistics=self.statistics,
            )
            for number, ledger in enumerate(self.ledgers, start=1)
        ]

    def start(self) -> None:
        """Let them all connect, and live."""
        for number, charger in enumerate(self.chargers, start=1):
            chance = Random(f"{self._seed}/{self.prefix}/life/{number}")
            self._lives.append(asyncio.create_task(self._live(charger, number, chance)))

    async def _live(self, charger: ChargePoint, number: int, chance: Random) -> None:
        await asyncio.sleep(number / 50)
        line = asyncio.ensure_future(charger.run())
        try:
            await charger.ready()
            while not self._enough.is_set():
                await live(charger, 1, BUSY, chance)
            # A session that the central system began late ends, too.
            charger.stop(1)
            await charger.quiet(within=float("inf"))
            await charger.leave()
            await line
        finally:
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)

    @property
    def connected(self) -> int:
        """How many sockets are open."""
        return self.statistics.connected

    @property
    def waiting(self) -> int:
        """Transaction messages that wait in the chargers."""
        return sum(charger.outbox.kept for charger in self.chargers)

    def unserved_since(self, moment: float) -> int:
        """How many have no answer yet to any Call that left after this moment of the loop."""
        return sum(ledger.answered_call_left_at <= moment for ledger in self.ledgers)

    def check(self) -> None:
        """Raise what went wrong in the simulator itself."""
        for life in self._lives:
            if life.done() and not life.cancelled() and life.exception() is not None:
                raise life.exception() or AssertionError

    async def finish(self, within: float) -> int:
        """Let each end its session and get its last answers; how many did not manage to."""
        self._enough.set()
        _, late = await asyncio.wait(self._lives, timeout=within)
        for life in late:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        self.check()
        return len(late)


def _from(urls: Sequence[str], number: int) -> list[str]:
    """All of them, beginning with another one for each charger."""
    first = number % len(urls)
    return [*urls[first:], *urls[:first]]


def _profile(name: str) -> Profile:
    # Every make meters often enough that a round of seconds has something to lose.
    return replace(PROFILES[name], sample_interval=60.0)
