"""Thousands of chargers for an hour: who waits, what grows, who comes back, is all recorded?"""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import psutil
import psycopg2

from levity.simulator.clock import Clock
from levity.simulator.crowd import raise_file_limit, run_loop
from levity.simulator.fleet import Fleet, Member
from levity.simulator.ledger import Entry, read_ledger
from levity.simulator.life import Act, Life
from levity.simulator.makes import PROFILES
from levity.simulator.statistics import Histogram
from levity.simulator.websocket import WebsocketDialer
from levity_lab.bench.processes import BenchError, Started
from levity_lab.bench.stage import Stage
from levity_lab.bench.systems import System, edge_of, fleet, migrated
from levity_lab.soak.verdict import Counts, judge

__all__ = ["Endurance", "Minute", "endurance_table", "growth", "measure_endurance"]

PREFIX = "HOUR"
RAMP = 100.0
"""New connections a second at the start; afterwards all of them come at once."""
BACK_WITHIN = 120.0
SHORT_RUN = 60.0
SHARE_AT_ONCE = 0.3
CAR_PARK = Life(
    pause=(600.0, 7_200.0),
    session=(1_200.0, 5_400.0),
    linger=(60.0, 1_800.0),
    patience=(10.0, 30.0),
    fault_share=0.01,
    power_loss_share=0.005,
    offline_share=0.02,
    reboot_share=0.005,
    repair=(120.0, 900.0),
    outage=(30.0, 600.0),
)
"""Of the chargers three in ten have a car within the first quarter of an hour, the others later."""
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of it."""

    connected: int
    charging: int
    messages: int
    """Calls of chargers that were answered in this minute."""
    heartbeat_p95_ms: float | None
    """None: there was none. Chargers that came together beat together."""
    edge_mb: float
    workers_mb: float
    """Of all workers together."""
    cores: float
    """What edge and workers used of the processor."""


@dataclass(frozen=True, slots=True)
class Endurance:
    """The whole run."""

    charge_points: int
    minutes: tuple[Minute, ...]
    messages: int
    started: int
    heartbeat_p50_ms: float
    heartbeat_p95_ms: float
    heartbeat_max_minute_ms: float
    """p95 of the worst minute."""
    back_after: float | None
    """Seconds from the kill of the edge until as many had connected again; None: not in time."""
    afterwards_p95_ms: float
    """Of the heartbeats in the minute after that."""
    call_errors: dict[str, int]
    timeouts: int
    counts: Counts

    @property
    def good(self) -> bool:
        """Everybody came back, and nothing was lost, duplicated, unexpected or refused.

        What chargers still waited for at the end counts for nothing: they left in the middle.
        """
        counts = self.counts
        wrong = counts.lost + counts.duplicated + counts.unexpected + counts.refused
        wrong += counts.wrong_energy
        return self.back_after is not None and not wrong and not self.call_errors


def measure_endurance(
    stage: Stage,
    *,
    minutes: int,
    charge_points: int,
    workers: int,
    minute: float = 60.0,
    say: Callable[[str], None],
) -> Endurance:
    """So many chargers live a car park's life for so many minutes; then the edge is killed.

    With a `minute` of fewer than 60 real seconds their time is compressed.
    """
    raise_file_limit()
    migrated(stage)
    ledgers = stage.folder / "ledgers"
    with fleet(stage, "Levity", workers) as system, contextlib.ExitStack() as stack:

        def another_edge() -> Started:
            edge, _ = stack.enter_context(edge_of(stage, "Levity", system.port))
            return edge

        run = _Run(system, charge_points, ledgers, minute, say)
        measured = run_loop(run.play(minutes, another_edge))
    say("holding the chargers' ledgers against the database")
    try:
        with contextlib.closing(psycopg2.connect(stage.database_url)) as database:
            counts = judge(_Ledgers(ledgers), _Rows(database), f"{PREFIX}-")
    finally:
        shutil.rmtree(ledgers, ignore_errors=True)
    return Endurance(charge_points=charge_points, counts=counts, **measured)


class _Ledgers:
    """The files, read anew each time somebody goes through them: together they are large."""

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(folder.glob("*.jsonl"))

    def __iter__(self) -> Iterator[list[Entry]]:
        return (read_ledger(path) for path in self._paths)


class _Rows:
    def __init__(self, database: Any) -> None:
        self._database = database

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query yields."""
        with self._database.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())


class _Run:
    def __init__(
        self,
        system: System,
        charge_points: int,
        ledgers: Path,
        minute: float,
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._seconds = minute
        self._edge = system.processes[0]
        self._workers = system.processes[1:]
        self._charge_points = charge_points
        self._fleet = Fleet(
            WebsocketDialer(system.url),
            list(_members(charge_points)),
            life=CAR_PARK,
            # Compressed time must not run into the future before a short run is over.
            clock=Clock.that_ends_now(speed=60.0 / minute, seconds=SHORT_RUN),
            ramp=RAMP,
            ledger_directory=ledgers,
        )
        self._counted = self._fleet.statistics
        self._heartbeats = Histogram()
        self._minutes: list[Minute] = []
        self._answered = 0
        self._cpu = 0.0

    async def play(self, minutes: int, another_edge: Callable[[], Started]) -> dict[str, Any]:
        """All of it; what `Endurance` has to know beyond the verdict."""
        running = asyncio.create_task(self._fleet.run())
        try:
            self._say(f"connecting {self._charge_points:,} chargers")
            await self._until(self._charge_points, self._charge_points / RAMP + BACK_WITHIN)
            self._take_heartbeats()
            self._answered, self._cpu = self._counted.results, self._cpu_seconds()
            for number in range(1, minutes + 1):
                await asyncio.sleep(self._seconds)
                if running.done():
                    running.result()
                self._minutes.append(self._minute(number))
            messages, started = self._counted.results, self._counted.started
            back_after = await self._storm(another_edge)
            self._take_heartbeats()
            await asyncio.sleep(self._seconds)
            afterwards = self._take_heartbeats()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        total = self._heartbeats
        return {
            "minutes": tuple(self._minutes),
            "messages": messages,
            "started": started,
            "heartbeat_p50_ms": _ms(total, 0.5),
            "heartbeat_p95_ms": _ms(total, 0.95),
            "heartbeat_max_minute_ms": max(
                (each.heartbeat_p95_ms or 0.0) for each in self._minutes
            ),
            "back_after": back_after,
            "afterwards_p95_ms": _ms(afterwards, 0.95),
            "call_errors": dict(self._counted.call_errors),
            "timeouts": self._counted.timeouts,
        }

    async def _storm(self, another_edge: Callable[[], Started]) -> float | None:
        """Kill the edge under all of them; seconds until as many have connected to a new one."""
        hung_on_it, before = self._counted.connected, self._counted.connects
        self._say(f"killing the edge under {hung_on_it:,} chargers")
        self._edge.process.kill()
        await asyncio.to_thread(self._edge.process.wait)
        killed = time.monotonic()
        self._edge = await asyncio.to_thread(another_edge)
        if not await self._until(before + hung_on_it, BACK_WITHIN, connects=True):
            came = self._counted.connects - before
            self._say(f"after {BACK_WITHIN:g} s only {came:,} had connected again")
            return None
        took = time.monotonic() - killed
        self._say(f"{hung_on_it:,} connections after {took:.0f} s; {self._counted.connected:,} now")
        return took

    async def _until(self, wanted: int, seconds: float, *, connects: bool = False) -> bool:
        """True as soon as so many are connected (or have connected in all)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (self._counted.connects if connects else self._counted.connected) >= wanted:
                return True
            await asyncio.sleep(0.2)
        return False

    def _take_heartbeats(self) -> Histogram:
        return self._counted.latency_of.pop("Heartbeat", Histogram())

    def _minute(self, number: int) -> Minute:
        beats = self._take_heartbeats()
        self._heartbeats.add_all(beats)
        cpu, answered = self._cpu_seconds(), self._counted.results
        for process in self._processes():
            process.check()
        minute = Minute(
            connected=self._counted.connected,
            charging=self._counted.started - self._counted.stopped,
            messages=answered - self._answered,
            heartbeat_p95_ms=_ms(beats, 0.95) if beats.count else None,
            edge_mb=_resident_mb([self._edge]),
            workers_mb=_resident_mb(self._workers),
            cores=(cpu - self._cpu) / self._seconds,
        )
        self._answered, self._cpu = answered, cpu
        self._say(
            f"minute {number}: {minute.connected:,} connected, {minute.charging:,} charging, "
            f"{minute.messages / self._seconds:.0f} msg/s, "
            + (f"heartbeats p95 {_ms(beats, 0.95):.0f} ms, " if beats.count else "no heartbeats, ")
            + f"edge {minute.edge_mb:.0f} MB, workers {minute.workers_mb:.0f} MB, "
            f"{minute.cores:.2f} cores"
        )
        return minute

    def _processes(self) -> Iterable[Started]:
        return (self._edge, *self._workers)

    def _cpu_seconds(self) -> float:
        return sum(
            times.user + times.system
            for times in (psutil.Process(each.pid).cpu_times() for each in self._processes())
        )


def _members(charge_points: int) -> Iterator[Member]:
    chance = Random(1)
    for number in range(1, charge_points + 1):
        soon = chance.random() < SHARE_AT_ONCE
        after = chance.uniform(0.0, 900.0) if soon else chance.uniform(*CAR_PARK.pause)
        yield Member(f"{PREFIX}-{number:06d}", PROFILES["generic"], (Act("session", after),))


def _resident_mb(processes: Sequence[Started]) -> float:
    return sum(psutil.Process(each.pid).memory_info().rss for each in processes) / _MB


def _ms(histogram: Histogram, share: float) -> float:
    return round(histogram.percentile(share) * 1000, 1)


def growth(sizes: Sequence[float]) -> float:
    """The last quarter's largest size as a multiple of the second quarter's.

    The first quarter is left out: sessions begin, and caches fill.
    """
    if len(sizes) < 4:
        raise BenchError("growth shows after four minutes or more")
    quarter = len(sizes) // 4
    return max(sizes[-quarter:]) / max(sizes[quarter : 2 * quarter])


def endurance_table(run: Endurance) -> str:
    """For people."""
    minutes, counts = run.minutes, run.counts
    edge, workers = [each.edge_mb for each in minutes], [each.workers_mb for each in minutes]
    grown = ("", "")
    if len(minutes) >= 4:
        grown = (f", growth {growth(edge):.2f} times", f", growth {growth(workers):.2f} times")
    back = f"not everybody came back within {BACK_WITHIN:.0f} s"
    if run.back_after is not None:
        back = f"as many connections again after {run.back_after:.0f} s (target {BACK_WITHIN:.0f})"
    lines = (
        (
            f"{run.charge_points:,} chargers for {len(minutes)} minutes: "
            f"{run.messages:,} answers, {run.started:,} sessions begun"
        ),
        (
            f"  heartbeats: p50 {run.heartbeat_p50_ms:.0f} ms, p95 {run.heartbeat_p95_ms:.0f} ms, "
            f"in the worst minute {run.heartbeat_max_minute_ms:.0f} ms (target 1,000)"
        ),
        f"  edge: at most {max(edge):.0f} MB (target 300){grown[0]}",
        f"  workers: at most {max(workers):.0f} MB together{grown[1]}",
        f"  edge and workers use {sum(each.cores for each in minutes) / len(minutes):.2f} cores",
        f"  the edge was killed: {back}",
        f"    heartbeats p95 {run.afterwards_p95_ms:.0f} ms in the minute after that",
        f"  CALLERRORs: {sum(run.call_errors.values())}, time-outs: {run.timeouts}",
        (
            f"  transaction messages: {counts.attempted:,} attempted, {counts.acknowledged:,} "
            f"acknowledged, lost {counts.lost}, duplicated {counts.duplicated}, unexpected "
            f"{counts.unexpected}, with wrong energy {counts.wrong_energy}, recovered "
            f"{counts.recovered}, under way at the end {counts.unanswered}"
        ),
        *(f"    {each}" for each in counts.examples),
        "  good" if run.good else "  NOT GOOD",
    )
    return "\n".join(lines)


def endurance_json(run: Endurance) -> dict[str, object]:
    """For machines."""
    return asdict(run)
