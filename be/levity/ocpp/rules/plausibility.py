"""Which single values of an energy register can't be true, and what should stand there.

No database: a series of (time, Wh) goes in, findings come out. Works on a stream: only values that
are in doubt are held.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from levity.ocpp.rules.lives import PACE, ROUNDING, most
from levity_ws.frozen import frozen

__all__ = ["Finding", "Reading", "judge", "rises"]

# So many values that fit each other, though not what was before, are a register that began anew.
NEW_LIFE = 3
# More are not held in doubt.
HELD = 1000
MICRO = Decimal("0.000001")


@frozen
class Reading:
    """One value of the register; `id` is 0 for what StartTransaction and StopTransaction said."""

    id: int
    at: datetime
    wh: Decimal
    grain: int = 0
    """Wh of its last digit, by which it may be off, where it is told in kWh; else 0."""


@frozen
class Finding:
    """A reading between believable ones that can't be true, what it should be, and why."""

    reading: Reading
    wh: Decimal
    reason: str


def rises(series: Sequence[Reading]) -> bool:
    """True if it only rises, and as fast as some charger can, whatever is known of this one."""
    if any(after.wh - before.wh < -_off(before, after) for before, after in pairwise(series)):
        return False
    times = [item.at for item in series]
    seconds = (max(times) - min(times)).total_seconds() if times else 0
    if not series:
        return True
    first, last = series[0], series[-1]
    return last.wh - first.wh <= most(seconds, PACE) + max(first.grain, last.grain)


def judge(series: Iterable[Reading], max_power: int) -> list[Finding]:
    """Doubt every reading that the one before it does not allow; in the order of time.

    At the end of a series, and where the register goes on from another level, nothing tells what
    is wrong.
    """
    findings: list[Finding] = []
    good: Reading | None = None
    times = 0
    doubtful: list[Reading] = []
    for reading in series:
        if good is None or _follows(good, reading, max_power):
            if good is not None:
                times += bool(doubtful)
                findings += [_between(item, good, reading, max_power) for item in doubtful]
            good, doubtful = reading, []
            continue
        doubtful.append(reading)
        if len(_chain(doubtful, max_power)) >= NEW_LIFE or len(doubtful) > HELD:
            # The register goes on from here: it has begun anew.
            good, doubtful = reading, []
    if times > 1 and _is_another_meter(findings, max_power):
        return []
    # (What was put on the line already may still be told at another time.)
    return [item for item in findings if item.wh != item.reading.wh]


def _is_another_meter(findings: Sequence[Finding], max_power: int) -> bool:
    """True if what is doubted rises as a register does: it is one, told between this one's values.

    ABB Terra AC tells the session's register with the session's id, and its meter's without.
    """
    readings = [item.reading for item in findings]
    rises_on = 0 < readings[0].wh < readings[-1].wh
    return rises_on and all(_follows(*pair, max_power) for pair in pairwise(readings))


def _follows(before: Reading, after: Reading, max_power: int) -> bool:
    rise = after.wh - before.wh
    could = most((after.at - before.at).total_seconds(), max_power)
    return -_off(before, after) <= rise <= could + max(before.grain, after.grain)


def _off(before: Reading, after: Reading) -> int:
    """Wh by which the later one may be below the other, and be the same."""
    return max(before.grain - 1, after.grain - 1, ROUNDING)


def _chain(readings: list[Reading], max_power: int) -> list[Reading]:
    """The last of these readings that fit each other."""
    start = len(readings) - 1
    while start > 0 and _follows(readings[start - 1], readings[start], max_power):
        start -= 1
    return readings[start:]


def _between(item: Reading, before: Reading, after: Reading, max_power: int) -> Finding:
    """Where it stands on the line from the last to the next believable reading."""
    span = (after.at - before.at).total_seconds()
    part = Decimal((item.at - before.at).total_seconds() / span) if span > 0 else Decimal(1)
    wh = (before.wh + (after.wh - before.wh) * part).quantize(MICRO)
    return Finding(item, wh, _why(before, item, max_power))


def _why(before: Reading, item: Reading, max_power: int) -> str:
    seconds = (item.at - before.at).total_seconds()
    rise = item.wh - before.wh
    if rise < 0:
        return f"falls by {-rise:.0f} Wh"
    return f"rises by {rise:.0f} Wh in {seconds:.0f} s; at most {most(seconds, max_power):.0f} can"
