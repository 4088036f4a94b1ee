"""A session judged again, alone: its samples through the rules as they are today.

What its charger told is taken in the order in which it came. What nobody knows any more is taken
from what is recorded: when the charger booted, and what samples showed that are forgotten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from levity.ocpp.chargers.clocks import AHEAD
from levity.ocpp.effects import Sample
from levity.ocpp.request import RecordedSession, with_flags, without_flags
from levity.ocpp.rules.booted import BOOTED
from levity.ocpp.rules.chain.books import Own, checks_of, own_of, written
from levity.ocpp.rules.chain.words import OF_THE_CHAIN
from levity.ocpp.rules.energy import of_stop
from levity.ocpp.rules.figures import Energy
from levity.ocpp.rules.lives import NO_TRAIL, Trail
from levity.ocpp.rules.lives import written as lives_text
from levity.ocpp.rules.powered import power_of
from levity.ocpp.rules.readings import registers
from levity.ocpp.rules.sampled import (
    OF_THE_METER,
    RESET,
    SESSION,
    Meter,
    charged,
    grown,
    trail_of,
    with_odd,
)
from levity.ocpp.rules.unended import last_of, without_stop
from levity.ocpp.rules.weighing import OF_THE_STOP
from levity_ws.frozen import frozen

__all__ = ["MILLI", "Told", "judged_again", "with_confidence"]

MILLI = Decimal("0.001")
"""Wh: figures are recorded so exactly."""
DOUBTS = frozenset({"charging-after-stop", "ids-may-be-swapped", "stopped-again"})
"""Flags of what messages of later, or of other sessions, have shown."""
# A little before the end.
_BEFORE = timedelta(seconds=1)


@frozen
class Told:
    """The samples of one message."""

    received_at: datetime
    samples: tuple[Sample, ...]


def judged_again(session: RecordedSession, told: Sequence[Told], meter: Meter) -> RecordedSession:
    """This session, which has ended, with the figures that it comes to by itself today.

    `told` is what is kept of its samples, in the order in which it came; `meter` is what is known
    of the meter now. Its neighbours are left to `chain.settle`.
    """
    running = replace(
        session,
        state="active",
        flags=without_flags(session.flags, *OF_THE_METER, *OF_THE_STOP, *OF_THE_CHAIN),
        energy=None,
    )
    before, ends = _in_turn(session, told)
    trail = _trail(session, running, before, meter)
    # It may have got another firmware, and with that other quirks, since.
    was_by_session = SESSION in session.flags.split()
    was_doubted = BOOTED in session.flags.split()
    meter = replace(meter, is_volatile=was_doubted)
    found = [
        _judged(session, running, trail, ends, replace(meter, booted_at=at, by_session=by_session))
        for by_session in dict.fromkeys((meter.by_session, meter.by_session or was_by_session))
        for at in _boots(session, trail, meter)
    ]
    if not was_doubted:
        # (The boots that are tried here are no more than possible.)
        found = [item for item in found if BOOTED not in item.flags.split()]
    same = next((item for item in found if _says_the_same(item, session)), None)
    return same or _no_surer(found[0], session)


def _has_stop(session: RecordedSession) -> bool:
    """True if its charger told its end."""
    is_told = session.state == "stopped" and "no-meter-stop" not in session.flags.split()
    return is_told and session.meter_stop is not None


def _in_turn(
    session: RecordedSession, told: Sequence[Told]
) -> tuple[Sequence[Told], tuple[Sample, ...]]:
    """The messages up to the session's end, and the samples of its StopTransaction."""
    ended = session.stop_received_at
    if not _has_stop(session) or ended is None:
        return told, ()
    begun = session.start_received_at if "stop-came-first" in session.flags.split() else None
    before = [
        item
        for item in told
        if item.received_at < ended and (begun is None or item.received_at >= begun)
    ]
    ends = [sample for item in told if item.received_at == ended for sample in item.samples]
    if "samples-after-stop" in session.flags.split() and session.stopped_at is not None:
        # The present was told before its end, and went to it while its backlog came.
        before = [_until(session.stopped_at + AHEAD, item) for item in before]
    return before, tuple(ends)


def _until(at: datetime, told: Told) -> Told:
    """The same without what was sampled after this time."""
    return replace(told, samples=tuple(item for item in told.samples if item.sampled_at <= at))


def _trail(
    session: RecordedSession, running: RecordedSession, told: Sequence[Told], meter: Meter
) -> Trail:
    """What its samples have shown; as it is recorded where some of them are forgotten."""
    recorded = trail_of(session)
    trail, count = Trail(anew=recorded.anew), 0
    unbooted = replace(meter, booted_at=None)
    for item in told:
        readings, (power, flows) = registers(item.samples), power_of(item.samples)
        trail = grown(running, trail, readings, item.received_at, unbooted, power, flows)
        count += len(readings)
    is_whole = count >= sum(life.count for life in recorded.lives)
    return trail if is_whole and told else recorded


def _boots(session: RecordedSession, trail: Trail, meter: Meter) -> Iterator[datetime | None]:
    """When its charger may have booted: as far as that is known, and each time that makes a
    difference."""
    booted, ended = meter.booted_at, session.stop_received_at
    is_known = booted is not None and (ended is None or booted <= ended)
    yield booted if is_known else None
    yield None
    for life in trail.lives[1:]:
        yield datetime.fromtimestamp(life.first_seen, UTC)
    if ended is not None and _has_stop(session):
        yield ended - _BEFORE


def _judged(
    session: RecordedSession,
    running: RecordedSession,
    trail: Trail,
    ends: tuple[Sample, ...],
    meter: Meter,
) -> RecordedSession:
    last = trail.lives[-1] if trail.lives else None
    state = replace(
        running,
        lives=lives_text(trail) if trail != NO_TRAIL else session.lives,
        meter_last=last.last if last else None,
        meter_last_at=datetime.fromtimestamp(last.last_at, UTC) if last else None,
    )
    if _has_stop(session):
        found, meter_stop = _at_its_stop(session, state, ends, meter), session.meter_stop
        flags = with_flags(state.flags, found.flags)
    else:
        rise = charged(state, trail, meter) if last else None
        flags = with_odd(state.flags, rise.odd if rise else ())
        state = replace(state, energy=rise.wh if rise else None, flags=" ".join(flags))
        found = without_stop(state)
        meter_stop = last_of(state, found)
    own = Own(found.wh.quantize(MILLI), found.source, found.confidence, meter_stop)
    return replace(
        session,
        energy=own.wh,
        energy_source=own.source,
        confidence=own.confidence,
        meter_stop=meter_stop,
        flags=" ".join(flags),
        lives=state.lives,
        meter_last=state.meter_last,
        meter_last_at=state.meter_last_at,
        checks=written(own, found.checks or checks_of(session.checks)),
    )


def _at_its_stop(
    session: RecordedSession, state: RecordedSession, ends: tuple[Sample, ...], meter: Meter
) -> Energy:
    """By the end that its charger told; never `high` where another message spoke against it."""
    assert session.meter_stop is not None
    stopped_at = session.stopped_at or session.started_at
    received_at = session.stop_received_at or stopped_at
    found = of_stop(state, session.meter_stop, ends, stopped_at, received_at, meter)
    names = {flag.partition(":")[0] for flag in session.flags.split()}
    if names & DOUBTS and found.confidence == "high":
        found = replace(found, confidence="medium", checks=checks_of(session.checks))
    return found


def _no_surer(item: RecordedSession, session: RecordedSession) -> RecordedSession:
    """With no more confidence than is recorded, where all else is the same: another message may
    have shown a reason to doubt it."""
    ours, recorded = own_of(item), own_of(session)
    is_same = (_milli(ours.wh), ours.source) == (_milli(recorded.wh), recorded.source)
    flags = {flag for flag in session.flags.split() if flag not in OF_THE_CHAIN}
    less = ("low", "medium", "high")
    if not is_same or flags != set(item.flags.split()) or recorded.confidence not in less:
        return item
    if less.index(recorded.confidence) >= less.index(ours.confidence):
        return item
    return with_confidence(item, recorded.confidence, session.checks)


def with_confidence(item: RecordedSession, confidence: str, checks: str) -> RecordedSession:
    """The same with this confidence, and with the checks in this text."""
    own = replace(own_of(item), confidence=confidence)
    return replace(item, confidence=confidence, checks=written(own, checks_of(checks)))


def _says_the_same(item: RecordedSession, session: RecordedSession) -> bool:
    ours, recorded = own_of(item), own_of(session)
    return (
        _milli(ours.wh) == _milli(recorded.wh)
        and (ours.source, ours.confidence) == (recorded.source, recorded.confidence)
        and (RESET in item.flags.split()) == (RESET in session.flags.split())
    )


def _milli(wh: Decimal | None) -> Decimal | None:
    return None if wh is None else wh.quantize(MILLI)
