"""After a restore: which sessions may be uncertain, and why.

What came after the newest entry of the backup is missing, and for some days people are told so. The
sessions are found from that moment alone.
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from levity.ocpp.models import Installation, QuarantinedMessage, Transaction
from levity.ocpp.models.installation import ONLY
from levity_ws.frozen import frozen

__all__ = [
    "TOLD",
    "Restored",
    "begun_since",
    "last_restore",
    "note_restore",
    "quarantined_since",
    "ran_then",
    "restored_lately",
]

TOLD = timedelta(days=14)
"""For so long people are told. A month may have been billed by then."""
# No session that ran then had begun longer ago; an index finds those.
LONGEST = timedelta(days=30)


@frozen
class Restored:
    """The database was restored from a backup."""

    at: datetime
    to: datetime
    """The newest entry of the backup."""


def note_restore(at: datetime, to: datetime) -> Restored:
    """The database was restored at this moment, to what it was at that one."""
    row = Installation.get()
    row.restored_at, row.restored_to = at, to
    row.save(update_fields=["restored_at", "restored_to"])
    return Restored(at, to)


def last_restore(now: datetime) -> Restored | None:
    """The last one, as long as people are told of it."""
    row = Installation.objects.filter(pk=ONLY).first()
    return None if row is None else restored_lately(row, now)


def restored_lately(row: Installation, now: datetime) -> Restored | None:
    """The same, of a row that is read already."""
    at, to = row.restored_at, row.restored_to
    return None if at is None or to is None or at < now - TOLD else Restored(at, to)


def ran_then(restored: Restored) -> QuerySet[Transaction]:
    """Sessions that ran when the backup was made: what they did until the restore is missing."""
    ended_since = Q(state=Transaction.State.ACTIVE) | Q(stop_received_at__gt=restored.to)
    return Transaction.objects.filter(
        ended_since, started_at__gte=restored.to - LONGEST, start_received_at__lte=restored.to
    ).order_by("started_at", "pk")


def begun_since(restored: Restored) -> QuerySet[Transaction]:
    """Sessions that began after the backup was made and before the restore, and that their chargers
    have told again since: only those that they had not sent yet, or sent again."""
    return Transaction.objects.filter(
        started_at__gt=restored.to,
        started_at__lt=restored.at,
        start_received_at__gte=restored.at,
    ).order_by("started_at", "pk")


def quarantined_since(restored: Restored) -> QuerySet[QuarantinedMessage]:
    """Messages that fit no session, and came after the restore."""
    return QuarantinedMessage.objects.filter(received_at__gte=restored.at)
