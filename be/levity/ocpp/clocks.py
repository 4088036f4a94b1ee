"""What is odd about a charger's clock. Both clocks are kept; this only names the difference."""

from datetime import UTC, datetime, timedelta

__all__ = ["AHEAD", "BEFORE_OCPP", "clock_flags", "is_backlog", "is_unset"]

AHEAD = timedelta(minutes=5)
# No OCPP 1.6 charger is older; a clock before that counts from its own zero (1970, 2000).
BEFORE_OCPP = datetime(2012, 1, 1, tzinfo=UTC)
# Nobody is offline for so long: a clock that is further behind begins with its firmware's date.
LONG_AGO = timedelta(days=365)
# A message that is older than this was kept while the charger was offline.
LIVE = timedelta(minutes=10)
# A clock that is so close to whole hours behind is set to another time zone (steve#136).
HOUR, NEAR_AN_HOUR, WESTERNMOST = timedelta(hours=1), timedelta(minutes=2), timedelta(hours=12)


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


def is_backlog(said: datetime | None, received_at: datetime) -> bool:
    """True if the charger speaks of the past, so that nothing must be done about it now.

    A clock that was never set, or lies ahead, or is in another time zone, says nothing of the kind.
    """
    if said is None or is_unset(said, received_at):
        return False
    age = received_at - said
    if age <= LIVE:
        return False
    beside = min(age % HOUR, HOUR - age % HOUR)
    return age > WESTERNMOST + NEAR_AN_HOUR or beside > NEAR_AN_HOUR
