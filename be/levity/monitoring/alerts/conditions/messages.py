"""Messages that wait for a person, and ids that run out."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Count

from levity.monitoring.alerts.conditions.finding import AT_MOST, Finding
from levity.monitoring.conf import setting
from levity.ocpp.models import (
    FailedMessage,
    MissedChange,
    QuarantinedMessage,
    Transaction,
)

__all__ = [
    "LAST_TRANSACTION_ID",
    "dead_letters",
    "failed_messages",
    "missed_changes",
    "quarantine",
    "transaction_ids",
    "transaction_ids_used",
]

LAST_TRANSACTION_ID = 2**31 - 1


def quarantine() -> list[Finding]:
    """Messages that wait for a person's decision, by site."""
    rows = (
        QuarantinedMessage.objects.filter(resolved_at__isnull=True)
        .order_by()
        .values_list("charge_point__site")
        .annotate(Count("pk"))
    )
    return [
        Finding(
            "quarantine",
            str(site or ""),
            f"{count} message{'s wait' if count > 1 else ' waits'} in quarantine",
            site=site,
        )
        for site, count in rows
    ]


def failed_messages() -> list[Finding]:
    """Frames at which our own code failed."""
    rows = FailedMessage.objects.filter(replayed_at__isnull=True).order_by()
    if not (count := rows[:AT_MOST].count()):
        return []
    plural = "s" if count > 1 else ""
    return [Finding("failed-message", "", f"{count} message{plural} failed and can be replayed")]


def missed_changes() -> list[Finding]:
    """Session changes at which an extension's receiver failed."""
    rows = MissedChange.objects.order_by().values_list("receiver").annotate(Count("pk"))
    return [
        Finding(
            "failed-message",
            f"receiver {name}",
            f"{name} has missed {count} change{'s' if count > 1 else ''} of sessions",
        )
        for name, count in rows
    ]


def dead_letters(reports: Iterable[dict[str, Any]]) -> list[Finding]:
    """Batches in the broker's dead-letter queue, as reported by the workers."""
    dead = max((int(report.get("dead_letters") or 0) for report in reports), default=0)
    if not dead:
        return []
    return [
        Finding("dead-letter", "", f"{dead} batches are in the dead-letter queue levity.rpc.dead")
    ]


def transaction_ids_used() -> int:
    """The last transaction id that was assigned or reserved."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [Transaction._meta.db_table])
            (sequence,) = cursor.fetchone()
            # The name comes from the server, quoted if necessary.
            cursor.execute(f"SELECT last_value FROM {sequence}")  # noqa: S608
            return int(cursor.fetchone()[0])
    with connection.cursor() as cursor:
        table = Transaction._meta.db_table
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def transaction_ids() -> list[Finding]:
    """T-20: the sequence approaches the end of OCPP 1.6's integer."""
    used = transaction_ids_used()
    percent = 100 * used / LAST_TRANSACTION_ID
    if percent < setting("OPERATION_TRANSACTION_ID_PERCENT"):
        return []
    left = LAST_TRANSACTION_ID - used
    return [
        Finding(
            "transaction-ids", "", f"{percent:.0f} % of the transaction ids are used; {left:,} left"
        )
    ]
