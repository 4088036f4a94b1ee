"""One round: chargers at work, one fault, recovery, and the verdict."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg2

from levity.simulator.ledger import read_ledger
from levity_lab.soak.chargers import Crew
from levity_lab.soak.faults import Fault
from levity_lab.soak.programs import SoakError
from levity_lab.soak.scene import Scene
from levity_lab.soak.site import Happening, Site
from levity_lab.soak.verdict import Counts, judge

__all__ = ["NORMAL_WITHIN", "Round", "Sample", "play"]

WARM_SECONDS = 3.0
COOL_SECONDS = 2.0
SAMPLE_SECONDS = 0.25
TELL_SECONDS = 10.0
NORMAL_WITHIN = 60.0
"""So soon after the fault has ended all must be as before."""
GIVE_UP_NORMAL = 120.0
# This program looks every quarter of a second; what comes so much later, nobody has measured.
STOOD_STILL = 5.0
FINISH_WITHIN = 120.0
MOVED_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """A look at the chargers, `at` seconds after the round began."""

    at: float
    connected: int
    answered: int
    """CALLRESULTs so far."""
    waiting: int
    """Transaction messages that wait in the chargers."""


@dataclass(slots=True)
class Round:
    """What happened, for the report. Times are seconds after the round began."""

    fault: str
    about: str
    checks: tuple[str, ...]
    seed: int
    prefix: str
    chargers: int
    fault_from: float = 0.0
    fault_to: float = 0.0
    normal_after: float | None = None
    """Seconds from the end of the fault until all was as before; None: it did not come to that."""
    seconds: float = 0.0
    counts: Counts = field(default_factory=Counts)
    odd: list[str] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    troubles: dict[str, int] = field(default_factory=dict)
    stood_still: float = 0.0
    """The longest time in which this program itself could not look: the machine was busy."""

    @property
    def good(self) -> bool:
        """Nothing lost, doubled, or out of nowhere, and normal in time."""
        in_time = self.normal_after is not None and self.normal_after <= NORMAL_WITHIN
        return self.counts.good and in_time and not self.odd

    @property
    def measured(self) -> bool:
        """False where only times are wrong, and this program stood still for a part of them.

        What was lost, doubled or refused is so, however busy the machine was.
        """
        counts = self.counts
        facts = counts.lost or counts.duplicated or counts.unexpected or counts.refused
        facts = facts or counts.wrong_energy
        return self.good or bool(facts) or self.stood_still < STOOD_STILL


async def play(
    site: Site,
    fault: Fault,
    seed: int,
    *,
    chargers: int,
    factor: float,
    ledgers: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> Round:
    """Play one round to its end.

    SoakError where the fault can't be done here at all, or where nobody knows what was seen
    because the machine had no time for this program.
    """
    prefix = f"{fault.name}-{seed}"
    played = Round(fault.name, fault.about, fault.checks, seed, prefix, chargers)
    begun = time.monotonic()
    site.happenings.clear()

    def trouble(event: str, action: str) -> None:
        name = f"{event} {action}"
        played.troubles[name] = played.troubles.get(name, 0) + 1

    crew = Crew(
        prefix,
        chargers,
        site.urls,
        factor=factor,
        # Compressed time must not run into the future before the round is over.
        seconds=GIVE_UP_NORMAL + FINISH_WITHIN + 2 * fault.seconds + 60,
        seed=seed,
        directory=ledgers,
        trouble=trouble,
    )
    stage: list[str] = []
    scene = Scene(site, crew, Random(f"{seed}/{fault.name}"), fault.seconds)
    watch = asyncio.create_task(_watch(crew, played, begun, stage, progress))
    try:
        crew.start()
        stage[:] = ["warming up"]
        if await _normal(site, crew, asyncio.get_running_loop().time(), 60.0) is None:
            raise SoakError(f"before the fault: {_why_not(site, crew)}")
        await asyncio.sleep(WARM_SECONDS)
        stage[:] = [f"fault: {fault.about}"]
        played.fault_from = time.monotonic() - begun
        async with fault.harm(scene):
            await asyncio.sleep(fault.seconds)
        played.fault_to = time.monotonic() - begun
        stage[:] = ["recovering"]
        healed = asyncio.get_running_loop().time()
        played.normal_after = await _normal(site, crew, healed, GIVE_UP_NORMAL)
        if played.normal_after is None:
            scene.odd.append(f"not normal after {GIVE_UP_NORMAL:g} s: {_why_not(site, crew)}")
        await asyncio.sleep(COOL_SECONDS)
        stage[:] = ["finishing"]
        late = await crew.finish(FINISH_WITHIN)
        if late:
            scene.odd.append(f"{late} chargers did not get everything answered")
        crew.check()
        stage[:] = ["moving what is left"]
        if left := await _rows_left(site, crew.prefix):
            scene.odd.append(f"{left} exchanges have not moved {MOVED_WITHIN:g} s after the round")
    finally:
        watch.cancel()
        await crew.finish(0)
    played.seconds = time.monotonic() - begun
    played.counts = await asyncio.to_thread(_verdict, site, crew, ledgers, fault)
    played.odd, played.counted = scene.odd, scene.counted
    played.happenings = [
        Happening(round(each.at - begun, 2), each.who, each.what) for each in site.happenings
    ]
    if not played.measured:
        raise SoakError(
            f"the machine let this program stand still for {played.stood_still:.0f} s, so that "
            f"times mean nothing ({'; '.join(played.odd)}): play it again"
        )
    return played


def _verdict(site: Site, crew: Crew, ledgers: Path, fault: Fault) -> Counts:
    # From the files, not from memory: what counts is what is written down.
    written = [read_ledger(ledgers / f"{charger.identity}.jsonl") for charger in crew.chargers]
    return judge(written, site.database, f"{crew.prefix}-", fault.parks)


async def _watch(
    crew: Crew, played: Round, begun: float, stage: list[str], progress: Callable[[str], None]
) -> None:
    told = looked = time.monotonic()
    while True:
        played.stood_still = max(played.stood_still, time.monotonic() - looked - SAMPLE_SECONDS)
        looked = time.monotonic()
        if time.monotonic() - told >= TELL_SECONDS:
            told = time.monotonic()
            progress(
                f"  {played.prefix} {told - begun:.0f} s, {' '.join(stage)}: {crew.connected}/"
                f"{len(crew.chargers)} connected, {crew.statistics.results} answers, "
                f"{crew.waiting} wait"
            )
        played.samples.append(
            Sample(
                round(time.monotonic() - begun, 2),
                crew.connected,
                crew.statistics.results,
                crew.waiting,
            )
        )
        await asyncio.sleep(SAMPLE_SECONDS)


async def _normal(site: Site, crew: Crew, since: float, within: float) -> float | None:
    """Seconds from `since` until every charger is connected, answered, and on line in the records.

    None if that is not so `within` so many seconds. Nobody helps: this only looks.
    """
    loop = asyncio.get_running_loop()
    while loop.time() - since < within:
        crew.check()
        if (
            crew.connected == len(crew.chargers)
            and crew.unserved_since(since) == 0
            and await asyncio.to_thread(_missing, site, crew) == 0
        ):
            return round(loop.time() - since, 2)
        await asyncio.sleep(0.2)
    return None


def _missing(site: Site, crew: Crew) -> int:
    """How many chargers the books do not show on line at an edge that is alive."""
    try:
        ((online,),) = site.database.rows(
            "SELECT count(*) FROM ocpp_chargepoint c JOIN ocpp_edge e ON e.id = c.edge_id"
            " WHERE c.identity LIKE %s AND c.connection IS NOT NULL"
            " AND e.last_seen_at > now() - interval '25 seconds'",
            f"{crew.prefix}-0%",
        )
    except psycopg2.Error:
        return len(crew.chargers)
    return len(crew.chargers) - int(online)


async def _rows_left(site: Site, prefix: str) -> int:
    """How many exchanges of these chargers are rows after `MOVED_WITHIN` seconds: the workers of a
    soak pack them at once (`worker.py`)."""
    loop = asyncio.get_running_loop()
    end = loop.time() + MOVED_WITHIN
    while True:
        ((left,),) = await asyncio.to_thread(
            site.database.rows,
            "SELECT count(*) FROM ocpp_message m JOIN ocpp_chargepoint c"
            " ON c.id = m.charge_point_id WHERE c.identity LIKE %s",
            f"{prefix}-%",
        )
        if not left or loop.time() >= end:
            return int(left)
        await asyncio.sleep(0.5)


def _why_not(site: Site, crew: Crew) -> str:
    return (
        f"{crew.connected} of {len(crew.chargers)} connected, "
        f"{_missing(site, crew)} not on line in the books, "
        f"{site.healthy_edges()} of {len(site.edges)} edges well, {site.consumers()} workers "
        f"listen; the last refusal was {crew.statistics.last_refusal or 'none'!r}"
    )
