"""Two sessions of a connector claim the same Wh: who is wrong, and what is left to whom."""

from decimal import Decimal

from levity.ocpp.rules.chain.claims import Claim
from levity.ocpp.rules.chain.evidence import (
    goes_on_from_start,
    has_stale_start,
    is_at_once,
    is_proved,
    is_told_again,
    overlaps_in_time,
)
from levity.ocpp.rules.chain.words import (
    AFTER,
    BEFORE,
    CUT,
    NEIGHBOURS,
    OVERLAPPED,
    STARTS_AT_LAST,
    TWICE,
)
from levity.ocpp.rules.checks import BOUNDS, CONTRADICTS

__all__ = ["begin_later", "billed", "in_wh", "note", "resolve"]

ZERO = Decimal(0)


def resolve(placed: list[Claim], claim: Claim, max_power: int) -> None:
    """Both claim the same Wh: who is wrong?"""
    before = placed[-1]
    assert claim.low is not None
    assert before.high is not None
    twice = before.high - claim.low
    if claim.is_fixed and before.is_fixed:
        _differ(before, claim, f"both claim {in_wh(twice)}, as people decided")
        return
    at_once, reached = is_at_once(before, claim), is_proved(before, max_power)
    if is_told_again(before, claim):
        _cut_end(before, billed(before))
        before.high = before.low
        before.flags.add(TWICE)
        note(before, claim, BOUNDS, "one session, whose start was reported twice")
        return
    is_shown = reached and not at_once and goes_on_from_start(claim)
    overlapping = overlaps_in_time(before, claim)
    is_stale = not claim.is_fixed and has_stale_start(before, claim)
    if is_shown and not overlapping and not is_stale:
        note(before, claim, BOUNDS, "the samples of both show it: another meter in between")
        return
    is_unproved = not claim.is_fixed and reached and not at_once and not is_shown
    if before.is_fixed or is_unproved or (is_stale and (reached or not at_once)):
        begin_later(claim, before.high)
        note(before, claim, BOUNDS, f"it began {in_wh(twice)} later than its start says")
        if not is_stale:
            claim.flags.add(NEIGHBOURS)
        return
    low = claim.low
    for other in reversed(placed):
        if other.high is None or other.high <= low:
            break
        if other.is_fixed:
            begin_later(claim, other.high)
            claim.flags.add(NEIGHBOURS)
            break
        if other.low is not None and other.low > low and other.is_whole:
            # All of it lies above the start of the one after.
            _cut_end(other, billed(other))
        else:
            _cut_end(other, other.high - low)
        other.high = min(other.high, max(low, other.low or low))
        other.flags.add(CUT)
    detail = f"{in_wh(twice)} are the next session's as well"
    last = before.last
    is_shown = is_shown or (not reached and goes_on_from_start(claim))
    if is_shown or (at_once and (last is None or last.last <= low + last.off)):
        # Its samples end before the next one's start: only its Stop reaches into it; or the next
        # one's own samples show where it began.
        note(before, claim, BOUNDS, detail)
        claim.flags.add(OVERLAPPED)
        return
    before.flags.add(NEIGHBOURS)
    claim.flags.add(NEIGHBOURS)
    _differ(before, claim, detail)


def begin_later(claim: Claim, low: Decimal) -> None:
    """It begins at this register; what lies before is not its own."""
    assert claim.low is not None
    later = low - claim.low
    if claim.is_whole:
        claim.cut += min(later, billed(claim))
    claim.low = low
    if claim.high is not None and claim.high < low:
        claim.high = low
    claim.flags.add(STARTS_AT_LAST)


def _cut_end(claim: Claim, wh: Decimal) -> None:
    claim.cut += min(wh, billed(claim))
    if claim.high is not None:
        claim.high -= wh


def billed(claim: Claim) -> Decimal:
    """Wh that are its own as far as it is settled."""
    return max((claim.own.wh or ZERO) + claim.added - claim.cut, ZERO)


def _differ(before: Claim, claim: Claim, detail: str) -> None:
    note(before, claim, CONTRADICTS, detail)


def note(before: Claim, claim: Claim, verdict: str, detail: str) -> None:
    before.notes.append((AFTER, verdict, detail))
    claim.notes.append((BEFORE, verdict, detail))


def in_wh(wh: Decimal) -> str:
    return f"{wh:,.0f} Wh"
