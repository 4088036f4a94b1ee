"""Who may connect: the keys of charge points, wrong guesses, and handshakes that were refused."""

from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.command import Command

__all__ = ["AuthFailure", "Credential", "RefusedHandshake"]


class Credential(models.Model):
    """The key of a charge point: never the key itself, only a salted digest of it."""

    charge_point = models.OneToOneField(
        ChargePoint, on_delete=models.CASCADE, related_name="credential"
    )
    digest = models.CharField(max_length=200, blank=True, help_text="Empty: no key is set.")
    set_at = models.DateTimeField(null=True, blank=True)
    allow_short = models.BooleanField(
        "allow a short or empty key",
        default=False,
        help_text=(
            "For chargers such as Grizzl-E Smart Connect, which send an empty password. Anyone "
            "who knows the identity can then impersonate this charger."
        ),
    )
    next_digest = models.CharField(
        max_length=200, blank=True, help_text="Digest of the key being sent to the charger."
    )
    next_command = models.ForeignKey(
        Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    next_profile = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Profile that the charger has accepted but not used yet."
    )

    def __str__(self) -> str:
        return f"key of {self.charge_point_id}"


class AuthFailure(models.Model):
    """Wrong passwords from one address: for one identity, or (identity empty) for any.

    A leaky bucket as one number: `forgotten_at` is when all of them are forgotten;
    `insistent_forgotten_at` is another one, for keys that came again.
    """

    identity = models.CharField(max_length=48, blank=True, help_text="In lower case.")
    address = models.CharField(max_length=64)
    counted_at = models.FloatField(help_text="POSIX seconds of the last attempt that counted.")
    forgotten_at = models.FloatField(help_text="POSIX seconds.", db_index=True)
    insistent_forgotten_at = models.FloatField(
        default=0.0, db_default=0.0, help_text="POSIX seconds."
    )
    failures = models.PositiveIntegerField(default=1)
    last_guess = models.CharField(
        max_length=32,
        blank=True,
        help_text="Keyed digest, so that a repeated guess is not counted again.",
    )
    waiting = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Keys that were not checked: keyed digest, colon, POSIX seconds.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["identity", "address"], name="auth_failure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.identity or 'any'} from {self.address}"


class RefusedHandshake(models.Model):
    """A charger (or somebody) who was not let in: each path and reason once, and how often."""

    identity = models.CharField(max_length=48, blank=True, help_text="As in the URL.")
    address = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=32)
    status = models.PositiveSmallIntegerField(help_text="HTTP status of the answer.")
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    detail = models.CharField(max_length=255, blank=True)
    path = models.CharField(max_length=255, blank=True)
    user_agent = models.CharField(max_length=255, blank=True)
    subprotocols = models.CharField(max_length=255, blank=True)
    secure = models.BooleanField(default=False)
    edge = models.CharField(max_length=100, blank=True)
    key_digest = models.CharField(
        max_length=200, blank=True, help_text="Salted digest of the presented key."
    )
    key_length = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = "refused handshake"
        constraints = [
            models.UniqueConstraint(
                fields=["identity", "address", "reason", "path"], name="refused_handshake_once"
            ),
        ]
        indexes = [models.Index(fields=["-last_at"], name="refused_handshake_last")]

    def __str__(self) -> str:
        return f"{self.identity or self.path or self.address}: {self.reason}"
