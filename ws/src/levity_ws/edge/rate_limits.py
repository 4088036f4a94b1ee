"""How often is too often: a token bucket that is one number."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from levity_ws.edge.refusal import Refusal, printable

__all__ = ["FLOOD_PAUSE", "Churn", "Pace"]

FLOOD_PAUSE = 30.0
"""Seconds. Below a minute, so that flooding in a charger's name can't keep it out for long."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A rate per second in the long run, with `burst` at once. A rate of 0 is no limit.

    The caller stores what has been used up, as the time at which it is all forgotten: a float for
    each connection, and nothing that has to be refilled (the generic cell rate algorithm, ITU-T
    I.371).
    """

    rate: float
    burst: int

    def wait(self, forgotten_at: float, now: float) -> float:
        """Seconds until one more may pass; 0 if it may now."""
        if not self.rate:
            return 0.0
        return max(0.0, forgotten_at - now - (self.burst - 1) / self.rate)

    def spend(self, forgotten_at: float, now: float, units: int = 1) -> float:
        """Count one, or this many, that pass: the new time at which all is forgotten."""
        return max(forgotten_at, now) + units / self.rate if self.rate else now


class Churn:
    """Limits how often one identity may connect.

    Only accepted connections count: a stranger who knows the name, but not the password, must not
    lock the charger out. (Case doesn't matter, as in the backend.) An identity that was
    disconnected for flooding is refused for `FLOOD_PAUSE`, because each of its connections costs
    the others a burst.
    """

    def __init__(self, pace: Pace, clock: Callable[[], float]) -> None:
        self._pace = pace
        self._clock = clock
        self._forgotten_at: dict[str, float] = {}
        self._out_until: dict[str, float] = {}
        self._sweep_at = 1024

    def refusal(self, identity: str) -> Refusal | None:
        """Why this identity may not connect now; None if it may."""
        key, now = identity.lower(), self._clock()
        if (out := self._out_until.get(key, 0.0) - now) > 0:
            return Refusal(
                429,
                "The last connection was closed because of too many pings, pongs or fragments. "
                f"Try again in {math.ceil(out)} s.",
                "after a flood",
                retry_after=math.ceil(out),
            )
        wait = self._pace.wait(self._forgotten_at.get(key, 0.0), now)
        if not wait:
            return None
        return Refusal(
            429,
            f"“{printable(identity, 48)}” connects too often: at most once in "
            f"{1 / self._pace.rate:g} s is allowed. Do two chargers have this id? If not, raise "
            "LEVITY_MAX_CONNECT_RATE.",
            "churn",
            retry_after=math.ceil(wait),
        )

    def accepted(self, identity: str) -> None:
        """It has just been accepted."""
        if not self._pace.rate:
            return
        key, now = identity.lower(), self._clock()
        self._forgotten_at[key] = self._pace.spend(self._forgotten_at.get(key, 0.0), now)
        self._sweep(now)

    def flooded(self, identity: str) -> None:
        """Its connection is being closed for a flood."""
        now = self._clock()
        self._out_until[identity.lower()] = now + FLOOD_PAUSE
        self._sweep(now)

    def _sweep(self, now: float) -> None:
        if len(self._forgotten_at) + len(self._out_until) < self._sweep_at:
            return
        for moments in (self._forgotten_at, self._out_until):
            for key in [key for key, moment in moments.items() if moment <= now]:
                del moments[key]
        self._sweep_at = max(1024, 2 * (len(self._forgotten_at) + len(self._out_until)))
