"""Up to which event the outbox can be read without skipping one that is committed later.

An id is taken when a row is written, and can be seen when its transaction commits: of two workers,
the one with the lower id may commit last. On Postgres each event's transaction has its number (xid)
before the event gets its id (the column's default sees to that). So: read the highest id that was
given; take a number for ourselves, which is above those of all who have taken ids until then; when
no transaction with a lower number runs any more, all of these ids are visible, or never will be.
SQLite has one writer: what is committed is complete.
"""

from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connections

from levity.db.rows import upsert_rows
from levity.integrations.models import Event, Horizon

__all__ = ["Order", "horizon"]

NEWEST = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM integrations_event_id_seq"
ONLY = 1


def horizon() -> int:
    """The newest event that may be read."""
    return Horizon.objects.filter(pk=ONLY).values_list("event", flat=True).first() or 0


class Order:
    """Moves the horizon on. Only outside of a transaction; any number of processes may do it."""

    def __init__(self) -> None:
        self.safe = -1
        self._candidate: tuple[int, int] | None = None

    def look(self, now: datetime) -> int:
        """The newest event that may be read; call it again and again."""
        if self.safe < 0:
            self.safe = horizon()
        found = self._found()
        if found > self.safe:
            self.safe = found
            upsert_rows(
                Horizon,
                ("id", "event", "looked_at"),
                [(ONLY, found, now)],
                key=("id",),
                update=("event", "looked_at"),
            )
        return self.safe

    def _found(self) -> int:
        database = connections[DEFAULT_DB_ALIAS]
        if database.vendor != "postgresql":
            return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
        if self._candidate is None:
            newest = _one(NEWEST)
            if newest <= self.safe:
                return self.safe
            # A statement, and so a transaction, of its own: it is over with its number.
            self._candidate = newest, _one("SELECT pg_current_xact_id()::text::bigint")
        newest, number = self._candidate
        if _one("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint") < number:
            return self.safe
        self._candidate = None
        return newest


def _one(sql: str) -> int:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(sql)
        (value,) = cursor.fetchone()
    return int(value)
