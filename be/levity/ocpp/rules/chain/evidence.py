"""What the samples and clocks of two neighbours say of where one ended and the other began."""

from levity.ocpp.rules.chain.claims import Claim
from levity.ocpp.rules.lives import LEAST_PACE, ROUNDING, is_wild, most
from levity.ocpp.rules.trail import SECONDS_PER_HOUR
from levity.ocpp.rules.weighing import FAR_STOP

__all__ = [
    "could",
    "goes_on_from_start",
    "goes_on_with",
    "has_stale_start",
    "is_at_once",
    "is_empty_again",
    "is_proved",
    "is_told_again",
    "overlaps_in_time",
]

# Seconds by which clocks differ without a word.
CLOCKS = 300
# Seconds within which a start is told again with another time.
AGAIN = 900
# By how much more than it did a car may have charged where nobody looked.
FASTER = 1.25
# By how many times one of two starts has to fit better.
BETTER = 3


def is_at_once(before: Claim, claim: Claim) -> bool:
    """True if the one before was not over yet, by its own end, when this one began.

    By both clocks: a backlog is late by ours, and the charger's may be hours behind for a while.
    """
    if not overlaps_in_time(before, claim):
        return False
    if before.ended is None:
        return True
    (begun, _), (_, ended) = claim.span_of_ours, before.span_of_ours
    return ended is None or ended > begun


def overlaps_in_time(before: Claim, claim: Claim) -> bool:
    """The same, by the clock that they are laid by alone."""
    return before.ended is None or before.ended > claim.begun + CLOCKS


def could(claim: Claim, seconds: float, max_power: int) -> float:
    """Wh that this session can have charged in a time of which it tells nothing, by its pace."""
    pace = 0.0
    for life in claim.trail.lives:
        pace = max(pace, float(life.pace))
    pace = max(pace * FASTER, float(claim.trail.power), float(LEAST_PACE)) if pace else max_power
    return most(seconds, min(int(pace), max_power))


def is_proved(claim: Claim, max_power: int) -> bool:
    """True if its own samples lead to its end, on the register that others go on from."""
    last = claim.last
    if last is None or claim.high is None or claim.ended is None or last.count < 2:
        return False
    if (claim.by_session and not claim.has_end) or FAR_STOP in claim.session.flags.split():
        return False
    if last.count > 2 and is_wild(last):
        return False
    rest = float(claim.high - last.last)
    return rest <= last.grain + could(claim, max(claim.ended - claim.seen, 0.0), max_power)


def is_told_again(before: Claim, claim: Claim) -> bool:
    """True if this is the start of the one before, with another time: nobody told that one's end,
    and all else is the same."""
    if before.session.state != "orphaned":
        return False
    return _begins_alike(before, claim)


def is_empty_again(before: Claim, claim: Claim) -> bool:
    """True if the charger went on with the one before after it had told its start again: this one
    has charged nothing."""
    return (
        claim.session.state == "orphaned"
        and claim.low == claim.high
        and not claim.is_fixed
        and before.high != before.low
        and _begins_alike(before, claim)
    )


def goes_on_with(before: Claim, claim: Claim) -> bool:
    """True if the one before is a start of which nothing was heard again, told a moment ago with
    the same tag: its car is charged in this one."""
    return (
        before.session.state == "orphaned"
        and before.last is None
        and not before.is_fixed
        and claim.begun - before.begun <= AGAIN
        and before.session.id_tag.lower() == claim.session.id_tag.lower()
    )


def _begins_alike(before: Claim, claim: Claim) -> bool:
    if before.low is None or claim.low is None:
        return False
    return (
        before.session.id_tag.lower() == claim.session.id_tag.lower()
        and abs(before.low - claim.low) <= ROUNDING
        and claim.begun - before.begun <= AGAIN
        and not before.is_fixed
    )


def goes_on_from_start(claim: Claim) -> bool:
    """True if several samples of its own go on from its start."""
    first = claim.first
    if first is None or claim.low is None or first.count < 2 or not claim.has_start:
        return False
    lead = float(first.first - claim.low)
    seconds = claim.first_at - claim.begun
    power = max(int(first.pace * FASTER), LEAST_PACE)
    return -first.off <= lead <= most(seconds, power) + first.grain


def has_stale_start(before: Claim, claim: Claim) -> bool:
    """True if this one's start is a register of some time before: it is where the session before
    began, or its own samples go on from where that one ended."""
    assert claim.low is not None
    assert before.high is not None
    if claim.high is not None and claim.high < before.high - ROUNDING:
        return False
    if before.floor is not None and claim.low <= before.floor + ROUNDING:
        # It is where the session before began; or below that, where a register that goes on above
        # it can't have been.
        return True
    first = claim.first
    if first is None or first.first < before.high - first.off or first.pace <= 0:
        return False
    seconds = claim.first_at - claim.begun
    lead = float(first.first - claim.low)
    if lead > most(seconds, max(int(first.pace * FASTER), LEAST_PACE)) + first.grain:
        return True
    # Or the end of the one before leads to them far better, by how fast they rise.
    usual = first.pace * seconds / SECONDS_PER_HOUR
    return abs(float(first.first - before.high) - usual) * BETTER < abs(lead - usual) - first.slack
