"""What is known of logins goes when the log goes: addresses are personal data."""

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
    """Delete sessions that have ended, and logins and failures that are older than the log; and
    leave no secret in clear that an older release wrote."""
    second_step.tidy()
    Session.objects.filter(expire_date__lt=now).delete()
    if oldest is not None:
        AccessLog.objects.filter(attempt_time__lt=oldest).delete()
        AccessAttempt.objects.filter(attempt_time__lt=oldest).delete()
