"""A stop that says itself with which register its session began (Transaction.Begin).

It is held against the start of the session that it names. Pure rules, no I/O.
"""

from datetime import timedelta

from levity.ocpp.request import TransactionState
from levity.ocpp.rules.fitting import ROUNDED, End
from levity.ocpp.rules.sampled import lacks_start

__all__ = ["begins_as_told", "is_of_another_start"]

AT_ONCE = timedelta(minutes=1)


def begins_as_told(session: TransactionState, end: End) -> bool:
    """True if the session began with the register that the stop says it began with."""
    if end.began is None or lacks_start(session):
        return False
    return abs(end.began - session.register_at_start) <= ROUNDED


def is_of_another_start(session: TransactionState, end: End) -> bool:
    """True if the stop tells a whole session, from its begin to its end, on a register that lies
    below this session's start: that of another meter.

    A begin of 0 is that of a register that counts sessions; one above the end is in another unit.
    One that is dated as the session's start is its own: then it is the start that is wrong.
    """
    if end.began is None or end.register is None or lacks_start(session):
        return False
    if end.began_at is not None and abs(end.began_at - session.started_at) <= AT_ONCE:
        return False
    is_below = end.register < session.register_at_start - ROUNDED
    return is_below and ROUNDED < end.began <= end.register
