"""Many chargers in one process, what they did, and how it went."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from levity.simulator.charge_point import ChargePoint
from levity.simulator.clock import Clock
from levity.simulator.ledger import Ledger
from levity.simulator.life import LIVELY, Act, Life, live
from levity.simulator.makes import PROFILES
from levity.simulator.profiles import Profile
from levity.simulator.statistics import Statistics
from levity.simulator.websocket import WebsocketDialer
from levity.simulator.wire import Dialer

__all__ = ["Fleet", "Member", "Summary", "demo_fleet", "uniform_fleet"]


@dataclass(frozen=True, slots=True)
class Member:
    """One charger of a fleet, and what is to happen to it first."""

    identity: str
    profile: Profile
    first: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run went. Latencies are milliseconds of real time."""

    charge_points: int
    seconds: float
    connects: int
    refused: int
    last_refusal: str
    messages: int
    results: int
    call_errors: dict[str, int] = field(default_factory=dict)
    timeouts: int = 0
    lost: int = 0
    dropped: int = 0
    calls_received: dict[str, int] = field(default_factory=dict)
    started: int = 0
    stopped: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class Fleet:
    """A fleet that lives until its duration is over, every charger is done, or it is cancelled.

    Seeded: the same seed, members and answers give the same Calls.
    """

    def __init__(
        self,
        dialer: Dialer,
        members: Sequence[Member],
        *,
        life: Life = LIVELY,
        clock: Clock | None = None,
        seed: int = 1,
        ramp: float = 50.0,
        ledger_directory: Path | None = None,
        keep_ledgers: bool = False,
    ) -> None:
        self.clock = clock or Clock()
        self.statistics = Statistics()
        self._life = life
        self._seed = seed
        self._ramp = ramp
        self._members = tuple(members)
        self.charge_points = [
            ChargePoint(
                member.identity,
                member.profile,
                dialer,
                clock=self.clock,
                chance=Random(f"{seed}/{member.identity}"),
                number=number,
                ledger=Ledger(member.identity, directory=ledger_directory, keep=keep_ledgers),
                statistics=self.statistics,
            )
            for number, member in enumerate(self._members, start=1)
        ]

    async def run(
        self,
        *,
        duration: float | None = None,
        report: Callable[[Statistics, float], None] | None = None,
        report_every: float = 1.0,
    ) -> Summary:
        """Run for `duration` real seconds (None: until done or cancelled).

        `report` is called with the statistics and the elapsed seconds every `report_every`.
        Cancelling closes all connections in good order and raises CancelledError.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        lives = [
            asyncio.ensure_future(self._live(index, member))
            for index, member in enumerate(self._members)
        ]
        reporter = asyncio.ensure_future(self._report(report, begun, report_every))
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(duration):
                    await asyncio.gather(*lives)
        finally:
            reporter.cancel()
            await self._close(lives)
        return self.summary(loop.time() - begun)

    def summary(self, seconds: float) -> Summary:
        """What has happened so far."""
        counted = self.statistics
        return Summary(
            charge_points=len(self.charge_points),
            seconds=round(seconds, 3),
            connects=counted.connects,
            refused=counted.refused,
            last_refusal=counted.last_refusal,
            messages=counted.messages,
            results=counted.results,
            call_errors=dict(counted.call_errors),
            timeouts=counted.timeouts,
            lost=counted.lost,
            dropped=counted.dropped,
            calls_received=dict(counted.calls_received),
            started=counted.started,
            stopped=counted.stopped,
            p50_ms=round(counted.latency.percentile(0.5) * 1000, 3),
            p99_ms=round(counted.latency.percentile(0.99) * 1000, 3),
        )

    async def _live(self, index: int, member: Member) -> None:
        charge_point = self.charge_points[index]
        # Connecting is spread in real time: it is the server that must not be stormed.
        await asyncio.sleep(index / self._ramp)
        line = asyncio.ensure_future(charge_point.run())
        lived = asyncio.ensure_future(self._all_connectors(charge_point, member))
        try:
            await asyncio.wait([line, lived], return_when=asyncio.FIRST_COMPLETED)
            if lived.done():
                lived.result()
                await charge_point.quiet(within=600.0)
                await charge_point.leave()
            await line
        finally:
            line.cancel()
            lived.cancel()
            await asyncio.gather(line, lived, return_exceptions=True)

    async def _all_connectors(self, charge_point: ChargePoint, member: Member) -> None:
        async with asyncio.TaskGroup() as connectors:
            for number in range(1, member.profile.connectors + 1):
                connectors.create_task(self._connector(charge_point, number, member))

    async def _connector(self, charge_point: ChargePoint, number: int, member: Member) -> None:
        await charge_point.ready()
        chance = Random(f"{self._seed}/{member.identity}/{number}")
        first = member.first if number == 1 else ()
        await live(charge_point, number, self._life, chance, first=first)

    async def _close(self, lives: Sequence[asyncio.Future[None]]) -> None:
        leaving = [asyncio.ensure_future(each.leave()) for each in self.charge_points]
        if leaving:
            await asyncio.wait(leaving, timeout=3.0)
        for task in (*leaving, *lives):
            task.cancel()
        ended = await asyncio.gather(*lives, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _report(
        self, report: Callable[[Statistics, float], None] | None, begun: float, every: float
    ) -> None:
        loop = asyncio.get_running_loop()
        while report is not None:
            await asyncio.sleep(every)
            report(self.statistics, loop.time() - begun)


def uniform_fleet(prefix: str, charge_points: int, profile: Profile) -> tuple[Member, ...]:
    """`charge_points` chargers of one make: SIM-0001, SIM-0002, ..."""
    width = max(4, len(str(charge_points)))
    return tuple(
        Member(f"{prefix}-{number:0{width}d}", profile) for number in range(1, charge_points + 1)
    )


_DEMO: tuple[tuple[str, tuple[Act, ...]], ...] = (
    ("grizzl-e", (Act("session", 1.0),)),
    ("generic", (Act("session", 2.0),)),
    ("alfen", (Act("session", 4.0),)),
    ("wallbox", (Act("session", 6.0),)),
    ("easee", (Act("session", 3.0), Act("fault", 5.0))),
    ("zaptec", (Act("session", 8.0),)),
    ("generic", (Act("power-loss", 2.0),)),
    ("grizzl-e", (Act("offline", 3.0),)),
    ("evbox", (Act("reboot", 5.0),)),
    ("abb", (Act("fault", 8.0), Act("session", 5.0))),
)


def demo_fleet(url: str, *, charge_points: int = 10, seed: int = 1, prefix: str = "DEMO") -> Fleet:
    """A site that is alive within a minute: sessions, a fault, a power cut, an outage, a reboot.

    For `levity serve --demo`: `await demo_fleet(url).run()` in a task; cancel it to end it.
    """
    members = [
        # Meter values every few seconds: whoever looks wants to see the energy rise.
        Member(f"{prefix}-{index + 1:02d}", replace(PROFILES[name], sample_interval=8.0), first)
        for index, (name, first) in (
            (index, _DEMO[index % len(_DEMO)]) for index in range(charge_points)
        )
    ]
    return Fleet(WebsocketDialer(url), members, life=LIVELY, seed=seed, ramp=5.0)
