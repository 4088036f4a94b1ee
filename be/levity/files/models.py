"""What chargers uploaded, firmware for them, and its way to many of them."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from levity.ocpp.models import ChargePoint, FileJob

__all__ = ["Campaign", "CampaignTarget", "Drop", "Firmware", "StoredFile"]


class Firmware(models.Model):
    """A firmware that was uploaded here once, for any number of chargers."""

    vendor = models.CharField(
        max_length=255, blank=True, help_text="As the chargers report it. Empty: any."
    )
    model = models.CharField(
        max_length=255, blank=True, help_text="As the chargers report it. Empty: any."
    )
    version = models.CharField(
        max_length=255, help_text="As the charger will report it once it is installed."
    )
    note = models.TextField(blank=True)
    name = models.CharField(max_length=255, help_text="File name.")
    size = models.BigIntegerField(default=0, help_text="Bytes.")
    sha256 = models.CharField(max_length=64, help_text="Checksum (SHA-256), hexadecimal.")
    path = models.CharField(max_length=100, editable=False)
    signing_certificate = models.TextField(
        blank=True,
        help_text="From the manufacturer (PEM), for chargers that check signatures. Else empty.",
    )
    signature = models.TextField(
        blank=True, help_text="From the manufacturer (Base64), for chargers that check signatures."
    )
    uploaded_at = models.DateTimeField(default=timezone.now)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "firmware"

    def __str__(self) -> str:
        return " ".join(part for part in (self.vendor, self.model, self.version) if part)


class Drop(models.Model):
    """The place of one job: who has its token may upload to it, or fetch its firmware, for a while.

    The token itself is in the command only, sealed there until that has ended.
    """

    class Protocol(models.TextChoices):
        """How the charger comes."""

        HTTP = "http", "HTTP"
        HTTPS = "https", "HTTPS"
        FTP = "ftp", "FTP"

    job = models.OneToOneField(FileJob, on_delete=models.CASCADE, related_name="drop")
    protocol = models.CharField(max_length=5, choices=Protocol)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    firmware = models.ForeignKey(
        Firmware, null=True, blank=True, on_delete=models.PROTECT, related_name="drops"
    )
    shown_url = models.CharField(max_length=255, help_text="Without its token.")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    requests = models.PositiveIntegerField(default=0, help_text="Times the charger came.")
    last_request_at = models.DateTimeField(null=True, blank=True)
    sent_bytes = models.BigIntegerField(default=0, help_text="Bytes asked for by the charger.")
    trouble = models.CharField(max_length=255, blank=True, help_text="What was refused, and why.")

    class Meta:
        indexes = [models.Index(fields=["protocol", "expires_at"], name="drop_open")]

    def __str__(self) -> str:
        return self.shown_url


class StoredFile(models.Model):
    """What a charger uploaded. Names are data: the file lies under a name of Levity's own."""

    job = models.ForeignKey(
        FileJob, null=True, blank=True, on_delete=models.SET_NULL, related_name="files"
    )
    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="stored_files"
    )
    name = models.CharField(max_length=255, help_text="As the charger calls it.")
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64, help_text="Checksum (SHA-256), hexadecimal.")
    path = models.CharField(max_length=100, editable=False)
    is_complete = models.BooleanField(
        default=True, help_text="False: the connection ended before all of it had come."
    )
    protocol = models.CharField(max_length=5, choices=Drop.Protocol)
    remote_address = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = "file"

    def __str__(self) -> str:
        return self.name


class Campaign(models.Model):
    """One firmware for many chargers, in waves; it stops by itself when too many fail."""

    class State(models.TextChoices):
        """How far it is."""

        SCHEDULED = "scheduled"
        RUNNING = "running"
        PAUSED = "paused"
        STOPPED = "stopped", "stopped: too many failures"
        DONE = "done"
        CANCELLED = "cancelled"

    firmware = models.ForeignKey(Firmware, on_delete=models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=State, default=State.SCHEDULED)
    wave_size = models.PositiveIntegerField(default=5, help_text="Charge points of one wave.")
    pause_minutes = models.PositiveIntegerField(
        default=10, help_text="Minutes between the end of a wave and the next."
    )
    stop_after = models.PositiveIntegerField(
        default=1, help_text="Stop by itself when so many have failed."
    )
    only_idle = models.BooleanField(
        default=True, help_text="Leave a charge point that is charging until it is idle."
    )
    patience_minutes = models.PositiveIntegerField(
        default=120, help_text="Minutes after which a charge point without a result has failed."
    )
    starts_at = models.DateTimeField(default=timezone.now)
    next_wave_at = models.DateTimeField(null=True, blank=True)
    wave = models.PositiveIntegerField(default=0)
    protocol = models.CharField(
        max_length=5, choices=Drop.Protocol, blank=True, help_text="Empty: chosen for each."
    )
    base_url = models.CharField(max_length=255, blank=True)
    forgiven = models.PositiveIntegerField(
        default=0, help_text="Failures before it was resumed; they no longer count."
    )
    why = models.CharField(max_length=255, blank=True, help_text="Why it stopped.")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "firmware campaign"

    def __str__(self) -> str:
        return self.name


class CampaignTarget(models.Model):
    """One charge point of a campaign."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting"
        RUNNING = "running", "updating"
        DONE = "done", "updated"
        FAILED = "failed"
        SKIPPED = "skipped"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="targets")
    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    wave = models.PositiveIntegerField(null=True, blank=True)
    job = models.ForeignKey(
        FileJob, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    why = models.CharField(max_length=255, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "charge_point"], name="campaign_target_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.charge_point} in {self.campaign}"
