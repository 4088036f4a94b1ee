"""Tokens of programs that use the API."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

__all__ = ["ApiToken", "Scope"]


class Scope(models.TextChoices):
    """What a token may do: the same as the role of that name."""

    READ = "read", "read: look at everything, change nothing"
    OPERATE = "operate", "operate: also send commands, change charge points and tags"
    ADMIN = "admin", "admin: also delete, and manage sites"


class ApiToken(models.Model):
    """A program's way in. The token itself is shown once and never stored, only its digest."""

    name = models.CharField(max_length=100, help_text="What uses it, such as “billing export”.")
    scope = models.CharField(max_length=8, choices=Scope, default=Scope.READ)
    limited = models.BooleanField(
        "only the sites below",
        default=False,
        help_text=(
            "Limits the token to the charge points of these sites and what belongs to them. If no "
            "site is selected, it sees none."
        ),
    )
    sites = models.ManyToManyField("ocpp.Site", blank=True, related_name="+")
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the secret.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        # Without its owner it would have more rights than before.
        on_delete=models.CASCADE,
        related_name="api_tokens",
        help_text=(
            "Who created it: the token never has more rights than this user. Empty: the command "
            "line."
        ),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="To within a minute."
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    def why_invalid(self, now: datetime) -> str:
        """Why it opens nothing any more; empty: it is valid."""
        if self.revoked_at is not None:
            return "was revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "has expired"
        if self.owner is not None and not self.owner.is_active:
            return "belongs to a user who is no longer active"
        if self.owner is not None and not self.owner.is_staff:
            return "belongs to a user who may no longer use the pages"
        return ""
