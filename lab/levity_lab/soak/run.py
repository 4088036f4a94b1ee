"""A whole run: which faults, in which order, for how long; progress while it runs."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from levity_lab.soak.faults import Fault
from levity_lab.soak.programs import SoakError
from levity_lab.soak.rounds import Round, play
from levity_lab.soak.site import Site
from levity_lab.soak.sittings import Sittings, seconds_left, spoken
from levity_lab.soak.verdict import Counts, add

__all__ = ["Options", "Report", "at_the_end", "soak"]


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is to do."""

    faults: tuple[Fault, ...]
    seeds: tuple[int, ...]
    chargers: int = 24
    factor: float = 60.0
    workers: int = 2
    edges: int = 2
    seconds: float | None = None
    """Until then, faults by chance; None: each fault once with each seed."""
    folder: Path = Path("soak")
    stop_at_first: bool = False
    resume: Path | None = None
    """The file of the sittings before this one; None: there is only this one."""
    brief: bool = False
    """The faults are as short as is honest."""

    def sittings(self) -> Sittings:
        """What was played before. SoakError: that was another experiment."""
        settings = {
            "chargers": self.chargers,
            "factor": self.factor,
            "workers": self.workers,
            "edges": self.edges,
            "brief": self.brief,
        }
        return Sittings(self.resume, settings)


@dataclass(slots=True)
class Report:
    """What a run came to, with the sittings before it."""

    begun: datetime
    options: Options
    rounds: list[Round] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def counts(self) -> Counts:
        """All rounds together."""
        return add(each.counts for each in self.rounds)

    @property
    def good(self) -> bool:
        """True if every round is, and there was one."""
        return bool(self.rounds) and all(each.good for each in self.rounds) and not self.odd


def plan(options: Options) -> Iterator[tuple[Fault, int]]:
    """Faults and seeds, one after the other; without an end where the run has a length."""
    if options.seconds is None:
        for seed in options.seeds:
            order = list(options.faults)
            Random(f"{seed}/order").shuffle(order)
            yield from ((fault, seed) for fault in order)
        return
    seed = options.seeds[0]
    chance = Random(f"{seed}/order")
    while True:
        yield chance.choice(options.faults), seed
        seed += 1


async def soak(options: Options, say: Callable[[str], None]) -> Report:
    """Run it; the report is whole also when it was interrupted. SoakError: nothing could run."""
    sittings = options.sittings()
    report = Report(datetime.now(UTC), options, sittings.rounds, sittings.odd)
    left: Iterable[tuple[Fault, int]] = plan(options)
    if options.seconds is None:
        left = [(fault, seed) for fault, seed in left if not sittings.has(fault, seed)]
        before = f"{len(sittings.rounds)} were before"
        if not left:
            say(f"nothing is left to play; {before}")
            return report
        took = seconds_left([fault for fault, _ in left], sittings.rounds)
        say(f"{len(left)} rounds to play, about {spoken(took)}; {before}")
    begun = time.monotonic()
    site = Site(
        options.workers,
        options.edges,
        clocks=any(fault.name.startswith("clock-") for fault in options.faults),
        seed=options.seeds[0],
        say=say,
    )
    try:
        await site.open()
        _check_disks(site, options)
        await _play_all(site, options, sittings, left, say)
        sittings.add_odd(await asyncio.to_thread(at_the_end, site))
    except asyncio.CancelledError:
        report.interrupted = True
    finally:
        say("stopping everything")
        await site.close(options.folder / "logs")
    report.seconds = time.monotonic() - begun
    return report


def _check_disks(site: Site, options: Options) -> None:
    full = [fault.name for fault in options.faults if fault.name.endswith("-disk-full")]
    if full and not site.logs.real:
        raise SoakError(
            f"{', '.join(full)}: a disk can only be filled on a file system of its own, which "
            "only root may mount; run it as root, or leave them out: --faults '!*-disk-full'"
        )


async def _play_all(
    site: Site,
    options: Options,
    sittings: Sittings,
    left: Iterable[tuple[Fault, int]],
    say: Callable[[str], None],
) -> None:
    begun = time.monotonic()
    to_come = [fault for fault, _ in left] if isinstance(left, list) else None
    for number, (fault, seed) in enumerate(left, start=1):
        of = f"{number}/{len(to_come)}" if to_come else str(number)
        try:
            played = await play(
                site,
                fault,
                seed,
                chargers=options.chargers,
                factor=options.factor,
                ledgers=options.folder / "ledgers",
                progress=say,
            )
        except SoakError as error:
            # The harm could not be done, or the round before left something behind: it is played
            # in the next sitting.
            sittings.odd.append(f"{fault.name} seed {seed}: {error}")
            say(f"{of} FAIL {sittings.odd[-1]}")
        else:
            sittings.add(played)
            say(f"{of} {_line(played)}{_to_go(to_come, number, sittings)}")
            for line in (*played.odd, *played.counts.examples[:5]):
                say(f"    {line}")
            if not played.good and options.stop_at_first:
                return
        if options.seconds is not None and time.monotonic() - begun >= options.seconds:
            return


def _to_go(to_come: Sequence[Fault] | None, number: int, sittings: Sittings) -> str:
    if to_come is None or number == len(to_come):
        return ""
    return f"; about {spoken(seconds_left(to_come[number:], sittings.rounds))} left"


def _line(played: Round) -> str:
    counts = played.counts
    normal = "not normal" if played.normal_after is None else f"normal in {played.normal_after:g} s"
    return (
        f"{'ok  ' if played.good else 'FAIL'} {played.fault} seed {played.seed}: "
        f"{counts.attempted} attempted, {counts.acknowledged} acknowledged, {counts.lost} lost, "
        f"{counts.duplicated} duplicated, {counts.unexpected} unexpected, {counts.recovered} "
        f"recovered, {counts.given_up} given up, {counts.wrong_energy} with wrong energy; "
        f"{normal}; {played.seconds:.0f} s"
    )


def at_the_end(site: Site) -> list[str]:
    """What must not be left behind by any round."""
    odd = []
    ((commands,),) = site.database.rows(
        "SELECT count(*) FROM ocpp_command WHERE state = 'sent' AND"
        " sent_at < now() - interval '30 seconds'"
    )
    if commands:
        odd.append(f"{commands} commands are still 'sent' after their time")
    ((active,),) = site.database.rows("SELECT count(*) FROM ocpp_frameattempt")
    if active:
        odd.append(f"{active} frames are still marked as being tried")
    dead = site.broker.depth(site.dead_letters)
    if dead:
        odd.append(f"{dead} batches are in the dead-letter queue")
    return odd
