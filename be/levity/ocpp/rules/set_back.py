"""A clock that was set back within a session, as the session's own samples show it.

By such a clock the session ends before it began; it counts as no clock then. Pure rules, no I/O.
"""

from datetime import datetime

from levity.ocpp.chargers.clocks import AHEAD
from levity.ocpp.request import TransactionState
from levity.ocpp.rules.sampled import trail_of

__all__ = ["is_set_back"]


def is_set_back(session: TransactionState, said: datetime, received_at: datetime) -> bool:
    """True if this time is by the clock that the newest sample of the session was taken by, which
    lies before the session's start: nothing of the session can have been then.

    The register of that sample has risen since the start: it is none of a session before.
    """
    newest, begun = session.meter_last_at, session.started_at
    if newest is None or newest >= begun - AHEAD or "start-clock" in session.flags:
        return False
    trail = trail_of(session)
    if not trail.lives or session.start_received_at is None:
        return False
    life, slack = trail.lives[-1], AHEAD.total_seconds()
    if life.last <= session.register_at_start or life.seen < session.start_received_at.timestamp():
        return False
    since = said.timestamp() - life.last_at
    return -slack <= since <= received_at.timestamp() - life.seen + slack
