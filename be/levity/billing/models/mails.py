"""Mails of closed statements: one row for each time that one is to be sent."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models.statements import Statement

__all__ = ["StatementMail"]


class StatementMail(models.Model):
    """A statement on its way to a household, and what became of it."""

    site_path = "statement__run__issuer__site"

    class State(models.TextChoices):
        """What became of it."""

        QUEUED = "queued", gettext_noop("waits to be sent")
        SENDING = "sending", gettext_noop("is being sent")
        SENT = "sent", gettext_noop("sent")
        REFUSED = "refused", gettext_noop("refused")
        UNCLEAR = "unclear", gettext_noop("may have arrived")

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="mails")
    address = models.EmailField(gettext_noop("e-mail"))
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    error = models.CharField(
        max_length=255, blank=True, help_text=gettext_noop("What the mail server said.")
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.CharField(max_length=150, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            # However often somebody clicks: there is one mail of a statement on its way at a time.
            models.UniqueConstraint(
                fields=["statement"],
                condition=models.Q(state__in=("queued", "sending")),
                name="statement_mail_on_its_way",
            )
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                condition=models.Q(state__in=("queued", "sending")),
                name="statement_mail_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.statement} to {self.address}"
