"""Login records are deleted together with the log, because addresses are personal data."""

from datetime import datetime
from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.dispatch import receiver

from levity.accounts import second_step
from levity.ocpp.decisions.retention import pruned

__all__ = ["prune_logins"]


@receiver(pruned, dispatch_uid="levity.accounts.retention")
def prune_logins(sender: Any, now: datetime, oldest: datetime | None, **kwargs: Any) -> None:
    """Delete expired sessions, and logins and failures that are older than the log; and encrypt
    secrets that an older release stored unencrypted."""
    second_step.tidy()
    Session.objects.filter(expire_date__lt=now).delete()
    if oldest is not None:
        AccessLog.objects.filter(attempt_time__lt=oldest).delete()
        AccessAttempt.objects.filter(attempt_time__lt=oldest).delete()
