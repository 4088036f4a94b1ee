"""Sums up unassigned energy anew, once an hour, some charge points at a time."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from levity.ocpp.models import ChargePoint, UnassignedEnergy
from levity.ocpp.store.loose import months_before, renew

__all__ = ["Sums"]

# From one time through all of them to the next.
EVERY = timedelta(hours=1)
# Charge points at a time, and seconds of one round: a worker processes frames in the same process.
PORTION, ROUND = 5, 2.0
# Months that are summed up: this one and the one before; after an update those before as well.
MONTHS, AT_FIRST = 2, 13
# Of what nobody has heard for so long nothing has changed.
QUIET = timedelta(days=2)


class Sums:
    """One instance for a process; where it stands is forgotten when the process ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._waiting: list[int] = []
        self._months: list[str] = []
        self._next_at: datetime | None = None

    def go_on(self, now: datetime, breathe: Callable[[], object] = lambda: None) -> int:
        """A round, if it is time for one; how many charge points were summed up."""
        began, done = self.clock(), 0
        if not self._waiting and (self._next_at is None or now >= self._next_at):
            self._begin(now)
        while self._waiting:
            some, self._waiting = self._waiting[:PORTION], self._waiting[PORTION:]
            renew(some, self._months[-1], self._months[0], now)
            done += len(some)
            if self.clock() - began >= ROUND:
                break
            breathe()
        return done

    def _begin(self, now: datetime) -> None:
        is_first = self._next_at is None
        rows = ChargePoint.objects.all()
        if is_first:
            count = MONTHS if UnassignedEnergy.objects.exists() else AT_FIRST
        else:
            rows, count = rows.filter(last_seen_at__gte=now - QUIET), MONTHS
        # (UTC's month may be over where some site's is not.)
        self._months = months_before(f"{now + timedelta(days=1):%Y-%m}", count + 1)
        self._waiting = list(rows.order_by("pk").values_list("pk", flat=True))
        self._next_at = now + EVERY
