"""A command that somebody sent to many charge points at once."""

from django.conf import settings
from django.db import models
from django.utils import timezone

__all__ = ["MassCommand"]


class MassCommand(models.Model):
    """Who asked for what, of how many; its commands are rows of their own, one a charge point."""

    action = models.CharField(max_length=64)
    payload = models.JSONField(default=dict, blank=True, help_text="Without secrets.")
    is_masked = models.BooleanField(
        default=False, help_text="Secrets were masked: it can't be sent again from here."
    )
    queue_offline = models.BooleanField(default=True)
    source = models.CharField(max_length=100, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_name = models.CharField(
        max_length=150,
        blank=True,
        default="",
        # An older process, which does not know the column, adds rows, too.
        db_default="",
        help_text="Who requested it, as the audit names them: a user, or a token and its owner.",
    )
    retry_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} to many (no. {self.pk})"
