"""What Levity stores about a user in addition to Django."""

from binascii import unhexlify
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django_otp.plugins.otp_totp.models import TOTPDevice

from levity.secrets.sealing import is_fresh, is_sealed, seal, unseal

__all__ = ["Account", "Phone"]

PURPOSE = "key of a phone"


class Account(models.Model):
    """Which sites a user may see; a user without an account, or without a limit, sees all."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="account",
    )
    limited = models.BooleanField(
        "only the sites below",
        default=False,
        help_text=(
            "Limits this person to the charge points of these sites and what belongs to them. If "
            "no site is selected, the person sees none. Superusers see everything."
        ),
    )
    sites = models.ManyToManyField("ocpp.Site", blank=True, related_name="+")

    class Meta:
        verbose_name = "access"
        verbose_name_plural = "access"

    def __str__(self) -> str:
        return f"access of {self.user}"


class Phone(TOTPDevice):
    """django-otp's device of the second step, with its key sealed in the same column.

    An unencrypted key of an older release is sealed when the row is saved: with the next code, or
    by `prune`. Raises `Unreadable` if SECRET_KEY was lost.
    """

    class Meta:
        proxy = True
        default_permissions = ()

    @property
    def bin_key(self) -> bytes:
        """The key, as on the phone."""
        return unseal(self.key, PURPOSE) if is_sealed(self.key) else unhexlify(self.key.encode())

    @property
    def is_in_order(self) -> bool:
        """True if the key is sealed with today's SECRET_KEY."""
        return is_fresh(self.key, PURPOSE)

    def sealed_key(self) -> str:
        """The key, sealed with today's SECRET_KEY."""
        return seal(self.bin_key, PURPOSE)

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save with the key sealed."""
        if not self.is_in_order:
            self.key = self.sealed_key()
            update_fields = None if update_fields is None else {*update_fields, "key"}
        super().save(*args, update_fields=update_fields, **kwargs)
