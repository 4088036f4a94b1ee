"""Moving old rows into what keeps them smaller, a little at a time, while nobody waits for it.

Each mover takes the time and does one short step (50 ms at most, one transaction); it returns how
much it moved, 0 where nothing is left. A step that is lost is done again: nothing is written down
about how far the work is but the rows themselves.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import Error as DatabaseError

from levity.ocpp.conf import setting
from levity.ocpp.store.hours import count_some
from levity.ocpp.store.messages.moving import move_some
from levity.ocpp.store.samples.moving import Mover as SampleMover
from levity.ocpp.store.waiting import waiting

__all__ = ["MOVERS", "Mover", "Moving", "hours"]

log = logging.getLogger(__name__)

Mover = Callable[[datetime], int]
ROUND = 0.05
"""Seconds that a round takes at least, if there is so much to move; one step is always made."""
BUSY, REST = 5.0, 60.0
"""Seconds until the next round: where frames come all the time, and where nothing was left."""
TELL, TELL_AGAIN = (10.0, 70.0), 600.0
"""So many seconds after much began to move, a line in the log says how much is left; later lines
come this much apart."""


def messages(now: datetime) -> int:
    """Exchanges of past days: from rows into blocks."""
    days = setting("OCPP_MESSAGE_ROW_DAYS")
    return move_some(now, 0.0, kept_days=days) if days else 0


_samples = SampleMover()


def meter_values(now: datetime) -> int:
    """Meter values of sessions and days that are over: from rows into traces."""
    days = setting("OCPP_METER_VALUE_ROW_DAYS")
    return _samples.step(now, timedelta(days=days)) if days else 0


def hours(now: datetime) -> int:
    """Sessions by the hour, of those that have changed or run: nothing moves, but it is work of
    the same kind."""
    return count_some(now)


MOVERS: tuple[Mover, ...] = (messages, meter_values)


class Progress:
    """Says in the log that there is much to move, how it goes on, and that it is done.

    What moves within seconds, as every night, is not worth a line.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._began: float | None = None
        self._tells: list[float] = []
        self._told: tuple[float, int] | None = None
        self._moved = 0

    def add(self, moved: int, now: datetime) -> None:
        """A round has moved so much; 0: nothing is left."""
        tick = self.clock()
        if not moved:
            if self._told is not None and self._began is not None:
                minutes = (tick - self._began) / 60
                log.info("old rows are packed: %s in %.0f minutes", f"{self._moved:,}", minutes)
            self._began = self._told = None
            return
        if self._began is None:
            self._began, self._moved, self._tells = tick, 0, list(TELL)
        self._moved += moved
        if tick - self._began >= self._tells[0]:
            self._tells = self._tells[1:] or [tick - self._began + TELL_AGAIN]
            self._tell(tick, now)

    def _tell(self, tick: float, now: datetime) -> None:
        left = waiting(now).rows
        pace = ""
        if self._told is not None and self._told[1] > left:
            before, had = self._told
            pace = f", about {left * (tick - before) / (had - left) / 60:.0f} minutes at this pace"
        self._told = tick, left
        log.info("packing old rows: %s left%s (levity storage)", f"{left:,}", pace)


class Moving:
    """Lets the movers work in turns; one instance per worker, and one worker at a time does it
    (`queries.is_only_mover`)."""

    def __init__(
        self,
        clock: Callable[[], float],
        movers: Sequence[Mover] = MOVERS,
        *,
        tells_progress: bool = True,
    ) -> None:
        self.clock, self.movers = clock, movers
        self.progress = Progress(clock) if tells_progress else None
        # Who starts many workers at once has chargers waiting.
        self.next_at = clock() + REST

    def go_on(self, now: datetime, *, is_idle: bool) -> int:
        """A round, if it is time for one; how much was moved. Raises DatabaseError only."""
        began = self.clock()
        if began < self.next_at:
            return 0
        moved, self.next_at = 0, began + REST
        try:
            for mover in self.movers:
                while step := mover(now):
                    moved += step
                    if self.clock() - began >= ROUND:
                        break
        except DatabaseError:
            raise
        except Exception:
            # What is wrong with the past keeps nobody from charging.
            log.exception("moving old rows failed; they stay where they are for now")
            return moved
        if self.progress is not None:
            self.progress.add(moved, now)
        if moved:
            self.next_at = self.clock() + (0.0 if is_idle else BUSY)
        return moved
