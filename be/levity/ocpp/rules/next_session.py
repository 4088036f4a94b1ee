"""Which session began next on the connector of another: it bounds that one."""

from collections.abc import Iterable
from decimal import Decimal

from levity.ocpp.request import TransactionState
from levity.ocpp.wire.fields import same_tag

__all__ = ["ROUNDED", "next_on_connector"]

# Registers are rounded, and read a moment apart.
ROUNDED = Decimal(100)
# By one of these clocks nothing is told about when the session began.
NO_CLOCK = frozenset({"start-clock-unset", "start-clock-ahead", "no-start-time"})


def next_on_connector(
    session: TransactionState, sessions: Iterable[TransactionState]
) -> TransactionState | None:
    """The session that began on its connector after this one; None while this one runs.

    Not one that may be this very session, whose start was told twice.
    """
    if session.state == "active":
        return None
    later = [
        item
        for item in sessions
        if item.place == session.place
        and item.id != session.id
        and item.started_at > session.started_at
        and NO_CLOCK.isdisjoint(item.flags.split())
        and not _may_be_the_same(session, item)
    ]
    return min(later, key=lambda item: (item.started_at, item.id)) if later else None


def _may_be_the_same(session: TransactionState, item: TransactionState) -> bool:
    """True if nothing has shown yet that the second of these is another session than the first."""
    return (
        item.state != "stopped"
        and item.meter_last is None
        and same_tag(item.id_tag, session.id_tag)
        and abs(item.register_at_start - session.newest_register) <= ROUNDED
    )
