"""How many wrong keys are too many: at most 20 an hour from one address.

A leaky bucket as one number, `forgotten_at` (POSIX seconds): when all guesses are forgotten. Ten
may come in a row, then one every six minutes counts. Only what is a guess counts: a key, wrong,
and not the one that was tried last. A charger that repeats its one wrong key for ever locks
nobody out, and gets in at once when the key is set right.
"""

__all__ = ["BURST", "INTERVAL", "spent", "wait"]

INTERVAL = 360.0
"""Seconds after which one guess is forgotten."""
BURST = 10


def wait(forgotten_at: float, now: float) -> float:
    """Seconds until the next guess is looked at; 0 if it is now."""
    return max(0.0, forgotten_at - now - (BURST - 1) * INTERVAL)


def spent(forgotten_at: float, now: float) -> float:
    """One more guess: the new time at which all are forgotten."""
    return max(forgotten_at, now) + INTERVAL
