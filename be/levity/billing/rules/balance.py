"""Where the energy went: what the registers moved is billed, free, held back, or in no session.

    moved = billed + common + held back + carried over + excluded + nobody's + outside + difference

`moved` and `outside` come from registers at the starts and stops of sessions alone, all else from
the figures that sessions have. The difference is what those figures say otherwise than the
registers: corrected, estimated and cut sessions.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from levity_ws.frozen import frozen

__all__ = ["KINDS", "Balance", "Counted", "balance"]

KINDS = ("billed", "common", "held", "carried", "excluded", "nobodys")
"""What became of a session's energy."""


@frozen
class Counted:
    """A session as it counts here; Wh."""

    place: tuple[int, int]
    """Charge point and connector."""
    start: datetime
    first: Decimal | None
    """The register at its start, and at its end."""
    last: Decimal | None
    wh: Decimal
    kind: str
    """One of `KINDS`."""


@frozen
class Balance:
    """Wh by what became of it."""

    moved: Decimal
    """Sum over connectors of what the register moved from the first reading to the last."""
    outside: Decimal
    """Moved between two sessions: in no session."""
    by_kind: dict[str, Decimal]
    sessions: dict[str, int]
    difference: Decimal


def balance(sessions: Iterable[Counted]) -> Balance:
    """Of all sessions of a period."""
    by_kind = dict.fromkeys(KINDS, Decimal())
    count = dict.fromkeys(KINDS, 0)
    moved = outside = Decimal()
    ordered = sorted(sessions, key=lambda each: (each.place, each.start))
    for _, at_place in groupby(ordered, key=lambda each: each.place):
        before: Decimal | None = None
        for each in at_place:
            by_kind[each.kind] += each.wh
            count[each.kind] += 1
            if each.first is None or each.last is None or each.last < each.first:
                # No register that can be followed: its figure stands for it.
                moved += each.wh
                before = each.last
                continue
            # A register below the last one is another meter, or has begun anew.
            if before is not None and each.first > before:
                outside += each.first - before
                moved += each.first - before
            moved += each.last - each.first
            before = each.last
    figures = sum(by_kind.values(), Decimal())
    return Balance(moved, outside, by_kind, count, moved - outside - figures)
