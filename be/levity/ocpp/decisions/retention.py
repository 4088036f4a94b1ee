"""What is thrown away in the end: the log, never the ledger.

Messages and the history of connections and connectors go after OCPP_MESSAGE_RETENTION_DAYS, and
so does what was quarantined or had failed, counted from when it was dealt with: all of them hold
id tags. Transactions and their meter values stay for ever; so does what waits for a person. The
messages of which sessions are made stay for OCPP_LEDGER_FRAMES_YEARS.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import models, transaction
from django.dispatch import Signal

from levity.ocpp.conf import setting
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConfigurationChange,
    ConnectionEvent,
    FailedMessage,
    FileJob,
    FrameAttempt,
    InstalledCertificate,
    InstalledProfile,
    MassCommand,
    QuarantinedMessage,
    RefusedHandshake,
    Reservation,
    SecurityEvent,
    StatusEvent,
)
from levity.ocpp.once import forget_request_keys
from levity.ocpp.store.configuration import BY_READING
from levity.ocpp.store.messages.thinning import forget_ledger, thin

__all__ = ["prune", "pruned"]

# Sent at the end of each pruning with `now` and `oldest` (None: the log is kept for ever), so that
# other apps throw their part away, too.
pruned = Signal()

# Small enough that a charger's frame never waits noticeably for the write lock.
AT_ONCE = 2000
MESSAGES = "messages"


def prune(now: datetime, progress: Callable[[str, int], None] | None = None) -> dict[str, int]:
    """Delete what is older than the settings allow, in bounded batches; how much of each.

    `progress` is told the name of the table and the rows so far after every batch.
    """
    forget_request_keys(now)
    days = setting("OCPP_MESSAGE_RETENTION_DAYS")
    if not days:
        pruned.send(sender=None, now=now, oldest=None)
        return {}
    oldest = now - timedelta(days=days)
    deleted = {MESSAGES: _forget_messages(now, oldest, progress)}
    for rows in (
        # The beginning of a connection that still stands tells that it is no stranger.
        ConnectionEvent.objects.filter(at__lt=oldest).exclude(
            connection__in=ChargePoint.objects.filter(connection__isnull=False).values("connection")
        ),
        StatusEvent.objects.filter(received_at__lt=oldest),
        Command.objects.filter(finished_at__lt=oldest),
        MassCommand.objects.filter(created_at__lt=oldest).exclude(
            pk__in=Command.objects.filter(mass__isnull=False).values("mass")
        ),
        # What somebody here has changed stays: who set this, is asked after years.
        ConfigurationChange.objects.filter(at__lt=oldest, how=BY_READING),
        FileJob.objects.filter(finished_at__lt=oldest),
        Reservation.objects.filter(ended_at__lt=oldest),
        InstalledProfile.objects.filter(ended_at__lt=oldest),
        InstalledCertificate.objects.filter(ended_at__lt=oldest),
        FrameAttempt.objects.filter(at__lt=oldest),
        QuarantinedMessage.objects.filter(resolved_at__lt=oldest),
        FailedMessage.objects.filter(replayed_at__lt=oldest),
        SecurityEvent.objects.filter(received_at__lt=oldest),
        RefusedHandshake.objects.filter(last_at__lt=oldest),
    ):
        name = str(rows.model._meta.verbose_name_plural)
        deleted[name] = 0
        while count := _delete_some(rows):
            deleted[name] += count
            if progress is not None:
                progress(name, deleted[name])
    pruned.send(sender=None, now=now, oldest=oldest)
    return deleted


def _forget_messages(
    now: datetime, oldest: datetime, progress: Callable[[str, int], None] | None
) -> int:
    def told(count: int) -> None:
        if progress is not None and count:
            progress(MESSAGES, count)

    forgotten = thin(oldest, told)
    if years := setting("OCPP_LEDGER_FRAMES_YEARS"):
        forgotten += forget_ledger(now - timedelta(days=round(365.25 * years)))
    return forgotten


def _delete_some(rows: "models.QuerySet[models.Model]") -> int:
    with transaction.atomic():
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
        if not keys:
            return 0
        return rows.filter(pk__in=keys).delete()[0]
