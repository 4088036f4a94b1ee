"""What a session comes to: a figure, where it is from, and how far it can be trusted."""

from decimal import Decimal

from levity.ocpp.rules.checks import Check
from levity_ws.frozen import frozen

__all__ = ["HIGH", "LOW", "MEDIUM", "REGISTERS", "SAMPLES", "Energy"]

REGISTERS, SAMPLES = "registers", "samples"
HIGH, MEDIUM, LOW = "high", "medium", "low"


@frozen
class Energy:
    """Wh of a transaction, and why we think so."""

    wh: Decimal
    source: str
    """`registers` (meterStop - meterStart), `session-register` (one that counts from the
    session's start), `samples` (the newest meter value), `none`."""
    confidence: str
    """`high`, `medium` or `low`."""
    flags: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    """What it was held against."""
