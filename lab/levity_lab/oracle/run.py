"""A run: worlds of some thousand sessions, one after the other, played, judged and forgotten."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.db import connection

from levity.ocpp.conf import DEFAULTS
from levity_lab.oracle.afterwards import Corrected, Unassigned, correct, sum_up
from levity_lab.oracle.births import born, born_mixed
from levity_lab.oracle.databases import copies, own_database
from levity_lab.oracle.direct import Direct, Moment
from levity_lab.oracle.lives import Life
from levity_lab.oracle.oddities import ODDITIES, Oddity
from levity_lab.oracle.table import Tally, cause_of, example, over_line, tallied
from levity_lab.oracle.verdict import judge
from levity_lab.oracle.wired.play import play, world_clock
from levity_lab.oracle.wired.programs import running

__all__ = ["Plan", "Run", "run"]

_WORLD = 2_500
"""Sessions of one world: their frames are kept in memory until they are judged."""
_EXAMPLES = 3
"""So many are kept of each kind of each cause: the shortest."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play."""

    sessions: int = 2_000
    seed: int = 1
    only: tuple[str, ...] = ()
    mixed: bool = False
    correct: bool = False
    """Run `correct_meter_values` afterwards, and judge again."""
    sum_up: bool = False
    """Compare energy of no session, too."""
    shape: str = "direct"
    """direct: in this process; serve or fleet: real processes, which are killed now and then."""
    factor: float = 600.0
    """Of the world's time in real processes."""
    kill_every: float = 10.0
    """Seconds between two kills; 0: none."""


@dataclass(slots=True)
class Run:
    """What came of it."""

    plan: Plan
    database: str
    tallies: dict[str, Tally] = field(default_factory=dict)
    examples: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """By (cause, kind)."""
    over: list[str] = field(default_factory=list)
    sessions: int = 0
    chargers: int = 0
    frames: int = 0
    seconds: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)
    """CALLERRORs by code."""
    kills: int = 0
    corrected: Corrected | None = None
    unassigned: Unassigned | None = None

    @property
    def is_good(self) -> bool:
        """Nothing lost, doubled, wrong at `high` or without a flag, and nothing billed twice."""
        is_spoilt = self.corrected is not None and not self.corrected.is_good
        return not is_spoilt and not any(tally.is_bad for tally in self.tallies.values())

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "database": self.database,
            "seed": self.plan.seed,
            "mixed": self.plan.mixed,
            "shape": self.plan.shape,
            "kills": self.kills,
            "sessions": self.sessions,
            "chargers": self.chargers,
            "frames": self.frames,
            "seconds": round(self.seconds, 1),
            "errors": self.errors,
            "good": self.is_good,
            "causes": [each.as_json() for each in self.tallies.values()],
            "over": self.over,
            "corrected": self.corrected.as_json() if self.corrected else None,
            "unassigned": self.unassigned.as_json() if self.unassigned else None,
        }


def run(plan: Plan, say: Callable[[str], object]) -> Run:
    """Play and judge, with a database of its own."""
    done = Run(plan, connection.vendor)
    oddities = [ODDITIES[name] for name in plan.only] or list(ODDITIES.values())
    began = time.monotonic()
    if plan.shape != "direct":
        oddities = [each for each in oddities if not each.restored]
        _on_processes(_some(_births(plan, oddities), plan.sessions), done, say)
        done.seconds = time.monotonic() - began
        return done
    births = _births(plan, oddities)
    with own_database(), _no_limit_of_new_ones():
        while done.sessions < plan.sessions:
            lives = _some(births, min(_WORLD, plan.sessions - done.sessions))
            restored = [life for life in lives if _is_restored(life)]
            _play([life for life in lives if life not in restored], (), done, say)
            _play(restored, copies(), done, say)
            done.seconds = time.monotonic() - began
            say(
                f"{done.sessions:,} of {plan.sessions:,} sessions, {done.chargers} chargers, "
                f"{done.frames:,} frames, {done.seconds:.0f} s"
            )
    return done


def _some(births: Iterator[Life], sessions: int) -> list[Life]:
    lives: list[Life] = []
    while sum(len(life.sessions) for life in lives) < sessions:
        lives.append(next(births))
    return lives


def _on_processes(lives: list[Life], done: Run, say: Callable[[str], object]) -> None:
    clock = world_clock(done.plan.factor)
    with running(done.plan.shape, clock) as programs:
        chargers = asyncio.run(play(lives, programs, clock, done.plan.kill_every, say))
        done.kills = programs.kills
        programs.stop()
        for charger in chargers:
            done.frames += charger.frames
            for code, count in charger.errors.items():
                done.errors[code] = done.errors.get(code, 0) + count
        _judge(lives, done)


def _play(
    lives: list[Life], moments: Sequence[Moment], done: Run, say: Callable[[str], object]
) -> None:
    if not lives:
        return
    direct = Direct(f"{done.plan.seed} {done.chargers}", say)
    direct.play(lives, moments)
    _judge(lives, done)
    done.frames += direct.frames
    for code, count in direct.errors.items():
        done.errors[code] = done.errors.get(code, 0) + count


def _is_restored(life: Life) -> bool:
    oddity = ODDITIES.get(life.cause)
    return oddity is not None and oddity.restored


def _births(plan: Plan, oddities: list[Oddity]) -> Iterator[Life]:
    number = 0
    while True:
        for oddity in oddities:
            number += 1
            identity = f"ORA-{plan.seed}-{number:05d}"
            if plan.mixed:
                yield born_mixed(identity, plan.seed)
            else:
                yield born(identity, oddity, plan.seed)


def _judge(lives: list[Life], done: Run) -> None:
    verdict = judge(lives)
    if done.plan.sum_up:
        done.unassigned = done.unassigned or Unassigned()
        sum_up(lives, verdict, done.unassigned)
    tallied(verdict, done.tallies)
    done.chargers += len(lives)
    done.sessions += len(verdict.judged)
    done.over += map(over_line, verdict.over)
    for judged in verdict.judged:
        if judged.kind == "right":
            continue
        kept = done.examples[cause_of(judged), judged.kind]
        kept.append(example(judged))
        kept.sort(key=len)
        del kept[_EXAMPLES:]
    if done.plan.correct:
        done.corrected = done.corrected or Corrected()
        correct(lives, verdict, done.corrected)


@contextmanager
def _no_limit_of_new_ones() -> Iterator[None]:
    """All chargers of a run are new in the same hour of the world."""
    name = "OCPP_NEW_PER_HOUR"
    had = getattr(settings, name, DEFAULTS[name])

    def say(value: int) -> None:
        setattr(settings, name, value)
        setting_changed.send(sender=None, setting=name, value=value, enter=True)

    say(0)
    try:
        yield
    finally:
        say(had)
