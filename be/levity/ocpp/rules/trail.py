"""What is kept of a session's samples, as values and as the text of its row.

How it grows with each message is in `lives`, what it comes to in `sampled`.
"""

from decimal import Decimal
from math import isfinite
from typing import NamedTuple

from levity.ocpp.rules.powered import NO_WORK, Work
from levity_ws.frozen import frozen

__all__ = ["NO_TRAIL", "Life", "Phase", "Trail", "read", "read_or_none", "written"]

SECONDS_PER_HOUR = 3600
ZERO = Decimal(0)
# Wh that a meter may be beyond what the maximum power allows, for clocks and rounding.
SLACK = 100
# A register may fall so far by rounding (Huawei: 1 Wh below meterStart).
ROUNDING = 10


@frozen
class Life:
    """Values that follow from each other; Wh, and times as seconds since 1970."""

    first: Decimal
    first_at: float
    """The charger's clock."""
    first_seen: float
    """Ours, when it came."""
    before: Decimal
    """The value before the last; the first where there is one value only."""
    before_at: float
    last: Decimal
    last_at: float
    seen: float
    """Our clock, when the last came."""
    count: int = 1
    jump: Decimal = ZERO
    """Wh of the largest step that was more than the connector is known to deliver."""
    jumps: int = 0
    """How many such steps there were."""
    gap: int = 0
    """Wh that flowed between the life before and its first value, by power; 0: not known."""
    grain: int = 0
    """Wh of the last digit of its values, by which each may be off, where they are told in kWh; 0:
    they are told in Wh."""

    @property
    def rise(self) -> Decimal:
        """Wh from its first value to its last."""
        return max(self.last - self.first, ZERO)

    @property
    def off(self) -> int:
        """Wh by which it may lie above or below an exact register, and be the same."""
        return max(self.grain - 1, ROUNDING)

    @property
    def slack(self) -> int:
        """Wh by which its differences may be off, and say the same."""
        return max(self.grain, SLACK)

    @property
    def pace(self) -> int:
        """W on average."""
        seconds = self.last_at - self.first_at
        return int(float(self.rise) * SECONDS_PER_HOUR / seconds) if seconds > 0 else 0


class Phase(NamedTuple):
    """The newest value of one phase of the register."""

    name: str
    wh: Decimal
    is_of_last: bool
    """It was told for the moment of the last value."""


@frozen
class Trail:
    """What the samples of a session have shown so far."""

    lives: tuple[Life, ...] = ()
    power: int = 0
    """W that flowed or were offered, by two samples after each other at least, or as steadily as
    the register rose."""
    said: int = 0
    """W, by the last sample."""
    anew: bool = False
    """The charger booted between the session's start and its first sample."""
    at_inlet: bool = False
    """The lives are of the station's inlet, since no message has told of another place."""
    phases: tuple[Phase, ...] = ()
    """Where the register is told by phase: the newest value of each. One without a name says that
    there is a total as well, and that they don't count."""
    work: Work = NO_WORK
    """What its power comes to over time."""


NO_TRAIL = Trail()

# The text that was written for a session comes back with its next message.
_recent: dict[str, Trail] = {}
RECENT = 4096


def written(trail: Trail) -> str:
    """The trail as text for the session's row."""
    lives = [
        f"{life.first},{life.first_at!r},{life.first_seen!r},{life.before},{life.before_at!r},"
        f"{life.last},{life.last_at!r},{life.seen!r},{life.count},{life.jump},{life.jumps}"
        + (f",{life.gap},{life.grain}" if life.grain else f",{life.gap}" if life.gap else "")
        for life in trail.lives
    ]
    # (A worker of the release before reads no more of the third field than its phases and whether
    # it is 1, and no more than twelve numbers of a life.)
    phases = "".join(f"|{name}={wh}{'*' * now}" for name, wh, now in trail.phases)
    work = trail.work
    done = (
        f":{work.joules}:{work.spread}:{work.seconds}:{work.steps}:{work.peak}:{work.flow}"
        f":{work.at}:{work.source}"
        if work is not NO_WORK
        else ""
    )
    head = f"{trail.power},{trail.said},{trail.anew:d}{done}{phases}"
    text = ";".join([f"{head},1" if trail.at_inlet else head, *lives])
    if len(_recent) >= RECENT:
        _recent.clear()
    _recent[text] = trail
    return text


def read(text: str) -> Trail:
    """The trail of this text."""
    if not text:
        return NO_TRAIL
    known = _recent.get(text)
    if known is not None:
        return known
    head, *rest = text.split(";")
    power, said, anew, *at_inlet = head.split(",")
    lives = []
    for life in rest:
        part = life.split(",")
        lives.append(
            Life(
                Decimal(part[0]),
                float(part[1]),
                float(part[2]),
                Decimal(part[3]),
                float(part[4]),
                Decimal(part[5]),
                float(part[6]),
                float(part[7]),
                int(part[8]),
                Decimal(part[9]),
                int(part[10]),
                int(part[11]) if len(part) > 11 else 0,
                int(part[12]) if len(part) > 12 else 0,
            )
        )
    anew, *phases = anew.split("|")
    anew, *done = anew.split(":")
    told = tuple(map(_phase, phases))
    work = _work(*done) if done else NO_WORK
    return Trail(tuple(lives), int(power), int(said), anew == "1", bool(at_inlet), told, work)


def read_or_none(text: str) -> Trail | None:
    """The same; None where the text is damaged."""
    known = _recent.get(text)
    if known is not None:
        return known
    try:
        trail = read(text)
    except (ArithmeticError, IndexError, TypeError, ValueError):
        return None
    return trail if all(map(_is_finite, trail.lives)) else None


def _is_finite(life: Life) -> bool:
    numbers = (life.first, life.before, life.last, life.jump)
    times = (life.first_at, life.first_seen, life.before_at, life.last_at, life.seen)
    return all(isfinite(number) for number in (*numbers, *times))


def _work(
    joules: str, spread: str, seconds: str, steps: str, peak: str, flow: str, at: str, source: str
) -> Work:
    done = int(joules), int(spread), int(seconds)
    return Work(*done, int(steps), int(peak), int(flow), int(at), source)


def _phase(text: str) -> Phase:
    name, wh = text.split("=")
    return Phase(name, Decimal(wh.rstrip("*")), wh.endswith("*"))
