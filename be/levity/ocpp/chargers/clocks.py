"""What is odd about a charger's clock. Both clocks are kept; this only names the difference.

Whether a message is of now or of an outage is told by the lag of the clock, which is learned from
the dates of StatusNotifications: two columns of the charge point, written when they change.
"""

from datetime import UTC, datetime, timedelta

from levity_ws.frozen import frozen

__all__ = ["AHEAD", "BEFORE_OCPP", "Lag", "clock_flags", "is_as_wrong", "is_unset"]

AHEAD = timedelta(minutes=5)
# No OCPP 1.6 charger is older; a clock before that counts from its own zero (1970, 2000).
BEFORE_OCPP = datetime(2012, 1, 1, tzinfo=UTC)
# Nobody is offline for so long: a clock that is further behind begins with its firmware's date.
LONG_AGO = timedelta(days=365)
# A message that is older than this was kept while the charger was offline.
LIVE = timedelta(minutes=10)
# A clock that is so close to whole hours behind is set to another time zone (steve#136); so is one
# that is behind by the half hours of Newfoundland and the Marquesas.
HOUR, NEAR_AN_HOUR, WESTERNMOST = timedelta(hours=1), timedelta(minutes=2), timedelta(hours=12)
HALF_HOURS = (timedelta(hours=2.5), timedelta(hours=3.5), timedelta(hours=9.5))
# Two messages that lie as far back as each other, to so many seconds, show a clock that is slow:
# what was kept while the charger was offline comes in a burst, dated when it happened.
AGREE = 15


def clock_flags(said: datetime | None, received_at: datetime, name: str) -> tuple[str, ...]:
    """`no-{name}-time`, `{name}-clock-ahead`, `{name}-clock-unset`, or nothing.

    A time that lies back is no fault: chargers queue transactions while they are offline.
    """
    if said is None:
        return (f"no-{name}-time",)
    if said > received_at + AHEAD:
        return (f"{name}-clock-ahead",)
    if is_unset(said, received_at):
        return (f"{name}-clock-unset",)
    return ()


def is_unset(said: datetime, received_at: datetime | None) -> bool:
    """True if this clock was never set: its time tells neither when something was, nor what."""
    if said < BEFORE_OCPP:
        return True
    return received_at is not None and received_at - said > LONG_AGO


def is_as_wrong(
    said: datetime | None, received_at: datetime, before: datetime, before_received_at: datetime
) -> bool:
    """True if a clock that was wrong `before` has not been set since: it lies back about as far."""
    return said is not None and (received_at - said) * 2 > before_received_at - before


@frozen
class Lag:
    """By how much a charger's clock is behind ours, in seconds, as its messages showed it.

    `known` is the clock's; `seen` that of the newest message, which may have been kept for hours.
    """

    known: int | None = None
    seen: int | None = None

    def after(self, said: datetime | None, received_at: datetime) -> "Lag":
        """What is known once this message has come; the same where it tells nothing new."""
        if said is None or is_unset(said, received_at):
            return self
        lag = round((received_at - said).total_seconds())
        known = self.known
        if self._agrees(lag) or (known is None and lag <= LIVE.total_seconds()):
            known = lag if known is None or abs(lag - known) > AGREE else known
        elif known is not None and lag < known - AGREE:
            # Nothing comes before it was sent: the clock was set, or had never been so slow.
            known = lag
        seen = self.seen if self._agrees(lag) else lag
        return Lag(known, seen)

    def is_backlog(
        self, said: datetime | None, received_at: datetime, *, again: bool = False
    ) -> bool:
        """True if the charger speaks of the past, so that nothing must be done about it now.

        What counts is the lag of its own clock. A clock that was never set, or lies ahead, says
        nothing of the past; nor does one in another time zone, where nothing better is known.
        `again`: with the very date of the message before, which shows no clock that goes.
        """
        if said is None or is_unset(said, received_at):
            return False
        age = received_at - said
        if age <= LIVE or (not again and self._agrees(round(age.total_seconds()))):
            return False
        if self.known is not None:
            return age > timedelta(seconds=self.known) + LIVE
        beside = min(age % HOUR, HOUR - age % HOUR, *(abs(age - half) for half in HALF_HOURS))
        return age > WESTERNMOST + NEAR_AN_HOUR or beside > NEAR_AN_HOUR

    def _agrees(self, lag: int) -> bool:
        return self.seen is not None and abs(lag - self.seen) <= AGREE
