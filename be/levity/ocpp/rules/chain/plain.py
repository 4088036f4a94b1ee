"""Nearly all sessions go on from each other, and nothing has to be settled: seen at a glance.

The whole rules (`settle`) come to the same; they cost a hundred times as much for each message.
"""

from collections.abc import Iterable

from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.lives import most

__all__ = ["goes_without_saying"]

# Seconds by which clocks differ without a word.
CLOCKS = 300
# What says nothing of the meter.
PLAIN = ("id-tag-", "own-id:")


def goes_without_saying(
    session: RecordedSession, others: Iterable[RecordedSession], max_power: int
) -> bool:
    """True if this session of a connector goes on from the one before and the one after goes on
    from it, each by its own Start and Stop, with nothing odd about any of them."""
    if not _is_plain(session, is_new=True):
        return False
    before: RecordedSession | None = None
    after: RecordedSession | None = None
    begun = session.started_at, session.id
    for other in others:
        if other.id == session.id:
            continue
        place = other.started_at, other.id
        if place < begun:
            if before is None or place > (before.started_at, before.id):
                before = other
        elif after is None or place < (after.started_at, after.id):
            after = other
    if before is not None and not (_is_plain(before) and _follow(before, session, max_power)):
        return False
    return after is None or (_is_plain(after) and _follow(session, after, max_power))


def _is_plain(session: RecordedSession, *, is_new: bool = False) -> bool:
    """True if its Start and Stop are its figures, by a clock that can be believed; `is_new`: its
    figures have not been settled yet."""
    flags = session.flags
    if flags and not all(flag.startswith(PLAIN) for flag in flags.split()):
        return False
    if session.meter_start is None or ('"own"' in session.checks and not is_new):
        return False
    if session.state == "active":
        return True
    stop = session.meter_stop
    return (
        session.state == "stopped"
        and session.energy_source == "registers"
        and stop is not None
        and session.energy == stop - session.meter_start
    )


def _follow(before: RecordedSession, after: RecordedSession, max_power: int) -> bool:
    """True if the second begins where the first has ended, or at what can have flowed since."""
    stop, start, ended = before.meter_stop, after.meter_start, before.stopped_at
    if stop is None or start is None or ended is None or start < stop:
        return False
    seconds = (after.started_at - before.started_at).total_seconds()
    late = (ended - after.started_at).total_seconds() > CLOCKS
    return not late and float(start - stop) <= most(seconds, max_power)
