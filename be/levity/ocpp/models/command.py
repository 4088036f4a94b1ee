"""The queue of Calls to chargers."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.mass_command import MassCommand

__all__ = ["Command"]


def new_unique_id() -> str:
    """A message id: 36 characters, the most that OCPP-J 1.6, 4.1.4 allows."""
    return str(uuid.uuid4())


class Command(models.Model):
    """One Call to a charger, from the wish to its end. These rows are the queue itself.

    `queued -> sent -> answered | refused | timed_out`, or `queued -> expired | cancelled | failed`.
    """

    class State(models.TextChoices):
        """Where it is; the first two are open, the others are ends."""

        QUEUED = "queued"
        SENT = "sent", "sent, waiting for the answer"
        ANSWERED = "answered", "answered with a result"
        REFUSED = "refused", "answered with an error"
        TIMED_OUT = "timed_out", "no answer in time"
        EXPIRED = "expired", "not sent in time"
        CANCELLED = "cancelled"
        FAILED = "failed", "could not be sent"

    charge_point = models.ForeignKey(
        ChargePoint,
        # As each index of this table, it would be written two or three times for each command:
        # `command_of_charge_point` begins with it.
        db_index=False,
        on_delete=models.CASCADE,
        related_name="commands",
    )
    action = models.CharField(max_length=64)
    payload = models.JSONField(default=dict, blank=True)
    secret = models.TextField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The unmasked payload, encrypted; deleted when the command has finished.",
    )
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    unique_id = models.CharField(max_length=36, default=new_unique_id, unique=True, editable=False)

    priority = models.PositiveSmallIntegerField(
        default=1,
        db_default=1,
        editable=False,
        help_text="0: stops and unlocks, which go before all others; 1: everything else.",
    )
    tries = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="How often it was sent."
    )
    fingerprint = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Of action and payload, where there is an idempotency key.",
    )

    queue_offline = models.BooleanField(
        default=True,
        help_text="Wait while the charger is offline; otherwise fail at once.",
    )
    not_before = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    timeout = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Seconds to wait for the answer. Empty: the charger's setting.",
    )
    connection = models.UUIDField(
        null=True,
        blank=True,
        help_text="Send only on this websocket; once sent, the websocket used.",
    )
    only_connector = models.PositiveIntegerField(null=True, blank=True)
    only_status = models.CharField(
        max_length=64, blank=True, help_text="Send only while the connector has this status."
    )
    only_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Send only if the connector has had that status since then.",
    )
    idempotency_key = models.CharField(
        max_length=200,
        null=True,
        blank=True,
        help_text="Idempotency key: a second command with this key is ignored.",
    )

    mass = models.ForeignKey(
        MassCommand,
        null=True,
        blank=True,
        editable=False,
        # Most commands belong to none: see the index below.
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="commands",
        help_text="The command to many that it is a part of.",
    )

    source = models.CharField(
        max_length=100, blank=True, help_text="User, command or middleware that requested it."
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        # Most commands are no person's: see the index below.
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    requested_name = models.CharField(
        max_length=150,
        blank=True,
        default="",
        # An older process, which does not know the column, adds rows, too.
        db_default="",
        help_text="Who requested it, as the audit names them: a user, or a token and its owner.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    deadline = models.DateTimeField(
        null=True, blank=True, help_text="When the answer is considered lost."
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    answered_late = models.BooleanField(default=False)
    result = models.JSONField(null=True, blank=True)
    result_status = models.CharField(
        max_length=64, blank=True, help_text="The `status` of the answer, if any."
    )
    error_code = models.CharField(max_length=64, blank=True)
    error_description = models.TextField(blank=True)
    confirmed_by = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text="Evidence that the charger executed it although its answer was lost.",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            # OCPP-J 1.6, 4.1.1: one outstanding Call per charge point, whoever sends it.
            models.UniqueConstraint(
                fields=["charge_point"],
                name="command_one_outstanding",
                condition=models.Q(state="sent"),
            ),
            models.UniqueConstraint(
                fields=["charge_point", "idempotency_key"], name="command_idempotency"
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                name="command_queued",
                condition=models.Q(state="queued"),
            ),
            models.Index(
                fields=["charge_point", "priority", "id"],
                name="command_turn",
                condition=models.Q(state="queued"),
            ),
            models.Index(
                fields=["deadline"], name="command_sent", condition=models.Q(state="sent")
            ),
            models.Index(fields=["charge_point", "-id"], name="command_of_charge_point"),
            models.Index(
                fields=["mass"], name="command_of_mass", condition=models.Q(mass__isnull=False)
            ),
            models.Index(
                fields=["requested_by"],
                name="command_of_user",
                condition=models.Q(requested_by__isnull=False),
            ),
            models.Index(fields=["id"], name="command_with_secret", condition=~models.Q(secret="")),
        ]

    def __str__(self) -> str:
        # Who has no charge point loaded does not ask the database for a name.
        is_loaded = "charge_point" in self._state.fields_cache
        return f"{self.action} to {self.charge_point if is_loaded else self.charge_point_id}"
