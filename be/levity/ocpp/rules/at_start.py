"""A sample that is dated as the session's start is: it shows what the register was there."""

from levity.ocpp.request import TransactionState
from levity.ocpp.rules.bounds import KILO
from levity.ocpp.rules.lives import Life

__all__ = ["is_another_register", "is_of_start"]


def is_of_start(transaction: TransactionState, first: Life) -> bool:
    """True if the first of several values is dated as the start is, by the charger's clock."""
    return first.count > 1 and abs(first.first_at - transaction.started_at.timestamp()) <= 1


def is_another_register(transaction: TransactionState, first: Life) -> bool:
    """True if this value of the very start is another than meterStart: not 0, of a register that
    counts the session, and not meterStart in another unit."""
    start = transaction.register_at_start
    told = first.first - start
    if told >= 0:
        # (meterStart may be whole kWh. A clock that stands still says nothing.)
        slack = max(KILO, first.grain) if start and start % KILO == 0 else first.slack
        return told > slack and (not start or first.last_at > first.first_at + 1)
    is_in_kwh = abs(first.first * KILO - start) <= KILO
    return told < -first.slack and first.first > first.slack and not is_in_kwh
