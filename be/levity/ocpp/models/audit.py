"""Who decided what here: one row for each row that a person, or the command line, changed."""

from django.conf import settings
from django.db import models
from django.utils import timezone

__all__ = ["AuditEntry"]


class AuditEntry(models.Model):
    """One decision about one row. It outlives the row and the user, and holds no secrets."""

    at = models.DateTimeField(default=timezone.now)
    who = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    who_name = models.CharField(
        max_length=150, blank=True, help_text="User name at that time; empty: the command line."
    )
    kind = models.CharField(max_length=100, help_text="The model, such as ocpp.chargepoint.")
    object_id = models.CharField(max_length=64)
    object_name = models.CharField(max_length=200)
    what = models.CharField(max_length=255)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["kind", "object_id", "-id"], name="audit_of_object"),
            models.Index(fields=["kind", "-id"], name="audit_of_kind"),
            models.Index(fields=["who_name", "-id"], name="audit_of_user"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.who_name or 'the command line'}: {self.what} ({self.object_name})"
