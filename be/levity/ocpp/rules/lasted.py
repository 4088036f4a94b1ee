"""How long a session lasted, as far as clocks tell, and so how much can have flowed in it.

The charger's clock dates both ends, ours says when they came. Both dates of one clock count, also
where it was never set; but not where it stood still, was set back, lies ahead, or was set in
between: then it is our time that bounds the energy.
"""

from dataclasses import dataclass
from datetime import datetime

from levity.ocpp.chargers.clocks import AHEAD, is_unset
from levity.ocpp.request import TransactionState
from levity.ocpp.rules.lives import most

__all__ = ["DURATION", "FULL", "Lasted", "lasted"]

DURATION = "duration-unknown"
"""The flag of a session in which the clock was set, and more flowed than can have since we heard of
it."""

FULL = 250_000
"""Wh. No car takes more at once; what looks like more is the whole life of a meter."""
# Seconds by which a session may have begun before we heard of it, on a clock that was set.
OFFLINE = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Lasted:
    """Seconds by the clock that makes sense, and by ours; None where it is not known."""

    seconds: float | None
    ours: float | None
    is_known: bool = True
    """False: the charger's clock was set in between, and it may have begun long before it came."""

    def could(self, power: int) -> float | None:
        """Wh that can have flowed at this power (W); None where no clock tells."""
        if self.ours is None:
            return None if self.seconds is None else most(self.seconds, power)
        seen = max(FULL, most(self.ours, power))
        if self.seconds is None or not self.is_known:
            return seen
        # Whatever flowed before we heard of it is not more than a car takes.
        return min(most(self.seconds, power), seen)

    def is_seen(self, wh: float, power: int) -> bool:
        """True if so much can have flowed in the time that is known."""
        return self.is_known or self.ours is None or wh <= most(self.ours, power)

    @property
    def at_most(self) -> float:
        """Seconds that it can have lasted; 0 where no clock tells."""
        seconds = self.seconds or 0
        if self.ours is not None and (not self.is_known or seconds > self.ours + OFFLINE):
            return self.ours
        return seconds


def lasted(
    transaction: TransactionState, stopped_at: datetime, received_at: datetime | None
) -> Lasted:
    """Between the start and this stop, which came at `received_at`; None where that is not known.

    `is_known` is False where the clock was never set at one end, and is at the other.
    """
    begun_at, begun = transaction.started_at, transaction.start_received_at
    said = (stopped_at - begun_at).total_seconds()
    if begun is None or received_at is None:
        return Lasted(said if said > 0 else None, None)
    ours = max((received_at - begun).total_seconds(), 0.0)
    is_odd = is_unset(begun_at, begun)
    if is_odd != is_unset(stopped_at, received_at):
        return Lasted(ours, ours, is_known=False)
    if stopped_at > received_at + AHEAD and begun_at <= begun + AHEAD:
        said = (received_at - begun_at).total_seconds()
    if said > 0:
        return Lasted(said, ours)
    return Lasted(ours, ours, is_known=not is_odd)
