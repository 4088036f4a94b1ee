"""The outbox, and who reads it."""

from datetime import datetime

from django.db import models
from django.utils import timezone

from levity.ocpp.models import Site
from levity.secrets.sealing import seal, unseal

__all__ = ["Delivery", "Event", "Horizon", "MqttDevice", "Reader", "Turn", "Webhook"]


class Event(models.Model):
    """Something that happened, written in the transaction in which it did (docs/events.md).

    Ids grow, but two transactions may commit in another order than they took theirs: readers read
    up to the `Horizon` only. No index but that of the id, and no foreign key: rows are many and
    short-lived, and say what was true then.
    """

    type = models.CharField(max_length=32)
    at = models.DateTimeField(help_text="When it happened, by our clock.")
    charge_point = models.BigIntegerField(null=True, blank=True)
    identity = models.CharField(max_length=48, blank=True)
    site = models.BigIntegerField(null=True, blank=True, help_text="Its site at that time.")
    id_tag = models.CharField(
        max_length=255, blank=True, help_text="Only for receivers that may see id tags."
    )
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.type} {self.identity}".strip()


class Horizon(models.Model):
    """The newest event before which none can be committed any more: one row."""

    event = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"up to {self.event}"


class Reader(models.Model):
    """Who reads the outbox without a webhook, and which types: the event feed's tokens, MQTT.

    One that has not read for some days counts no longer (`outbox.FORGOTTEN`).
    """

    name = models.CharField(max_length=100, primary_key=True)
    types = models.JSONField(default=list, blank=True, help_text="Empty: all.")
    read_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


PURPOSE = "webhook of events"


class Webhook(models.Model):
    """An address that is sent events, signed by Standard Webhooks 1.0.0."""

    name = models.CharField(max_length=100, unique=True)
    url = models.CharField("address", max_length=500)
    enabled = models.BooleanField(default=True)
    types = models.JSONField(
        default=list, blank=True, help_text="Only events of these types. None selected: all."
    )
    sites = models.ManyToManyField(
        Site,
        blank=True,
        related_name="+",
        help_text="Only events of these sites' chargers. None selected: all.",
    )
    may_see_tags = models.BooleanField(
        "may see id tags", default=False, help_text="Events name the id tag of the driver."
    )
    sealed_secret = models.TextField(editable=False)
    sealed_old_secret = models.TextField(
        blank=True, default="", editable=False, help_text="Signs as well, for a day."
    )
    old_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    position = models.BigIntegerField(
        default=0, editable=False, help_text="The newest event that has a delivery, or needs none."
    )
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(
        default=0, editable=False, help_text="Attempts that failed since the last that did not."
    )
    error = models.CharField(max_length=255, blank=True, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def keep_secret(self, secret: str) -> None:
        """Sign with this from now on."""
        self.sealed_secret = seal(secret.encode(), PURPOSE)

    def secrets(self, now: datetime) -> list[str]:
        """What signs, the newest first. Raises `Unreadable` if SECRET_KEY was changed."""
        sealed = [self.sealed_secret]
        if self.sealed_old_secret and self.old_secret_until and now < self.old_secret_until:
            sealed.append(self.sealed_old_secret)
        return [unseal(text, PURPOSE).decode() for text in sealed]


class Delivery(models.Model):
    """One event for one webhook: what waits, and the log of what was sent."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", "waits"
        SENT = "sent"
        DEAD = "dead", "given up"
        DISCARDED = "discarded"

    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event = models.BigIntegerField()
    type = models.CharField(max_length=32)
    charge_point = models.BigIntegerField(default=0, help_text="0: about none.")
    identity = models.CharField(max_length=48, blank=True)
    at = models.DateTimeField(help_text="When it happened.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveIntegerField(null=True, blank=True, help_text="Of the last answer.")
    error = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-event"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="delivered_once"),
        ]
        indexes = [
            # Of those that wait only: small, however long the log is.
            models.Index(
                fields=["webhook", "charge_point", "event"],
                name="delivery_waiting",
                condition=models.Q(state="waiting"),
            ),
            models.Index(fields=["-event"], name="delivery_dead", condition=models.Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.type} to {self.webhook}"


class MqttDevice(models.Model):
    """A charger as MQTT has it: where its topics are, and the energy that was told."""

    charge_point = models.BigIntegerField(primary_key=True)
    base = models.CharField(max_length=255, help_text="Its topics, without the prefix.")
    counters = models.JSONField(
        default=dict, help_text="Wh that was told last of each connector: it never falls."
    )

    def __str__(self) -> str:
        return self.base


class Turn(models.Model):
    """The one process that delivers: which one, until when, and what it says of itself."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=100)
    until = models.DateTimeField()
    report = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
