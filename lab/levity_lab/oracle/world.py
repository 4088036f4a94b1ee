"""The world of a run: its clock, and what passes a meter in it. Times are seconds since 1970 (UTC).

Energy is in Wh and power in W, both continuous; only what a charger says of them is rounded.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["BEGIN", "DAY", "HOUR", "MINUTE", "Flow", "Meter", "Piece", "text"]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
BEGIN = datetime(2026, 10, 23, 4, tzinfo=UTC).timestamp()
"""Two days before the clocks of Europe go back."""

Piece = tuple[float, float, float]
"""(from, to, W): this power flows all the time in between."""


def text(moment: float, offset: float = 0.0, label: str = "Z") -> str:
    """The moment as chargers write it; a clock that is `offset` seconds ahead, labelled so."""
    zone = timezone(timedelta(seconds=offset)) if label not in ("Z", "") else UTC
    moment += 0.0 if label not in ("Z", "") else offset
    told = datetime.fromtimestamp(moment, zone).replace(tzinfo=None)
    return f"{told:%Y-%m-%dT%H:%M:%S}.{told.microsecond // 1000:03d}{label}"


class Flow:
    """What flows through one connector. Pieces do not overlap."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._begins: list[float] = []
        self._before: list[float] = []

    def add(self, pieces: list[Piece]) -> None:
        """These flow as well; order does not matter."""
        self._pieces = sorted([*self._pieces, *(piece for piece in pieces if piece[1] > piece[0])])
        self._begins = [piece[0] for piece in self._pieces]
        self._before, so_far = [], 0.0
        for first, last, power in self._pieces:
            self._before.append(so_far)
            so_far += (last - first) * power / HOUR

    def wh(self, moment: float) -> float:
        """What has flowed until then."""
        at = bisect_right(self._begins, moment) - 1
        if at < 0:
            return 0.0
        first, last, power = self._pieces[at]
        return self._before[at] + (min(moment, last) - first) * power / HOUR

    def power(self, moment: float) -> float:
        """What flows at that moment."""
        at = bisect_right(self._begins, moment) - 1
        if at < 0 or moment >= self._pieces[at][1]:
            return 0.0
        return self._pieces[at][2]

    def moved(self, first: float, last: float) -> float:
        """What has flowed from one moment to another: the truth that every figure is held to."""
        return self.wh(last) - self.wh(first)


@dataclass(slots=True)
class Meter:
    """The register of one connector: what the charger reads, which may begin anew or roll over."""

    first: float
    """What it showed at `BEGIN`."""
    flow: Flow = field(default_factory=Flow)
    anew: list[tuple[float, float]] = field(default_factory=list)
    """(when, value): from then on it counts from this value."""
    modulus: float = 0.0
    """It shows the rest of the division by this; 0 for a register that never rolls over."""

    def register(self, moment: float) -> float:
        """What it shows at that moment."""
        since, value = BEGIN, self.first
        for when, shown in sorted(self.anew):
            if when <= moment:
                since, value = when, shown
        shown = value + self.flow.moved(since, moment)
        return shown % self.modulus if self.modulus else shown

    def segments(self) -> int:
        """How often it has begun, the first time included."""
        return 1 + len(self.anew) + (1 if self.modulus else 0)
