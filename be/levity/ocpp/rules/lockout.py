"""How many wrong keys are too many: at most 20 an hour from one address.

Two leaky buckets, each as one number (POSIX seconds: when all its guesses are forgotten). In each
five may come in a row, then one every twelve minutes counts. The first is for whatever comes.
Once that is full, the second is for keys that come again: a charger repeats its one key, and who
guesses goes on to the next. So a charger gets in at its second try, while somebody guesses beside
it, behind the same router.

Only what is a guess counts: a key, wrong, and not the one that was tried last. A charger that
repeats its one wrong key for ever locks nobody out, and gets in at once when the key is set right.
"""

from collections.abc import Sequence

__all__ = ["AGAIN_AFTER", "BURST", "INTERVAL", "Waiting", "remembered", "spent", "wait"]

INTERVAL = 720.0
"""Seconds after which one guess is forgotten."""
BURST = 5
AGAIN_AFTER = 15.0
"""Seconds after which a charger whose key was not looked at is asked to come again."""
KEPT_FOR = 600.0
"""Seconds for which a key that was not looked at is recognised."""
KEPT = 64

Waiting = tuple[tuple[str, float], ...]
"""Keys that were not looked at, by a keyed digest, and when each came; the newest last."""


def wait(forgotten_at: float, now: float) -> float:
    """Seconds until the next guess is looked at; 0 if it is now."""
    return max(0.0, forgotten_at - now - (BURST - 1) * INTERVAL)


def spent(forgotten_at: float, now: float) -> float:
    """One more guess: the new time at which all are forgotten."""
    return max(forgotten_at, now) + INTERVAL


def remembered(waiting: Sequence[tuple[str, float]], mark: str, now: float) -> Waiting:
    """One more that was not looked at; the oldest go."""
    kept = [item for item in waiting if item[0] != mark and now - item[1] < KEPT_FOR]
    return (*kept[1 - KEPT :], (mark, now))
