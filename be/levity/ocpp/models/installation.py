"""What holds for this installation as a whole, and was decided or done by a person: one row."""

from django.conf import settings
from django.db import models

__all__ = ["Installation"]

ONLY = 1


class Installation(models.Model):
    """Whether new charge points are let in, whether anybody outside was ever seen, and when the
    database was restored."""

    closed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when no new charge points are admitted. Empty: they are admitted.",
    )
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    outside_seen_at = models.DateTimeField(
        null=True, blank=True, help_text="When a charger first connected from a public address."
    )
    outside_address = models.CharField(max_length=45, blank=True, default="", db_default="")
    restored_at = models.DateTimeField(
        null=True, blank=True, help_text="When the database was last restored from a backup."
    )
    restored_to = models.DateTimeField(
        null=True,
        blank=True,
        help_text="The newest entry of that backup: what came after it is missing.",
    )

    def __str__(self) -> str:
        return "this installation"

    @classmethod
    def get(cls) -> "Installation":
        """The only one, made where it is not there yet."""
        return cls.objects.get_or_create(pk=ONLY)[0]
