"""A run: worlds of some thousand sessions, one after the other, played, judged and forgotten."""

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
from levity_lab.oracle.births import born, born_mixed
from levity_lab.oracle.databases import copies
from levity_lab.oracle.direct import Direct, Moment
from levity_lab.oracle.lives import Life
from levity_lab.oracle.oddities import ODDITIES, Oddity
from levity_lab.oracle.table import Tally, cause_of, example, over_line, tallied
from levity_lab.oracle.verdict import judge

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

    @property
    def is_good(self) -> bool:
        """Nothing lost, doubled, wrong at `high` or without a flag, and nothing billed twice."""
        return not any(tally.is_bad for tally in self.tallies.values())

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "database": self.database,
            "seed": self.plan.seed,
            "mixed": self.plan.mixed,
            "sessions": self.sessions,
            "chargers": self.chargers,
            "frames": self.frames,
            "seconds": round(self.seconds, 1),
            "errors": self.errors,
            "good": self.is_good,
            "causes": [each.as_json() for each in self.tallies.values()],
            "over": self.over,
        }


def run(plan: Plan, say: Callable[[str], object]) -> Run:
    """Play and judge, in the database that Django is connected to."""
    done = Run(plan, connection.vendor)
    oddities = [ODDITIES[name] for name in plan.only] or list(ODDITIES.values())
    began = time.monotonic()
    births = _births(plan, oddities)
    with _no_limit_of_new_ones():
        while done.sessions < plan.sessions:
            lives: list[Life] = []
            wanted = min(_WORLD, plan.sessions - done.sessions)
            while sum(len(life.sessions) for life in lives) < wanted:
                lives.append(next(births))
            restored = [life for life in lives if _is_restored(life)]
            for some, moments in (
                ([life for life in lives if life not in restored], ()),
                (restored, copies()),
            ):
                _play(some, moments, done, say)
            done.seconds = time.monotonic() - began
            say(
                f"{done.sessions:,} of {plan.sessions:,} sessions, {done.chargers} chargers, "
                f"{done.frames:,} frames, {done.seconds:.0f} s"
            )
    return done


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
