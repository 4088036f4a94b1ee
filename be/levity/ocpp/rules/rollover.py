"""A register that was full and went on from 0: what it would show if it had more digits."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from levity.ocpp.request import TransactionState
from levity.ocpp.rules.lives import SLACK, Life, Trail, most

__all__ = ["ROLLOVER", "top_of", "unrolled"]

ROLLOVER = "register-rollover"
# A register of four to nine digits, which was nearly full: all but a tenth.
TOPS = tuple(Decimal(10) ** digits for digits in range(4, 10))
NEARLY = 10
# By how many times what flowed may be off from what the power says.
OFF = 3
ZERO = Decimal(0)


def top_of(before: Decimal, after: Decimal, could: float, likely: float = 0) -> Decimal:
    """The number at which a register began at 0 again between these two values; 0 where it did not.

    It did if the rise from one to the other over that number is no more than can have flowed, and
    near to what is likely, where that is known (Wh).
    """
    if after >= before:
        return ZERO
    top = next((top for top in TOPS if top > before), ZERO)
    rise = float(top - before + after)
    if not top or (top - before) * NEARLY > top or rise > could:
        return ZERO
    if likely and not likely / OFF - SLACK <= rise <= likely * OFF + SLACK:
        return ZERO
    return top


def unrolled(
    transaction: TransactionState, trail: Trail, limit: int, booted_at: float
) -> tuple[Trail, Decimal]:
    """The trail as a register with more digits would have shown it, and by how much it is higher
    at its end.

    A meter that lost power begins anew at 0, and has not been full (`booted_at`, our clock).
    """
    lives = trail.lives
    start = transaction.register_at_start
    if not lives or (len(lives) == 1 and lives[0].first >= start):
        return trail, ZERO
    higher, is_other = ZERO, False
    found: list[Life] = []
    for before, life in _pairs(transaction, lives):
        seconds = max(life.first_at - before.last_at, life.first_seen - before.seen)
        top = ZERO
        if not before.seen < booted_at <= life.first_seen:
            likely = life.gap or life.pace * seconds / 3600
            top = top_of(before.last, life.first, most(seconds, limit), likely)
        elif life.first < before.last:
            # It began anew at 0, and has not been full since.
            higher = ZERO
        higher += top
        is_other = is_other or higher > 0
        item = replace(
            life, first=life.first + higher, before=life.before + higher, last=life.last + higher
        )
        if top and found:
            item = _joined(found.pop(), item)
        found.append(item)
    return (replace(trail, lives=tuple(found)), higher) if is_other else (trail, ZERO)


def _pairs(transaction: TransactionState, lives: tuple[Life, ...]) -> Iterator[tuple[Life, Life]]:
    """Each life and the one before it; before the first is the session's start."""
    start, at = transaction.register_at_start, transaction.started_at.timestamp()
    received = transaction.start_received_at
    seen = received.timestamp() if received else lives[0].first_seen
    before = Life(start, at, seen, start, at, start, at, seen)
    for life in lives:
        yield before, life
        before = life


def _joined(before: Life, after: Life) -> Life:
    """Both as one."""
    return replace(
        after,
        first=before.first,
        first_at=before.first_at,
        first_seen=before.first_seen,
        before=before.last if after.count == 1 else after.before,
        before_at=before.last_at if after.count == 1 else after.before_at,
        count=before.count + after.count,
        jump=max(before.jump, after.jump),
        jumps=before.jumps + after.jumps,
        gap=before.gap,
    )
