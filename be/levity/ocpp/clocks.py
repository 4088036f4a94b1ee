"""What is odd about a charger's clock. Both clocks are kept; this only names the difference."""

from datetime import UTC, datetime, timedelta

__all__ = ["clock_flags"]

AHEAD = timedelta(minutes=5)
# No OCPP 1.6 charger is older; a clock before that counts from its own zero (1970, 2000).
BEFORE_OCPP = datetime(2012, 1, 1, tzinfo=UTC)


def clock_flags(said: datetime | None, received_at: datetime, name: str) -> tuple[str, ...]:
    """`no-{name}-time`, `{name}-clock-ahead`, `{name}-clock-unset`, or nothing.

    A time that lies back is no fault: chargers queue transactions while they are offline.
    """
    if said is None:
        return (f"no-{name}-time",)
    if said > received_at + AHEAD:
        return (f"{name}-clock-ahead",)
    if said < BEFORE_OCPP:
        return (f"{name}-clock-unset",)
    return ()
