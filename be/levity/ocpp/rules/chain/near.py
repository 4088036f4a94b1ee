"""Which sessions of the window lie beside each other with none missing in between.

The window has the sessions around a time, and those that were recorded last. Between both may be
any number that nobody has loaded: what the register moved there is theirs.
"""

from collections.abc import Collection
from operator import attrgetter

from levity.ocpp.chargers.clocks import is_unset
from levity.ocpp.request import Place, RecordedSession
from levity_ws.frozen import frozen

__all__ = ["AFTER", "BEFORE", "NEWEST", "Near", "near"]

BEFORE, AFTER, NEWEST = 12, 6, 6
"""The window: so many sessions of a charge point, on all of its connectors, begun before the time
in question, begun after it, and recorded last, whenever their clock says that they began."""


@frozen
class Near:
    """The sessions of one connector that can be settled."""

    sessions: tuple[RecordedSession, ...]
    without: frozenset[int]
    """Ids of those of which a neighbour may be missing: they stay as they are."""


def near(sessions: Collection[RecordedSession], place: Place, touched: Collection[int]) -> Near:
    """What of the window of a charge point lies around these sessions of this connector.

    One with an odd clock lies where it was recorded: near those that were recorded last.
    """
    ordered = sorted(sessions, key=attrgetter("started_at", "id"))
    newest = set(sorted(item.id for item in sessions)[-NEWEST:])
    kept: set[int] = set()
    without: set[int] = set()
    for index, item in enumerate(ordered):
        if item.id not in touched or item.place != place:
            continue
        if index + 1 < BEFORE and index + AFTER >= len(ordered):
            # There are no others.
            kept |= {each.id for each in ordered}
            continue
        if item.id in newest:
            kept |= newest
            if _is_odd(item):
                there = [each.id for each in ordered if each.id in newest and each.place == place]
                without.add(min(there))
                continue
        first, last = max(index + 1 - BEFORE, 0), index + AFTER
        block = ordered[first : last + 1]
        kept |= {each.id for each in block}
        there = [each.id for each in block if each.place == place]
        if index + 1 >= BEFORE:
            without.add(there[0])
        if last < len(ordered) and there[-1] not in touched:
            without.add(there[-1])
    found = tuple(item for item in ordered if item.id in kept and item.place == place)
    return Near(found, frozenset(without))


def _is_odd(session: RecordedSession) -> bool:
    return "start-clock" in session.flags or is_unset(session.started_at, session.start_received_at)
