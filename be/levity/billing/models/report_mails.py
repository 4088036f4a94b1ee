"""Who gets the reports of each month by mail."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.ocpp.models import Site

__all__ = ["ReportMail"]


class ReportMail(models.Model):
    """An address that gets the reports of the month before, at the beginning of each month."""

    site_path = "site"

    class State(models.TextChoices):
        """What became of the last one."""

        WAITING = "waiting", gettext_noop("waits for the next month")
        SENDING = "sending", gettext_noop("is being sent")
        SENT = "sent", gettext_noop("sent")
        REFUSED = "refused", gettext_noop("refused")
        UNCLEAR = "unclear", gettext_noop("may have arrived")

    address = models.EmailField("e-mail")
    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=gettext_noop("Whose figures it gets. Empty: those of all sites."),
    )
    last_month = models.CharField(
        max_length=7, editable=False, help_text="The month that was sent last, such as 2026-11."
    )
    state = models.CharField(max_length=8, choices=State, default=State.WAITING, editable=False)
    error = models.CharField(max_length=255, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    not_before = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["address", "pk"]
        verbose_name = gettext_noop("monthly report")
        constraints = [
            models.UniqueConstraint(
                "address",
                models.functions.Coalesce("site", 0),
                name="report_mail_once",
                violation_error_message=gettext_noop("This address gets these reports already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.address}, {self.site}" if self.site else self.address
