"""What a configuration key of the charger's tells, whoever has set it (OCPP 1.6, chapter 9)."""

from typing import Any

from levity.ocpp.effects import Effect, UpdateChargePoint
from levity.ocpp.wire.fields import decimal_of

__all__ = ["told_by"]

# A charger that says 0 or a day means something else by it (OCPP 1.6, 9.1.4: seconds).
SHORTEST, LONGEST = 10, 900


def told_by(key: Any, value: Any) -> tuple[Effect, ...]:
    """How long the charger waits between the card and the cable, if this key says that."""
    if not isinstance(key, str) or key.lower() != "connectiontimeout":
        return ()
    seconds = decimal_of(value)
    if seconds is None or not SHORTEST <= seconds <= LONGEST:
        return ()
    return (UpdateChargePoint({"connection_timeout": int(seconds)}),)
