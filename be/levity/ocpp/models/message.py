"""The log: every frame in both directions, and every connection."""

from django.db import models

from levity.ocpp.models.charge_point import ChargePoint

__all__ = ["ConnectionEvent", "Message"]


class Message(models.Model):
    """One exchange: a frame and what it was answered with, side by side.

    A frame that answers nothing and gets no answer (not JSON, an unknown message type, an answer
    nobody waits for) has its row too, with the reason in `error_description`.
    """

    class Sender(models.TextChoices):
        """Who spoke first."""

        CHARGE_POINT = "cp", "charge point"
        CENTRAL_SYSTEM = "cs", "central system"

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    connection = models.UUIDField()
    seq = models.BigIntegerField(
        null=True, help_text="The frame's number on its connection. Empty for frames that we sent."
    )
    sender = models.CharField(max_length=2, choices=Sender, default=Sender.CHARGE_POINT)
    unique_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=64, blank=True)
    transaction = models.IntegerField(null=True, blank=True, help_text="The transactionId.")
    request = models.TextField(help_text="The frame as transmitted.")
    response = models.TextField(blank=True, help_text="The frame of the answer.")
    error_code = models.CharField(max_length=64, blank=True)
    error_description = models.TextField(blank=True)
    received_at = models.DateTimeField(help_text="When the request passed through the edge.")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            # An event of the envelope is taken once, even if two workers hold it at once; and
            # the same index finds the stored answer to a repeated unique id.
            models.UniqueConstraint(fields=["connection", "unique_id", "seq"], name="message_once"),
        ]
        indexes = [
            # Only the last days are rows, and pages look through as many as are good for one: so
            # no index knows the action. Ascending, for new rows are the newest.
            models.Index(fields=["charge_point", "received_at"], name="message_of_charge_point"),
            models.Index(fields=["received_at"], name="message_received"),
            models.Index(
                fields=["received_at"], name="message_error", condition=~models.Q(error_code="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action or 'frame'} {self.unique_id}".strip()


class ConnectionEvent(models.Model):
    """A websocket opened, closed, was refused or fell silent."""

    class Kind(models.TextChoices):
        """What happened."""

        CONNECTED = "connected"
        DISCONNECTED = "disconnected"
        REFUSED = "refused"
        SILENT = "silent", "silent for two heartbeats"

    charge_point = models.ForeignKey(
        ChargePoint,
        null=True,
        blank=True,
        # `connection_event_of_cp` begins with it.
        db_index=False,
        on_delete=models.CASCADE,
        related_name="connection_events",
    )
    identity = models.CharField(max_length=48, help_text="As in the URL.")
    connection = models.UUIDField()
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    edge = models.CharField(max_length=100, blank=True)
    remote_address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=255, blank=True)
    subprotocol = models.CharField(max_length=255, blank=True)
    code = models.IntegerField(
        null=True, blank=True, help_text="RFC 6455 close code or HTTP status."
    )
    reason = models.CharField(max_length=255, blank=True)
    silent_for = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Seconds since its last frame, if it may have been closed for being idle.",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind"], name="connection_event_once"),
        ]
        indexes = [
            models.Index(fields=["charge_point", "-id"], name="connection_event_of_cp"),
            models.Index(fields=["at"], name="connection_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.identity} {self.kind}"
