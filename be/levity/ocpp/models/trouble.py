"""What could not be recorded as it came: nothing is dropped, everything has its reason."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint

__all__ = [
    "FailedMessage",
    "FrameAttempt",
    "MissedChange",
    "QuarantinedMessage",
    "SecurityEvent",
]


class QuarantinedMessage(models.Model):
    """A message that was answered but does not fit what is recorded; a person decides.

    OCPP 1.6 4.8 and 4.10: failed sanity checks never suppress the answer to StartTransaction
    and StopTransaction.
    """

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="quarantined_messages"
    )
    action = models.CharField(max_length=64)
    unique_id = models.CharField(max_length=64, blank=True)
    connection = models.UUIDField(null=True, blank=True)
    payload = models.TextField(help_text="Payload of the Call as JSON.")
    payload_hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=255)
    transaction = models.IntegerField(
        null=True, blank=True, help_text="The transactionId in the message or in its answer."
    )
    received_at = models.DateTimeField(help_text="When it first arrived.")
    last_received_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was last repeated."
    )
    repeated = models.PositiveIntegerField(default=0, help_text="Number of repetitions.")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=255, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    resolved_to = models.ForeignKey(
        "ocpp.Transaction",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="quarantined_messages",
        help_text="The transaction that it was attached to, or that was created from it.",
    )
    undo = models.JSONField(
        null=True, blank=True, editable=False, help_text="Values before the decision."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["charge_point", "action", "payload_hash"], name="quarantined_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["charge_point", "-id"],
                name="quarantined_open",
                condition=models.Q(resolved_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.reason}"


class FailedMessage(models.Model):
    """A frame at which our own code failed; `manage.py replay_failed` takes it again."""

    charge_point = models.ForeignKey(
        ChargePoint, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    identity = models.CharField(max_length=48)
    connection = models.UUIDField()
    seq = models.BigIntegerField()
    action = models.CharField(max_length=64, blank=True)
    text = models.TextField(help_text="The frame.")
    subprotocol = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text="What the connection had negotiated: the OCPP version of the frame.",
    )
    received_at = models.DateTimeField()
    failed_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=1)
    traceback = models.TextField(blank=True)
    replayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "seq"], name="failed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.identity} {self.action}".strip()


class FrameAttempt(models.Model):
    """A frame of a redelivered batch that is being tried; found again, it killed its worker."""

    connection = models.UUIDField()
    seq = models.BigIntegerField()
    attempts = models.PositiveIntegerField(default=1)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "seq"], name="frame_attempt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.connection} {self.seq}"


class MissedChange(models.Model):
    """Changes of sessions that a receiver of `sessions_changed` failed at, or that came behind
    such ones: they are told again in the order of their ids. See `levity.ocpp.changes`."""

    receiver = models.CharField(max_length=255, help_text="As OCPP_SESSIONS_CHANGED names it.")
    changes = models.JSONField(help_text="A list of [before, after].")
    traceback = models.TextField(blank=True, help_text="Empty: it waits behind an earlier one.")
    failed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["receiver", "id"], name="missed_change_in_order")]

    def __str__(self) -> str:
        return f"{self.receiver}: {len(self.changes)}"


class SecurityEvent(models.Model):
    """Something that may be an attack, said by the charger or noticed here."""

    charge_point = models.ForeignKey(
        ChargePoint, null=True, blank=True, on_delete=models.CASCADE, related_name="security_events"
    )
    type = models.CharField(max_length=64)
    detail = models.TextField(blank=True)
    at = models.DateTimeField(help_text="The charger's clock, or ours.")
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.type
