"""World time in every process of a run: so many seconds of it in one of ours.

What Levity runs is unchanged. Before one of its programs begins, the interpreter's clock is
replaced, by a `sitecustomize` that only these processes find.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["VARIABLE", "WorldClock", "path_with_clock", "replace"]

VARIABLE = "LEVITY_ORACLE_CLOCK"


@dataclass(frozen=True, slots=True)
class WorldClock:
    """At `monotonic` of this machine it is `begin` in the world, `factor` times as fast."""

    begin: float
    monotonic: float
    factor: float

    def now(self) -> float:
        """POSIX seconds of the world."""
        return self.begin + (time.monotonic() - self.monotonic) * self.factor

    def until(self, moment: float) -> float:
        """Seconds of ours until then."""
        return max(0.0, (moment - self.now()) / self.factor)

    def __str__(self) -> str:
        return f"{self.begin!r} {self.monotonic!r} {self.factor!r}"

    @classmethod
    def told(cls) -> "WorldClock | None":
        """The one that this process was told."""
        words = os.environ.get(VARIABLE, "").split()
        return cls(*map(float, words)) if words else None


def replace() -> None:
    """Let `time.time` tell world time, where this process was told of it."""
    clock = WorldClock.told()
    if clock is not None:
        time.time = clock.now


def path_with_clock(folder: Path) -> str:
    """What PYTHONPATH must be, so that an interpreter replaces its clock before all else."""
    (folder / "sitecustomize.py").write_text(
        "from levity_lab.oracle.wired.clock import replace\n\nreplace()\n"
    )
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
