"""Rounds of several sittings: what is done, what is left, how long that takes, and the table."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import orjson

from levity_lab.soak.faults import Fault
from levity_lab.soak.programs import SoakError
from levity_lab.soak.rounds import Round
from levity_lab.soak.verdict import Counts, add

__all__ = ["Line", "Sittings", "brief", "by_fault", "seconds_left", "spoken", "table"]

# Seconds. A round takes so much longer than its fault, as long as none has been played.
AROUND = 20.0
# What lasts longer than this must outlast something: the 20 s of an edge, heartbeats, a limit.
MOMENT, BRIEF = 13.0, 4.0
COLUMNS = (
    *("attempted", "acknowledged", "lost", "duplicated", "unexpected", "recovered", "given_up"),
    "wrong_energy",
)


def brief(fault: Fault) -> Fault:
    """The same fault in as little time as is honest: kills, restarts and cuts go on for 4 s.

    What has to outlast a time-out keeps its time.
    """
    return replace(fault, seconds=BRIEF) if BRIEF < fault.seconds <= MOMENT else fault


@dataclass(slots=True)
class Sittings:
    """The rounds that came to their end, kept in a file: one JSON object in a line each.

    `settings` must be the same in every sitting: other chargers would be another experiment.
    Without a `path` nothing is kept. A round that was interrupted is played again, one that failed
    is not: it counts.
    """

    path: Path | None
    settings: dict[str, Any]
    rounds: list[Round] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.path is None or not self.path.exists():
            return
        for number, line in enumerate(self.path.read_bytes().splitlines(), start=1):
            try:
                kept = orjson.loads(line)
                settings, odd, played = kept["settings"], kept.get("odd"), kept.get("round")
                known = _round(played) if played else None
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise SoakError(f"{self.path}, line {number}: not a round ({error})") from error
            if settings != self.settings:
                raise SoakError(
                    f"{self.path} was begun with {_told(settings)}; this is {_told(self.settings)}"
                )
            if known is not None:
                self.rounds.append(known)
            self.odd += odd or ()

    def has(self, fault: Fault, seed: int) -> bool:
        """True if this round has been played."""
        return any((each.fault, each.seed) == (fault.name, seed) for each in self.rounds)

    def add(self, played: Round) -> None:
        """Keep a round, at once and for good."""
        self.rounds.append(played)
        self._write({"round": {**asdict(played), "samples": [], "happenings": []}})

    def add_odd(self, lines: Sequence[str]) -> None:
        """Keep what was left behind at the end of a sitting."""
        self.odd += lines
        if lines:
            self._write({"odd": list(lines)})

    def _write(self, kept: dict[str, Any]) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(orjson.dumps({"settings": self.settings, **kept}) + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _round(kept: dict[str, Any]) -> Round:
    counts = Counts(**kept["counts"])
    return Round(**{**kept, "checks": tuple(kept["checks"]), "counts": counts})


def _told(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(settings.items()))


def seconds_left(left: Iterable[Fault], done: Sequence[Round]) -> float:
    """What these rounds will take: as long as that fault took so far, else its own time and what
    the others took besides theirs."""
    took: dict[str, list[float]] = {}
    for each in done:
        took.setdefault(each.fault, []).append(each.seconds)
    around = mean(each.seconds - (each.fault_to - each.fault_from) for each in done) if done else 0
    return sum(
        mean(took[fault.name]) if fault.name in took else fault.seconds + (around or AROUND)
        for fault in left
    )


def spoken(seconds: float) -> str:
    """Hours and minutes, for people."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


@dataclass(frozen=True, slots=True)
class Line:
    """All rounds of one fault. Times are seconds from its end until all was as before."""

    fault: str
    rounds: int
    failed: int
    counts: Counts
    normal: float | None
    """In the middle; None where it never came to that."""
    slowest: float | None
    """None where one round did not come to that."""


def by_fault(rounds: Sequence[Round]) -> list[Line]:
    """One line a fault, by name; and one for all of them."""
    names = sorted({each.fault for each in rounds})
    lines = [_line(name, [each for each in rounds if each.fault == name]) for name in names]
    return [*lines, _line("all", rounds)] if lines else []


def _line(name: str, rounds: Sequence[Round]) -> Line:
    normal = [each.normal_after for each in rounds if each.normal_after is not None]
    return Line(
        name,
        len(rounds),
        sum(not each.good for each in rounds),
        add(each.counts for each in rounds),
        round(median(normal), 2) if normal else None,
        max(normal) if len(normal) == len(rounds) else None,
    )


def table(rounds: Sequence[Round]) -> str:
    """The lines as text: a Markdown table, which terminals show as well."""
    names = ("fault", "rounds", "failed", *COLUMNS, "normal after", "slowest")
    rows = [[name.replace("_", " ") for name in names]]
    for line in by_fault(rounds):
        counts = [str(getattr(line.counts, name)) for name in COLUMNS]
        times = [
            "never" if each is None else f"{each:.1f} s" for each in (line.normal, line.slowest)
        ]
        rows.append([line.fault, str(line.rounds), str(line.failed), *counts, *times])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )
