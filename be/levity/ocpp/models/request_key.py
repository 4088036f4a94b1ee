"""What was asked for with a key, so that it is done once however often it is asked for."""

from django.db import models
from django.utils import timezone

__all__ = ["RequestKey"]


class RequestKey(models.Model):
    """A request with an `Idempotency-Key`, or a form that was sent; kept for a week."""

    key = models.CharField(max_length=80, unique=True, help_text="Digest of its owner and the key.")
    fingerprint = models.CharField(max_length=64, help_text="Digest of address and content.")
    object_id = models.BigIntegerField(null=True, help_text="Key of the row that was made.")
    location = models.TextField(blank=True, default="", help_text="Where the form led to.")
    said = models.JSONField(
        default=list, blank=True, help_text="What the form's sender was told: level, text."
    )
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.key
