"""Nearly all sessions go on from each other, and nothing has to be settled: seen at a glance.

The whole rules (`settle`) come to the same; they cost a hundred times as much for each message.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from levity.ocpp.rules.lives import most
from levity_ws.frozen import frozen

__all__ = ["Figures", "Glance", "goes_without_saying"]

# Seconds by which clocks differ without a word.
CLOCKS = 300
# What says nothing of the meter.
PLAIN = ("id-tag-", "own-id:")


class Glance(Protocol):
    """What a glance at a session takes in: some of a `RecordedSession`."""

    @property
    def id(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def meter_start(self) -> Decimal | None: ...
    @property
    def stopped_at(self) -> datetime | None: ...
    @property
    def meter_stop(self) -> Decimal | None: ...
    @property
    def energy(self) -> Decimal | None: ...
    @property
    def energy_source(self) -> str: ...
    @property
    def flags(self) -> str: ...
    @property
    def checks(self) -> str: ...


@frozen
class Figures:
    """No more than that of a session; a row of what is read for it."""

    id: int
    state: str
    started_at: datetime
    meter_start: Decimal | None
    stopped_at: datetime | None = None
    meter_stop: Decimal | None = None
    energy: Decimal | None = None
    energy_source: str = ""
    flags: str = ""
    checks: str = ""


def goes_without_saying(session: Glance, others: Iterable[Glance], max_power: int) -> bool:
    """True if this session of a connector goes on from the one before and the one after goes on
    from it, each by its own Start and Stop, with nothing odd about any of them."""
    if not _is_plain(session, is_new=True):
        return False
    before: Glance | None = None
    after: Glance | None = None
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


def _is_plain(session: Glance, *, is_new: bool = False) -> bool:
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


def _follow(before: Glance, after: Glance, max_power: int) -> bool:
    """True if the second begins where the first has ended, or at what can have flowed since."""
    stop, start, ended = before.meter_stop, after.meter_start, before.stopped_at
    if stop is None or start is None or ended is None or start < stop:
        return False
    seconds = (after.started_at - before.started_at).total_seconds()
    late = (ended - after.started_at).total_seconds() > CLOCKS
    return not late and float(start - stop) <= most(seconds, max_power)
