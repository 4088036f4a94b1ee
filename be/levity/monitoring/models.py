"""The running workers, alerts, and notices."""

from django.db import models
from django.utils import timezone

from levity.monitoring.kinds import KINDS, Severity
from levity.ocpp.models import ChargePoint, Site
from levity.secrets.sealing import is_fresh, seal, unseal

__all__ = ["SECRET_FIELDS", "Alert", "AlertDelivery", "AlertRule", "Duty", "Worker"]

SECRET_FIELDS = ("sealed_secret", "webhook_secret")
PURPOSE = "webhook secret"


def kind_choices() -> list[tuple[str, str]]:
    """The kinds of alerts. Called anew each time: another kind needs no migration."""
    return [(name, kind.title) for name, kind in KINDS.items()]


class Worker(models.Model):
    """A running worker, as last reported; one that ends cleanly deletes its row."""

    id = models.CharField(max_length=100, primary_key=True)
    started_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField()
    report = models.JSONField(default=dict, help_text="What it knows about the broker.")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.id


class Duty(models.Model):
    """A duty that only one process has: which one, and until when."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=100)
    until = models.DateTimeField()
    report = models.JSONField(default=dict, help_text="What its holder last found.")

    class Meta:
        verbose_name_plural = "duties"

    def __str__(self) -> str:
        return self.name


class AlertRule(models.Model):
    """Who is notified of which alerts, how, and when not."""

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField(default=True)
    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Only alerts about this site's chargers. Empty: all.",
    )
    kinds = models.JSONField(
        default=list, blank=True, help_text="Only alerts of these kinds. None selected: all."
    )
    least_severity = models.CharField(
        "severity", max_length=8, choices=Severity, default=Severity.WARNING, help_text="At least."
    )
    emails = models.TextField(
        "e-mail to", blank=True, help_text="E-mail addresses, separated by commas or line breaks."
    )
    webhook_url = models.CharField(
        "webhook",
        max_length=500,
        blank=True,
        help_text=(
            "Receives a signed JSON POST (docs/monitoring.md). Slack and Mattermost show its text."
        ),
    )
    # Unencrypted, from an older release: sealed within a minute, and then empty. Workers of that
    # release read it here while they still run.
    webhook_secret = models.CharField(
        max_length=200, blank=True, help_text="Signs the webhook's body (HMAC-SHA256)."
    )
    sealed_secret = models.TextField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The webhook secret, encrypted.",
    )
    quiet_from = models.TimeField(
        null=True,
        blank=True,
        help_text="In the site's time zone. Critical alerts are sent regardless.",
    )
    quiet_until = models.TimeField(null=True, blank=True)
    send_recovered = models.BooleanField(
        default=True, help_text="Also notify when an alert is resolved."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def keep_secret(self, secret: str) -> None:
        """Set this secret for the webhook; save it with `SECRET_FIELDS`."""
        self.sealed_secret = seal(secret.encode(), PURPOSE) if secret else ""
        self.webhook_secret = ""

    def secret(self) -> str:
        """The secret that signs the webhook; empty: unsigned. Raises `Unreadable` if SECRET_KEY was
        lost."""
        if self.webhook_secret or not self.sealed_secret:
            return self.webhook_secret
        return unseal(self.sealed_secret, PURPOSE).decode()

    def seal_again(self) -> bool:
        """Seal a secret that is unencrypted or sealed with an older SECRET_KEY; False if there is
        none."""
        in_order = not self.sealed_secret or is_fresh(self.sealed_secret, PURPOSE)
        if in_order and not self.webhook_secret:
            return False
        self.keep_secret(self.secret())
        return True


class Alert(models.Model):
    """Something went wrong: once raised, it is the same alert until it is resolved."""

    kind = models.CharField(max_length=32, choices=kind_choices)
    severity = models.CharField(max_length=8, choices=Severity)
    # Empty once it is over: then the same subject may raise the next alert. Single events keep it,
    # so that they are reported once.
    key = models.CharField(max_length=200, null=True, unique=True, editable=False)
    charge_point = models.ForeignKey(
        ChargePoint, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    site = models.ForeignKey(
        Site, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    summary = models.CharField(max_length=255)
    detail = models.TextField(blank=True)
    raised_at = models.DateTimeField(db_index=True)
    last_at = models.DateTimeField(help_text="When it was last seen.")
    ended_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was acknowledged."
    )
    acknowledged_by = models.CharField(
        max_length=150, blank=True, default="", db_default="", help_text="User name at that time."
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["kind"], name="alert_open", condition=models.Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.summary


class AlertDelivery(models.Model):
    """One notice of one alert to one address, sent once, even if processes restart meanwhile."""

    class Notice(models.TextChoices):
        """What it tells."""

        RAISED = "raised"
        WORSE = "worse"
        RECOVERED = "recovered", "resolved"

    class Channel(models.TextChoices):
        """How."""

        EMAIL = "email", "e-mail"
        WEBHOOK = "webhook"

    class State(models.TextChoices):
        """What became of it."""

        QUEUED = "queued", "waits"
        SENT = "sent"
        FAILED = "failed", "given up"
        SKIPPED = "skipped", "no longer needed"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    rule = models.ForeignKey(
        AlertRule,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Empty for LEVITY_ALERT_EMAIL and LEVITY_ALERT_WEBHOOK.",
    )
    notice = models.CharField(max_length=10, choices=Notice)
    channel = models.CharField(max_length=8, choices=Channel)
    target = models.CharField(max_length=500)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    not_before = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "alert deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "notice", "channel", "target"], name="alert_told_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                name="alert_delivery_due",
                condition=models.Q(state="queued"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.target}"
