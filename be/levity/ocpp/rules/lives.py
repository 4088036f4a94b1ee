"""The register of one session, as its samples showed it: kept with the session, in few numbers.

A register that rises by no more than can have flowed is one *life* of it. A sample that does not
fit begins another: the meter began anew, jumped, or did not answer. Whether it was a life or a
slip of the meter shows in the samples that follow, so all of them are kept until then. No value
decides anything for good: what a session is told to have charged (`sampled.charged`) is found from
all lives each time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from levity.ocpp.rules.powered import GAP, Flow, mean_of, work_on
from levity.ocpp.rules.readings import STRONGEST, TOGETHER, Reading, total
from levity.ocpp.rules.trail import (
    NO_TRAIL,
    ROUNDING,
    SECONDS_PER_HOUR,
    SLACK,
    ZERO,
    Life,
    Phase,
    Trail,
    read,
    written,
)

__all__ = [
    "FASTEST",
    "LEAST_PACE",
    "NO_TRAIL",
    "PACE",
    "ROUNDING",
    "SLACK",
    "Life",
    "Trail",
    "ended",
    "follow",
    "goes_on",
    "is_wild",
    "lies_before_last",
    "most",
    "read",
    "was_a_slip",
    "without_last",
    "without_wild_end",
    "written",
]

# A meter may be ten per cent and `SLACK` beyond what the maximum power allows before its word is
# doubted.
TOLERANCE = 1.1
# W. A register that rises faster than this has jumped. Between this and what the connector is
# known to deliver it may be a jump, or a charger that is stronger than we know.
PACE = 500_000
# W. What chargers on public ground deliver at most, for one of which nothing else is known.
FASTEST = 400_000
# By how much a car may charge faster than it did, and W that it charges with at least.
SWING, LEAST_PACE = 2.5, 1380
# Seconds. A sample that is dated further ahead of our clock is of a clock that is wrong.
AHEAD = 300
WHOLE = Decimal(1000)
# More lives than that are nonsense, and those of one sample go first.
LIVES = 6
_BESIDE = (Phase("", ZERO, is_of_last=False),)


def most(seconds: float, max_power: int) -> float:
    """The Wh that can have flowed in this time at this power (W)."""
    return seconds / SECONDS_PER_HOUR * max_power * TOLERANCE + SLACK if seconds > 0 else SLACK


def follow(
    trail: Trail,
    readings: Iterable[Reading],
    received_at: datetime,
    max_power: int,
    power: int = 0,
    start: Reading | None = None,
    told: Sequence[Flow] = (),
) -> Trail:
    """The trail with the readings of a message more.

    `power` is what it says of the power, W, and `told` what of it flows; `start` is what
    StartTransaction said.
    """
    seen, before = received_at.timestamp(), trail.work
    is_news = 0 < power <= STRONGEST and (power != trail.said or power > trail.power)
    work = work_on(before, _fitting(told, trail), seen) if told else before
    if is_news or work is not before:
        steady = max(trail.power, min(trail.said, power)) if is_news else trail.power
        said = power if is_news else trail.said
        trail = Trail(trail.lives, steady, said, trail.anew, trail.at_inlet, trail.phases, work)
    for reading in readings:
        item = reading
        if item.is_inlet != trail.at_inlet:
            if item.is_inlet and trail.lives:
                # What the whole station draws says nothing where the outlet has spoken.
                continue
            trail = replace(trail, lives=(), at_inlet=item.is_inlet, phases=())
        if item.phases or trail.phases:
            trail, whole = _of_all_phases(trail, item, seen)
            if whole is None:
                continue
            item = whole
        limit = max(max_power, trail.power)
        if len(trail.lives) == 1 and _began_off(trail.lives[0], item, seen, limit, start):
            trail = replace(trail, lives=())
        count = len(trail.lives)
        trail = _with(trail, item, seen, limit)
        if len(trail.lives) > count > 0:
            trail = _with_gap(trail, mean_of(before, work))
    return trail


def _fitting(told: Sequence[Flow], trail: Trail) -> Sequence[Flow]:
    """What the station draws says nothing where the register of the outlet is told."""
    if not told[0].is_inlet or trail.at_inlet or not trail.lives:
        return told
    return [item for item in told if not item.is_inlet]


def _with_gap(trail: Trail, watts: int) -> Trail:
    """The trail whose last life has just begun, with what flowed before it at this power."""
    *lives, before, last = trail.lives
    seconds = max(last.first_at - before.last_at, 0)
    gap = int(watts * min(seconds, GAP) / SECONDS_PER_HOUR)
    return replace(trail, lives=(*lives, before, replace(last, gap=gap))) if gap else trail


def _began_off(first: Life, item: Reading, seen: float, limit: int, start: Reading | None) -> bool:
    """True if the only value so far was that of a meter that did not answer yet: this one goes on
    from the start, and can't go on from that one."""
    if start is None or first.count > 1:
        return False
    grain = _shared(first, item.value, item.grain)
    if first.last >= start.value - max(SLACK, grain):
        return False
    at = item.at.timestamp()
    rise, step = item.value - start.value, item.value - first.last
    return -grain <= rise <= most(at - start.at.timestamp(), limit) + grain and step > grain + most(
        max(at - first.last_at, seen - first.seen), limit
    )


def goes_on(trail: Trail, item: Reading, received_at: datetime, limit: int) -> bool:
    """True if this reading goes on from the last, by no more than can have flowed."""
    last = trail.lives[-1]
    rise = float(item.value - last.last)
    seconds = max(item.at.timestamp() - last.last_at, received_at.timestamp() - last.seen)
    return -last.off <= rise <= most(seconds, max(limit, trail.power)) + last.grain


def ended(trail: Trail, meter_stop: Decimal, stopped_at: datetime, limit: int) -> Trail | None:
    """The trail with meterStop as its last value; None if that does not go on from the samples."""
    last, at = trail.lives[-1], stopped_at.timestamp()
    tail = meter_stop - last.last
    could = most(at - last.last_at, max(limit, trail.power)) + last.grain
    if not -last.off <= float(tail) <= could:
        return None
    whole = _grown(last, meter_stop, at, last.seen, limit, last.grain)
    if last.count > 1 and at - last.last_at < (last.last_at - last.before_at) / 2:
        # What comes so soon after a sample is no step of its own.
        whole = replace(whole, before=last.before, before_at=last.before_at)
    return replace(trail, lives=(*trail.lives[:-1], whole))


def is_wild(life: Life) -> bool:
    """True if the last value is more than its pace until then leads to."""
    seconds = life.before_at - life.first_at
    pace = float(life.before - life.first) * SECONDS_PER_HOUR / seconds if seconds > 0 else 0.0
    step = float(life.last - life.before)
    return step > _usual(life.last_at - life.before_at, pace) + life.grain


def without_wild_end(trail: Trail) -> Trail:
    """The trail as far as it is proven where no Stop tells the end: without a last value that is
    more than its pace leads to, by the only step that is more than the connector can deliver."""
    if not trail.lives:
        return trail
    *lives, last = trail.lives
    is_jump = last.jumps == 1 and last.last - last.before == last.jump
    if last.count < 3 or not is_jump or not is_wild(last):
        return trail
    return replace(trail, lives=(*lives, without_last(last)))


def lies_before_last(life: Life, stop: Decimal) -> bool:
    """True if this end lies between the last two values, of which the last is wild: the register
    never was there. (What is as before may be an old value, and kWh may be cut off.)"""
    if life.count < 3 or not life.before + life.slack < stop < life.last - life.off:
        return False
    return stop % WHOLE != 0 and is_wild(life)


def _usual(seconds: float, pace: float) -> float:
    """Wh that can have flowed if it went on about as fast, W."""
    return most(seconds, int(max(pace * SWING, LEAST_PACE)))


def _with(trail: Trail, item: Reading, seen: float, limit: int) -> Trail:
    lives, value, at = trail.lives, item.value, item.at.timestamp()
    if not lives:
        return replace(trail, lives=(_begun(item, at, seen),))
    if item.is_begin:
        # What the meter showed at the start is not what it shows now.
        return trail
    last = lives[-1]
    if at == last.last_at and value == last.last:
        return trail
    # The charger's clock went back, or the sample is late: what is late rises no further.
    if at < last.last_at <= seen + AHEAD and (
        value <= last.last or not _fits(last, item, -1, seen)
    ):
        return replace(trail, lives=_with_late(lives, value, at, seen))
    if len(lives) > 1 and was_a_slip(lives, item, seen):
        kept, last = lives[:-2], lives[-2]
    elif _fits(last, item, at, seen):
        kept = lives[:-1]
    elif last.count > 1 and value < last.last and _fits_before(last, item, at, seen):
        # It is the value before that was far off.
        kept, last = lives[:-1], without_last(last)
    else:
        return replace(trail, lives=_some((*lives, _begun(item, at, seen))))
    grain = _shared(last, value, item.grain) if item.grain or last.grain else 0
    grown = _grown(last, value, at, seen, limit, grain)
    power = trail.power
    if grown.jumps > 1 and grown.pace > limit:
        # Not a jump, but how it always rises: the connector delivers more than we knew.
        power = grown.pace
    return Trail(
        (*kept, grown), power, trail.said, trail.anew, trail.at_inlet, trail.phases, trail.work
    )


def _of_all_phases(trail: Trail, item: Reading, seen: float) -> tuple[Trail, Reading | None]:
    """The register with the newest value of each phase, and the trail that it goes on from.

    Chargers tell the phases in a message each, and may tell their sum beside them. The phases of
    one moment are one value: the sum so far is replaced. None where the reading says nothing: a
    phase beside the total, or one from before.
    """
    at, lives = item.at.timestamp(), trail.lives
    if not item.phases:
        return _beside_total(trail, at), item
    is_near = bool(lives) and abs(at - lives[-1].last_at) <= TOGETHER.total_seconds()
    if lives and (not trail.phases or trail.phases[0].name == ""):
        since = float(trail.phases[0].wh) if trail.phases else 0.0
        goes_on = not is_near and _fits(lives[-1], item, at, seen)
        if is_near or not (goes_on or 0 < since < at - TOGETHER.total_seconds()):
            # A total is told beside them, unless it does not come again.
            since = since if is_near or since else at
            return replace(trail, phases=(Phase("", Decimal(str(since)), is_of_last=False),)), None
        trail = replace(trail, phases=())
    known, said = {phase.name: phase.wh for phase in trail.phases}, dict(item.phases)
    if lives and at < lives[-1].last_at - TOGETHER.total_seconds():
        return trail, item if known.keys() <= said.keys() else None
    now = {phase.name for phase in trail.phases if phase.is_of_last}
    more = {name: wh for name, wh in said.items() if name not in known}
    if known and more and lives:
        # A phase that was not told yet has been there from the beginning.
        lives = (*lives[:-1], _higher(lives[-1], total({**known, **more}) - total(known)))
    if is_near and now and now.isdisjoint(said):
        last = lives[-1]
        lives = (*lives[:-1], without_last(last)) if last.count > 1 else lives[:-1]
    else:
        now = set()
    newest = {**known, **said}
    now |= said.keys()
    phases = tuple(Phase(name, wh, name in now) for name, wh in newest.items())
    trail = replace(trail, lives=lives, phases=phases)
    grain = item.grain // len(item.phases) * len(newest)
    return trail, replace(item, value=total(newest), grain=grain)


def _beside_total(trail: Trail, at: float) -> Trail:
    """The trail to which a total is added, where there were phases."""
    if not trail.lives or trail.phases[0].name == "":
        return replace(trail, phases=_BESIDE)
    last = trail.lives[-1]
    if abs(at - last.last_at) > TOGETHER.total_seconds():
        return replace(trail, phases=())
    lives = trail.lives[:-1]
    if last.count > 1:
        lives = (*lives, without_last(last))
    return replace(trail, lives=lives, phases=_BESIDE)


def _higher(life: Life, wh: Decimal) -> Life:
    return replace(life, first=life.first + wh, before=life.before + wh, last=life.last + wh)


def _begun(item: Reading, at: float, seen: float) -> Life:
    value = item.value
    return Life(value, at, seen, value, at, value, at, seen, grain=item.grain)


def _shared(life: Life, value: Decimal, grain: int) -> int:
    """The grain of a life's values and this one.

    The value with the most digits shows how many they have, and 0 none. A value in Wh between such
    in kWh makes those no finer.
    """
    if not life.grain or not life.last:
        return grain
    return min(grain, life.grain) if grain and value else life.grain


def _grown(life: Life, value: Decimal, at: float, seen: float, limit: int, grain: int) -> Life:
    step = value - life.last
    is_fast = float(step) > most(max(at - life.last_at, seen - life.seen), limit) + grain
    return Life(
        life.first,
        life.first_at,
        life.first_seen,
        life.last,
        life.last_at,
        value,
        at,
        seen,
        life.count + 1,
        max(life.jump, step) if is_fast else life.jump,
        life.jumps + is_fast,
        life.gap,
        grain,
    )


def without_last(life: Life) -> Life:
    """The life as it was before its last value."""
    was_fast = life.jumps > 0 and life.last - life.before >= life.jump
    return replace(
        life,
        last=life.before,
        last_at=life.before_at,
        count=life.count - 1,
        jump=ZERO if was_fast else life.jump,
        jumps=life.jumps - was_fast,
    )


def _fits(life: Life, item: Reading, at: float, seen: float) -> bool:
    rise = float(item.value - life.last)
    if rise <= SLACK:
        return rise >= -ROUNDING or (life.grain > 0 and rise >= -life.off)
    return rise <= most(max(at - life.last_at, seen - life.seen), PACE) + max(
        life.grain, item.grain
    )


def _fits_before(life: Life, item: Reading, at: float, seen: float) -> bool:
    seconds = max(at - life.before_at, seen - life.seen)
    return -life.off <= item.value - life.before <= most(seconds, PACE) + life.grain


def was_a_slip(lives: Sequence[Life], item: Reading, seen: float) -> bool:
    """True if the value goes on from where the register was before the last one, which is alone.

    The 0 of a meter that did not answer, or a value far off. Where it goes on from the last one
    as well, the meter began anew, unless that one was 0, or the pace of before leads to the value
    and is far from leading there from the last one.
    """
    if len(lives) < 2 or lives[-1].count > 1:
        return False
    value, at = item.value, item.at.timestamp()
    if not _fits(lives[-2], item, at, seen):
        return False
    before, last = lives[-2], lives[-1]
    if last.last == 0 or not _fits(last, item, at, seen):
        return True
    if before.count < 3:
        return False
    usual = _usual(at - before.last_at, before.pace) + before.grain
    is_as_before = float(value - before.last) <= usual
    usual = _usual(at - last.last_at, before.pace) + before.grain
    return is_as_before and float(value - last.last) > usual


def _with_late(lives: tuple[Life, ...], value: Decimal, at: float, seen: float) -> tuple[Life, ...]:
    """A sample from before the last one moves nothing, but it may be the first."""
    first = lives[0]
    could = most(first.first_at - at, PACE) + first.grain
    if at >= first.first_at or not 0 <= first.first - value <= could:
        return lives
    seen = min(seen, first.first_seen)
    count = first.count + 1
    return (replace(first, first=value, first_at=at, first_seen=seen, count=count), *lives[1:])


def _some(lives: tuple[Life, ...]) -> tuple[Life, ...]:
    """No more than can make sense; the last stays."""
    if len(lives) <= LIVES:
        return lives
    fewest = min(range(len(lives) - 1), key=lambda number: lives[number].count)
    return (*lives[:fewest], *lives[fewest + 1 :])
