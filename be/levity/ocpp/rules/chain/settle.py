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
from levity.ocpp.rules.checks import AGREES, BOUNDS, CONTRADICTS, SILENT, Check
from levity.ocpp.rules.lives import ROUNDING, SLACK, most
from levity.ocpp.rules.sampled import KILO
from levity_ws.frozen import frozen

__all__ = [
    "AFTER",
    "BEFORE",
    "CUT",
    "ENDS_AT_NEXT",
    "NEIGHBOURS",
    "OF_THE_CHAIN",
    "OVERLAPPED",
    "STARTS_AT_LAST",
    "Settled",
    "settle",
    "settled_claims",
]

BEFORE, AFTER = "before", "after"
"""The kinds of checks: against the session before, and the one after, on the connector."""
CUT = "overlaps-next"
OVERLAPPED = "overlaps-previous"
ENDS_AT_NEXT = "ends-at-next-start"
STARTS_AT_LAST = "starts-at-last-stop"
NEIGHBOURS = "neighbours-disagree"
TWICE = "started-again"
OF_THE_CHAIN = (CUT, OVERLAPPED, ENDS_AT_NEXT, STARTS_AT_LAST, NEIGHBOURS, TWICE)
"""The flags that are found anew each time."""
ZERO = Decimal(0)
# Seconds by which clocks differ without a word.
CLOCKS = 300
# W that flow at least while a car charges: what a pace is taken for that can't be told.
LEAST_PACE = 1380
# Seconds within which a start is told again with another time.
AGAIN = 900
# By how much more than it did a car may have charged where nobody looked.
FASTER = 1.25
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
    for claim in claims:
        before = placed[-1] if placed else None
        if before is None:
            claim.notes.append((BEFORE, SILENT, "no session is known before this one"))
        else:
            _lay_beside(placed, claim, max_power)
        placed.append(claim)
    return claims


def _lay_beside(placed: list[Claim], claim: Claim, max_power: int) -> None:
    """Hold this claim against the one before it, and against those that reach into it."""
    before = placed[-1]
    if claim.low is None or before.high is None:
        _note(before, claim, SILENT, "their registers can't be compared")
        return
    gap = claim.low - before.high
    if gap >= -ROUNDING:
        if gap < 0 and not claim.is_fixed:
            # Rounded figures: the same Wh is not counted twice all the same.
            claim.cut += min(-gap, _billed(claim)) if claim.is_whole else ZERO
            claim.low = before.high
            claim.high = claim.low if claim.high is None else max(claim.high, claim.low)
        _go_on(before, claim, gap, max_power)
        return
    if _is_anew(before, claim, max_power):
        _note(before, claim, SILENT, "the register began anew in between")
        return
    if (
        claim.high is not None
        and claim.high <= (before.low or ZERO)
        and not _is_at_once(before, claim)
    ):
        _note(before, claim, SILENT, "the register was set back in between")
        return
    _resolve(placed, claim, max_power)


def _is_at_once(before: Claim, claim: Claim) -> bool:
    """True if the one before was not over yet, by its own end, when this one began.

    By both clocks: a backlog is late by ours, and the charger's may be hours behind for a while.
    """
    if before.ended is None:
        return True
    if before.ended <= claim.begun + CLOCKS:
        return False
    (begun, _), (_, ended) = claim.span_of_ours, before.span_of_ours
    return ended is None or ended > begun


def _is_anew(before: Claim, claim: Claim, max_power: int) -> bool:
    """True if the register can have begun at 0 since the session before ended, and have counted to
    where this one begins."""
    assert claim.low is not None
    if _is_at_once(before, claim):
        return False
    if claim.low <= ROUNDING:
        return True
    since = before.ended if before.ended is not None else before.seen
    can_be = float(claim.low) <= most(claim.begun - since, max_power)
    if not can_be:
        return False
    # A register with a long life does not happen to stand just there.
    return before.low is None or claim.low < before.low - ROUNDING or before.low <= KILO


def _go_on(before: Claim, claim: Claim, gap: Decimal, max_power: int) -> None:
    """They follow from each other, with a gap in between, or none."""
    assert claim.low is not None
    assert before.high is not None
    if gap <= SLACK:
        _note(before, claim, AGREES, f"the register went on at {_wh(claim.low)}")
        if gap > 0:
            _bound(before, claim, gap, max_power, quietly=True)
        return
    seconds = claim.begun - min(before.seen, before.ended or before.seen)
    if float(gap) > most(seconds, max_power) and float(gap) > KILO:
        ended, begun = _is_proved(before, max_power), _goes_on_from_start(claim)
        detail = f"{_wh(gap)} more than can have flowed in between"
        if ended and begun:
            detail += ": another meter, as the samples of both show"
        # Whose own samples lead to where it ends, or begins, is not doubted for the other's sake.
        before.notes.append((AFTER, BOUNDS if ended else CONTRADICTS, detail))
        claim.notes.append((BEFORE, BOUNDS if begun else CONTRADICTS, detail))
        return
    if not _bound(before, claim, gap, max_power):
        _note(before, claim, BOUNDS, f"{_wh(gap)} in between belong to no session")


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
        if float(gap) <= _could(before, seconds, max_power):
            before.added += gap
            before.high = claim.low
            before.flags.add(ENDS_AT_NEXT)
            if not quietly:
                _note(before, claim, BOUNDS, f"the next start shows {_wh(gap)} more")
            return True
    first = claim.first
    if not claim.has_start and not claim.is_fixed and first is not None:
        seconds = claim.first_at - claim.begun
        if before.has_end and float(gap) <= _could(claim, seconds, max_power):
            claim.added += gap
            claim.low = before.high
            claim.flags.add(STARTS_AT_LAST)
            if not quietly:
                _note(before, claim, BOUNDS, f"the last stop shows {_wh(gap)} more")
            return True
    return False


def _could(claim: Claim, seconds: float, max_power: int) -> float:
    """Wh that this session can have charged in a time of which it tells nothing, by its pace."""
    pace = 0.0
    for life in claim.trail.lives:
        pace = max(pace, float(life.pace))
    pace = max(pace * FASTER, float(claim.trail.power), float(LEAST_PACE)) if pace else max_power
    return most(seconds, min(int(pace), max_power))


def _resolve(placed: list[Claim], claim: Claim, max_power: int) -> None:
    """Both claim the same Wh: who is wrong?"""
    before = placed[-1]
    assert claim.low is not None
    assert before.high is not None
    twice = before.high - claim.low
    if claim.is_fixed and before.is_fixed:
        _differ(before, claim, f"both claim {_wh(twice)}, as people decided")
        return
    at_once, reached = _is_at_once(before, claim), _is_proved(before, max_power)
    if _is_told_again(before, claim):
        _cut_end(before, _billed(before))
        before.high = before.low
        before.flags.add(TWICE)
        _note(before, claim, BOUNDS, "one session, of which the start was told twice")
        return
    if reached and not at_once and _goes_on_from_start(claim):
        _note(before, claim, BOUNDS, "the samples of both show it: another meter in between")
        return
    is_stale = not claim.is_fixed and _has_stale_start(before, claim)
    is_unproved = not claim.is_fixed and reached and not at_once
    if before.is_fixed or is_unproved or (is_stale and (reached or not at_once)):
        _begin_later(claim, before.high)
        _note(before, claim, BOUNDS, f"it began {_wh(twice)} later than its start says")
        if not is_stale:
            claim.flags.add(NEIGHBOURS)
        return
    low = claim.low
    for other in reversed(placed):
        if other.high is None or other.high <= low:
            break
        if other.is_fixed:
            _begin_later(claim, other.high)
            claim.flags.add(NEIGHBOURS)
            break
        if other.low is not None and other.low > low and other.is_whole:
            # All of it lies above the start of the one after.
            _cut_end(other, _billed(other))
        else:
            _cut_end(other, other.high - low)
        other.high = min(other.high, max(low, other.low or low))
        other.flags.add(CUT)
    detail = f"{_wh(twice)} are the next session's as well"
    last = before.last
    if at_once and (last is None or last.last <= low + ROUNDING):
        # Its samples end before the next one's start: only its Stop reaches into it.
        _note(before, claim, BOUNDS, detail)
        claim.flags.add(OVERLAPPED)
        return
    before.flags.add(NEIGHBOURS)
    claim.flags.add(NEIGHBOURS)
    _differ(before, claim, detail)


def _is_told_again(before: Claim, claim: Claim) -> bool:
    """True if this is the start of the one before, with another time: nobody told that one's end,
    and all else is the same."""
    if before.session.state != "orphaned" or before.low is None or claim.low is None:
        return False
    return (
        before.session.id_tag.lower() == claim.session.id_tag.lower()
        and abs(before.low - claim.low) <= ROUNDING
        and claim.begun - before.begun <= AGAIN
        and not before.is_fixed
    )


def _goes_on_from_start(claim: Claim) -> bool:
    """True if several samples of its own go on from its start."""
    first = claim.first
    if first is None or claim.low is None or first.count < 2 or not claim.has_start:
        return False
    lead = float(first.first - claim.low)
    seconds = claim.first_at - claim.begun
    return -ROUNDING <= lead <= most(seconds, max(int(first.pace * FASTER), LEAST_PACE))


def _has_stale_start(before: Claim, claim: Claim) -> bool:
    """True if this one's start is a register of some time before: it is where the session before
    began, or its own samples go on from where that one ended."""
    assert claim.low is not None
    assert before.high is not None
    if claim.high is not None and claim.high < before.high - ROUNDING:
        return False
    if before.low is not None and abs(claim.low - before.low) <= ROUNDING:
        return True
    first = claim.first
    if first is None or first.first < before.high - ROUNDING or first.pace <= 0:
        return False
    seconds = claim.first_at - claim.begun
    lead = float(first.first - claim.low)
    return lead > most(seconds, max(int(first.pace * FASTER), LEAST_PACE))


def _is_proved(claim: Claim, max_power: int) -> bool:
    """True if its own samples lead to its end."""
    last = claim.last
    if last is None or claim.high is None or claim.ended is None or last.count < 2:
        return False
    rest = float(claim.high - last.last)
    return rest <= _could(claim, max(claim.ended - claim.seen, 0.0), max_power)


def _begin_later(claim: Claim, low: Decimal) -> None:
    """It begins at this register; what lies before is not its own."""
    assert claim.low is not None
    later = low - claim.low
    if claim.is_whole:
        claim.cut += min(later, _billed(claim))
    claim.low = low
    if claim.high is not None and claim.high < low:
        claim.high = low
    claim.flags.add(STARTS_AT_LAST)


def _cut_end(claim: Claim, wh: Decimal) -> None:
    claim.cut += min(wh, _billed(claim))
    if claim.high is not None:
        claim.high -= wh


def _billed(claim: Claim) -> Decimal:
    """Wh that are its own as far as it is settled."""
    return max((claim.own.wh or ZERO) + claim.added - claim.cut, ZERO)


def _differ(before: Claim, claim: Claim, detail: str) -> None:
    _note(before, claim, CONTRADICTS, detail)


def _note(before: Claim, claim: Claim, verdict: str, detail: str) -> None:
    before.notes.append((AFTER, verdict, detail))
    claim.notes.append((BEFORE, verdict, detail))


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
        yield f"{_wh(claim.cut)} are the next session's: cut at its start."
    if STARTS_AT_LAST in claim.flags and claim.cut:
        yield f"{_wh(claim.cut)} are the session's before: counted from its stop."
    if ENDS_AT_NEXT in claim.flags and claim.added:
        yield f"The next start shows {_wh(claim.added)} more."
    if STARTS_AT_LAST in claim.flags and claim.added:
        yield f"The stop before shows {_wh(claim.added)} more."


def _wh(wh: Decimal) -> str:
    return f"{wh:,.0f} Wh"
