"""What Levity knows of a person beside Django's user."""

from django.conf import settings
from django.db import models

__all__ = ["Account"]


class Account(models.Model):
    """Which sites a person may see; one who has no account, or is not limited, sees all."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="account",
    )
    limited = models.BooleanField(
        "only the sites below",
        default=False,
        help_text="Then this person sees the charge points of these sites and what belongs to "
        "them, and nothing else; of no site, if none is chosen. A superuser sees everything.",
    )
    sites = models.ManyToManyField("ocpp.Site", blank=True, related_name="+")

    class Meta:
        verbose_name = "access"
        verbose_name_plural = "access"

    def __str__(self) -> str:
        return f"access of {self.user}"
