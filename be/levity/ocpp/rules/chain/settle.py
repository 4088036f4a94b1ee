"""Sessions of one connector held against each other: no Wh is billed twice, a lost end is found.

Walks through the claims in the order in which they began. Two that go on from each other lie in one
segment of the register; one that begins below the end of the one before has either begun a new
segment, or claims the same Wh: then the evidence says which of both is wrong, and where nothing
says it, both are doubted. The sum of what is billed never exceeds what the register moved.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.books import Own
from levity.ocpp.rules.chain.claims import Claim, in_order
from levity.ocpp.rules.chain.evidence import (
    could,
    goes_on_from_start,
    goes_on_with,
    has_stale_start,
    is_at_once,
    is_empty_again,
    is_proved,
    is_told_again,
)
from levity.ocpp.rules.chain.overlaps import begin_later, billed, in_wh, note, resolve
from levity.ocpp.rules.chain.words import (
    AFTER,
    BEFORE,
    CUT,
    ENDS_AT_NEXT,
    NEIGHBOURS,
    OF_THE_CHAIN,
    OVERLAPPED,
    STARTS_AT_LAST,
    TWICE,
)
from levity.ocpp.rules.checks import AGREES, BOUNDS, CONTRADICTS, SILENT, Check
from levity.ocpp.rules.lives import ROUNDING, SLACK, most
from levity.ocpp.rules.sampled import IMPLAUSIBLE, KILO
from levity_ws.frozen import frozen

__all__ = ["Settled", "settle", "settled_claims"]

ZERO = Decimal(0)
# By which part of it an estimate is off without a word.
PART = Decimal("0.02")
# High, medium, low.
_ORDER = {"high": 2, "medium": 1, "low": 0}


@frozen
class Settled:
    """What a session comes to with its neighbours."""

    session: RecordedSession
    own: Own
    wh: Decimal | None
    source: str
    confidence: str
    meter_stop: Decimal | None
    flags: tuple[str, ...]
    """All of the session's from now on."""
    checks: tuple[Check, ...]
    """Against its neighbours."""
    reason: str
    """Why it is other than its own figures, for people; empty if it isn't."""

    @property
    def is_other(self) -> bool:
        """True if the recorded figures are not these."""
        session = self.session
        return (
            (session.energy, session.energy_source, session.confidence)
            != (self.wh, self.source, self.confidence)
            or session.meter_stop != self.meter_stop
            or set(session.flags.split()) != set(self.flags)
        )


def settle(sessions: Sequence[RecordedSession], max_power: int) -> list[Settled]:
    """What these sessions of one connector come to, in the order in which they began.

    They may come in any order; `max_power` is what the connector can deliver, W. The first one's
    predecessor is not known: who leaves out older sessions must not believe what is said of it.
    """
    return [_figures(claim) for claim in settled_claims(sessions, max_power)]


def settled_claims(sessions: Sequence[RecordedSession], max_power: int) -> list[Claim]:
    """The same, as claims that no longer overlap."""
    claims = in_order(sessions)
    placed: list[Claim] = []
    follows = True
    for claim in claims:
        if claim.low is None or claim.high is None:
            claim.notes.append((BEFORE, SILENT, "its register can't be compared with others"))
            # Nobody knows what it has moved of what lies between its neighbours.
            follows = follows and claim.is_none
            continue
        if placed and is_empty_again(placed[-1], claim):
            claim.flags.add(TWICE)
            note(placed[-1], claim, BOUNDS, "one session, whose start was reported twice")
            continue
        if placed:
            _lay_beside(placed, claim, max_power, follows=follows)
        else:
            claim.notes.append((BEFORE, SILENT, "no session is known before this one"))
        placed.append(claim)
        follows = True
    return claims


def _lay_beside(placed: list[Claim], claim: Claim, max_power: int, *, follows: bool) -> None:
    """Hold this claim against the one before it, and against those that reach into it.

    `follows`: no other session lies in between.
    """
    before = placed[-1]
    assert claim.low is not None
    assert before.high is not None
    gap = claim.low - before.high
    slack = before.last.slack if before.last is not None else SLACK
    little = min(max(Decimal(slack), billed(before) * PART), billed(before))
    is_estimate = _is_estimate(before) and not is_told_again(before, claim)
    if 0 < -gap <= little and is_estimate:
        # Its end is only estimated, and the next start tells it better.
        before.cut -= gap
        before.high, gap = claim.low, ZERO
    elif is_estimate and gap < 0 and _is_bounded(before, claim):
        before.cut += min(-gap, billed(before))
        before.high, gap = claim.low, ZERO
        before.flags.add(ENDS_AT_NEXT)
    if gap >= -ROUNDING:
        if gap < 0 and not claim.is_fixed:
            # Rounded figures: the same Wh is not counted twice all the same.
            claim.cut += min(-gap, billed(claim)) if claim.is_whole else ZERO
            claim.low = before.high
            claim.high = claim.low if claim.high is None else max(claim.high, claim.low)
        _go_on(before, claim, gap, max_power, follows=follows)
        return
    if _is_of_the_meter(before, claim):
        begin_later(claim, before.high)
        claim.flags.add(NEIGHBOURS)
        note(before, claim, CONTRADICTS, "its samples go on from the one before, or count from 0")
        return
    if _is_proved_low(before, claim, max_power):
        assert before.own.meter_stop is not None
        stop = before.own.meter_stop
        last = placed[-2].high if len(placed) > 1 else None
        if last is not None and last <= stop:
            # It can have gone on from the session before: its start is of another meter.
            before.added += stop - last
            before.low, before.high = last, stop
            before.flags |= {STARTS_AT_LAST, NEIGHBOURS}
            note(before, claim, BOUNDS, f"the register went on at {in_wh(claim.low)}")
            return
        before.added += stop
        before.high, before.is_whole = stop, False
        before.flags.add(ENDS_AT_NEXT)
        note(before, claim, BOUNDS, f"the register began anew, and went on at {in_wh(claim.low)}")
        return
    if _is_anew(before, claim, max_power):
        if _may_go_on(before, claim, max_power):
            # What the register moved either way is its own; the rest nobody knows.
            begin_later(claim, before.high)
            claim.flags.add(NEIGHBOURS)
            note(before, claim, CONTRADICTS, "it began anew at 0, or its start is no reading")
            return
        note(before, claim, SILENT, "the register began anew in between")
        return
    if (
        claim.high is not None
        and claim.high <= (before.floor or ZERO)
        and not is_at_once(before, claim)
    ):
        note(before, claim, SILENT, "the register was set back in between")
        return
    resolve(placed, claim, max_power)


def _is_proved_low(before: Claim, claim: Claim, max_power: int) -> bool:
    """True if the Stop below the Start was right, for the next session goes on from there: the
    register began anew in the session, and what it showed in the end was charged since."""
    stop, ended = before.own.meter_stop, before.ended
    if before.own.wh or stop is None or claim.low is None or ended is None or before.is_fixed:
        return False
    if before.session.state != "stopped" or stop <= 0 or abs(claim.low - stop) > ROUNDING:
        return False
    start = before.session.meter_start
    is_below = (
        start is not None and before.low is not None and stop < min(start, before.low) - ROUNDING
    )
    return is_below and float(stop) <= most(ended - before.begun, max_power)


def _is_bounded(before: Claim, claim: Claim) -> bool:
    """True if the samples of the one before count from its start, and show how much, but not where
    on the meter's register: without a Stop it has ended where this one began at the latest."""
    if not before.by_session or before.low is None or claim.low is None:
        return False
    return before.low + ROUNDING < claim.low and not has_stale_start(before, claim)


def _is_of_the_meter(before: Claim, claim: Claim) -> bool:
    """True if this one was thought to count from its start, for its Start fits neither its Stop nor
    a sample, and the register of the one before may have gone on in it all the same."""
    if not claim.by_session or before.by_session or claim.low != 0 or claim.first is None:
        return False
    start = claim.session.meter_start
    if claim.is_fixed or start is None or start <= SLACK:
        return False
    assert before.high is not None
    return claim.high is not None and before.high - ROUNDING <= claim.first.first <= claim.high


def _is_estimate(before: Claim) -> bool:
    """True if no Stop tells where it ended."""
    return not before.has_end and not before.is_fixed and before.session.state != "active"


def _is_anew(before: Claim, claim: Claim, max_power: int) -> bool:
    """True if the register can have begun at 0 since the session before ended, and have counted to
    where this one begins."""
    assert claim.low is not None
    if is_at_once(before, claim):
        return False
    if claim.low <= ROUNDING:
        return not _is_out_of_reach(before, claim, max_power)
    since = before.ended if before.ended is not None else before.seen
    can_be = float(claim.low) <= most(claim.begun - since, max_power)
    if not can_be:
        return False
    # A register with a long life does not happen to stand just there.
    floor = before.floor
    return floor is None or claim.low < floor - ROUNDING or floor <= KILO


def _may_go_on(before: Claim, claim: Claim, max_power: int) -> bool:
    """True if this session, which begins at 0, ends where it would if the register of the one
    before had gone on: nothing tells whether it began anew or its meter did not answer at first.

    Not where samples show how it rose, nor where that register was young.
    """
    low, high, ended = claim.low, claim.high, claim.ended
    if low is None or high is None or ended is None or claim.first is not None or low > ROUNDING:
        return False
    if before.high is None or (before.floor or ZERO) <= KILO or high < before.high:
        return False
    return float(high - before.high) <= most(ended - claim.begun, max_power)


def _is_out_of_reach(before: Claim, claim: Claim, max_power: int) -> bool:
    """True if no power leads from this session's start to its end, which goes on from the session
    before: the 0 at its start is of a meter that did not answer."""
    if IMPLAUSIBLE not in claim.session.flags.split() or claim.ended is None:
        return False
    assert claim.low is not None
    if claim.high is None or before.high is None or claim.high < before.high - ROUNDING:
        return False
    seconds = claim.ended - claim.begun
    return (
        float(claim.high - before.high) <= most(seconds, max_power) < float(claim.high - claim.low)
    )


def _go_on(before: Claim, claim: Claim, gap: Decimal, max_power: int, *, follows: bool) -> None:
    """They follow from each other, with a gap in between, or none."""
    assert claim.low is not None
    assert before.high is not None
    if gap <= SLACK:
        note(before, claim, AGREES, f"the register went on at {in_wh(claim.low)}")
        if gap > 0 and follows:
            _bound(before, claim, gap, max_power, quietly=True)
        return
    seconds = claim.begun - min(before.seen, before.ended or before.seen)
    if float(gap) > most(seconds, max_power) and float(gap) > KILO:
        ended, begun = is_proved(before, max_power), goes_on_from_start(claim)
        detail = f"{in_wh(gap)} more than can have flowed in between"
        if ended and begun:
            detail += ": another meter, as the samples of both show"
        # Whose own samples lead to where it ends, or begins, is not doubted for the other's sake.
        before.notes.append((AFTER, BOUNDS if ended else CONTRADICTS, detail))
        claim.notes.append((BEFORE, BOUNDS if begun else CONTRADICTS, detail))
        return
    if not (follows and _bound(before, claim, gap, max_power)):
        note(before, claim, BOUNDS, f"{in_wh(gap)} in between belong to no session")


def _bound(
    before: Claim, claim: Claim, gap: Decimal, max_power: int, *, quietly: bool = False
) -> bool:
    """A lost Stop ends where the next one starts, a lost Start begins where the last one stopped,
    if the energy can have flowed there; True if the gap is given to one of both."""
    if not before.has_end and not before.is_fixed and before.ended is not None:
        until = claim.begun
        if before.session.state == "stopped" and not before.has_end:
            until = min(until, before.ended)
        seconds = max(until - before.seen, 0.0)
        if float(gap) <= could(before, seconds, max_power) and goes_on_with(before, claim):
            before.flags.add(TWICE)
            claim.added += gap if claim.is_whole else ZERO
            claim.low = before.high
            claim.flags.add(STARTS_AT_LAST)
            note(before, claim, BOUNDS, "one session, whose start was reported twice")
            return True
        if float(gap) <= could(before, seconds, max_power):
            before.added += gap
            before.high = claim.low
            before.flags.add(ENDS_AT_NEXT)
            if not quietly:
                note(before, claim, BOUNDS, f"the next start shows {in_wh(gap)} more")
            return True
    first = claim.first
    if not claim.has_start and not claim.is_fixed and first is not None:
        seconds = claim.first_at - claim.begun
        if before.has_end and float(gap) <= could(claim, seconds, max_power):
            claim.added += gap
            claim.low = before.high
            claim.flags.add(STARTS_AT_LAST)
            if not quietly:
                note(before, claim, BOUNDS, f"the last stop shows {in_wh(gap)} more")
            return True
    return False


def _figures(claim: Claim) -> Settled:
    session, own = claim.session, claim.own
    checks = tuple(Check(*note) for note in claim.notes)
    kept = [flag for flag in session.flags.split() if flag not in OF_THE_CHAIN]
    if session.state == "active" or claim.is_fixed:
        return Settled(
            session,
            own,
            session.energy,
            session.energy_source,
            session.confidence,
            session.meter_stop,
            tuple(session.flags.split()),
            checks,
            "",
        )
    flags = (*kept, *(flag for flag in OF_THE_CHAIN if flag in claim.flags))
    wh = own.wh
    if wh is not None and (claim.cut or claim.added):
        wh = max(wh + claim.added - claim.cut, ZERO)
    if wh is not None and claim.is_whole and claim.low is not None and claim.high is not None:
        # What it has of the register is all that it can have charged.
        wh = min(wh, max(claim.high - claim.low, ZERO))
    source = own.source if own.source != "none" or not claim.added else "registers"
    return Settled(
        session,
        own,
        wh,
        source,
        _confidence(claim),
        _meter_stop(claim),
        flags,
        checks,
        " ".join(_reasons(claim)),
    )


def _meter_stop(claim: Claim) -> Decimal | None:
    """Where it ends now, if it has no end of its own."""
    own = claim.own
    if claim.session.state == "stopped" or ENDS_AT_NEXT not in claim.flags:
        return own.meter_stop
    return None if claim.high is None else claim.high / claim.factor


def _confidence(claim: Claim) -> str:
    """The least of what it is by itself, and by its neighbours."""
    own = claim.own.confidence
    most_ = "high"
    if claim.flags & {CUT, OVERLAPPED, ENDS_AT_NEXT, STARTS_AT_LAST}:
        most_ = "medium"
    if claim.flags & {NEIGHBOURS, TWICE}:
        most_ = "low"
    elif any(verdict == CONTRADICTS for _, verdict, _ in claim.notes):
        most_ = "medium"
    return min(own, most_, key=lambda word: _ORDER.get(word, 0)) if own else own


def _reasons(claim: Claim) -> Iterator[str]:
    if TWICE in claim.flags:
        yield "Its start was told twice: the next session has its energy."
    if CUT in claim.flags and claim.cut:
        yield f"{in_wh(claim.cut)} are the next session's: cut at its start."
    elif ENDS_AT_NEXT in claim.flags and claim.cut:
        yield f"The next start shows {in_wh(claim.cut)} less."
    if STARTS_AT_LAST in claim.flags and claim.cut:
        yield f"{in_wh(claim.cut)} are the session's before: counted from its stop."
    if ENDS_AT_NEXT in claim.flags and claim.added:
        yield f"The next start shows {in_wh(claim.added)} more."
    if STARTS_AT_LAST in claim.flags and claim.added:
        yield f"The stop before shows {in_wh(claim.added)} more."
