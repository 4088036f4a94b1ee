"""Which sessions of the window lie beside each other with none missing in between.

The window has the sessions around a time on a connector, and those that were recorded last. Between
both may be any number that nobody has loaded: what the register moved there is theirs.
"""

from collections.abc import Collection, Iterator, Sequence
from operator import attrgetter

from levity.ocpp.chargers.clocks import is_unset
from levity.ocpp.request import Place, RecordedSession
from levity_ws.frozen import frozen

__all__ = ["AFTER", "BEFORE", "NEWEST", "Near", "near"]

BEFORE, AFTER, NEWEST = 5, 3, 6
"""The window: so many sessions of a connector that began until the time in question, and after it;
and so many of its charge point that were recorded last, whenever their clock says they began."""


@frozen
class Near:
    """Sessions of one connector that can be settled together."""

    sessions: tuple[RecordedSession, ...]
    without: frozenset[int]
    """Ids of those of which a neighbour may be missing: they stay as they are."""


def near(
    sessions: Collection[RecordedSession], place: Place, touched: Collection[int]
) -> Iterator[Near]:
    """What of the window of a charge point lies around these sessions of this connector, in groups
    that share no session.

    One with an odd clock lies where it was recorded: near those that were recorded last.
    """
    recorded = sorted(item.id for item in sessions)[-NEWEST:]
    ordered = sorted(
        (item for item in sessions if item.place == place), key=attrgetter("started_at", "id")
    )
    newest = [item for item in ordered if item.id in recorded]
    odd = [item for item in newest if _is_odd(item)]
    groups: list[tuple[dict[int, RecordedSession], set[int]]] = []
    for index, item in enumerate(ordered):
        if item.id not in touched:
            continue
        if item in odd:
            block, edges = newest, {min(each.id for each in newest)} if len(newest) > 1 else set()
            edges = edges if len(ordered) > len(newest) or len(recorded) == NEWEST else set()
        else:
            block, edges = _around(ordered, index)
            block = [*block, *(each for each in odd if each not in block)]
        found, without = {each.id: each for each in block}, edges - {*touched}
        for other in [each for each in groups if each[0].keys() & found.keys()]:
            groups.remove(other)
            found, without = {**other[0], **found}, other[1] | without
        groups.append((found, without))
    for found, without in groups:
        yield Near(tuple(found.values()), frozenset(without))


def _around(
    ordered: Sequence[RecordedSession], index: int
) -> tuple[list[RecordedSession], set[int]]:
    """Those beside this one that are all loaded, and the ids at whose other side more may be."""
    first, last = max(index + 1 - BEFORE, 0), index + AFTER
    block = list(ordered[first : last + 1])
    edges: set[int] = set()
    if first > 0 or len(ordered) >= BEFORE:
        edges.add(block[0].id)
    if last < len(ordered):
        edges.add(block[-1].id)
    return block, edges


def _is_odd(session: RecordedSession) -> bool:
    return "start-clock" in session.flags or is_unset(session.started_at, session.start_received_at)
