"""Connectors that are kept for somebody."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.command import Command
from levity.ocpp.models.transaction import Transaction

__all__ = ["Reservation"]


class Reservation(models.Model):
    """A connector, or any of a charger's, kept for one id tag until a time.

    `requested -> active -> used | expired | cancelled`, or `requested -> refused | failed`.
    """

    class State(models.TextChoices):
        """Where it is; the first three may still hold the connector."""

        REQUESTED = "requested", "requested, not confirmed yet"
        ACTIVE = "active"
        UNANSWERED = "unanswered", "not answered; the charger may hold it"
        REFUSED = "refused", "refused by the charger"
        FAILED = "failed", "never sent"
        USED = "used"
        EXPIRED = "expired"
        CANCELLED = "cancelled"
        CANCEL_REFUSED = "cancel_refused", "unknown to the charger when it was cancelled"

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="reservations"
    )
    number = models.BigIntegerField(help_text="The reservation's id at the charger.")
    connector = models.PositiveIntegerField(help_text="0: any connector of the charger.")
    id_tag = models.CharField("id tag", max_length=255)
    parent_id_tag = models.CharField(
        "group",
        max_length=255,
        blank=True,
        help_text="Tags of this group may use the reservation as well.",
    )
    ends_at = models.DateTimeField("ends", null=True, blank=True)
    state = models.CharField(max_length=14, choices=State, default=State.REQUESTED)
    said = models.CharField(
        "answer", max_length=64, blank=True, help_text="What the charger answered."
    )
    detail = models.CharField(max_length=255, blank=True)
    requested_at = models.DateTimeField("requested", default=timezone.now)
    answered_at = models.DateTimeField("answered", null=True, blank=True)
    ended_at = models.DateTimeField(
        "ended", null=True, blank=True, help_text="When it was used, cancelled, or over."
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    command = models.OneToOneField(
        Command,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="reservation",
        help_text="The command that brought it to the charger.",
    )
    cancel_command = models.ForeignKey(
        Command,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The newest command that was to cancel it.",
    )
    transaction = models.ForeignKey(
        Transaction,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The session that used it.",
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["charge_point"],
                name="reservation_open",
                condition=models.Q(state__in=("requested", "active", "unanswered")),
            ),
            models.Index(fields=["charge_point", "-id"], name="reservation_of_cp"),
        ]

    def __str__(self) -> str:
        is_loaded = "charge_point" in self._state.fields_cache
        name = self.charge_point if is_loaded else self.charge_point_id
        return f"{name} · {self.connector or 'any connector'}"
