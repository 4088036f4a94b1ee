"""What holds for this installation as a whole, and was decided or done by a person: one row."""

from django.conf import settings
from django.db import models

__all__ = ["Installation"]

ONLY = 1


class Installation(models.Model):
    """Whether new charge points are let in, whether anybody outside was ever seen, when the
    database was restored, the mail server, and whether the first steps were done."""

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
    first_run_at = models.DateTimeField(
        null=True, blank=True, help_text="When the first steps were ended."
    )
    mail_server = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Its URL, sealed. EMAIL_URL counts before it.",
    )
    mail_from = models.CharField(max_length=254, blank=True, default="", db_default="")

    def __str__(self) -> str:
        return "this installation"

    @classmethod
    def get(cls) -> "Installation":
        """The only one, made where it is not there yet."""
        return cls.objects.get_or_create(pk=ONLY)[0]
