"""Uploads of diagnostics and logs, and firmware updates: one row for each order."""

from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.command import Command
from levity.ocpp.rules import file_jobs

__all__ = ["FileJob"]


class FileJob(models.Model):
    """What a charger was told to upload or to install, and what became of it.

    `state` follows what the charger says. What has really arrived here stands beside it: a charger
    may report an upload of which nothing came.
    """

    class Kind(models.TextChoices):
        """What it is about."""

        DIAGNOSTICS = file_jobs.DIAGNOSTICS, "diagnostics"
        LOG = file_jobs.LOG, "log"
        FIRMWARE = file_jobs.FIRMWARE, "firmware update"
        SIGNED_FIRMWARE = file_jobs.SIGNED_FIRMWARE, "signed firmware update"

    class State(models.TextChoices):
        """How far it is, by the charger's own words."""

        QUEUED = file_jobs.QUEUED, "waits to be sent"
        SENT = file_jobs.SENT, "sent, waiting for the answer"
        ACCEPTED = file_jobs.ACCEPTED, "accepted"
        RUNNING = file_jobs.RUNNING, "in progress"
        DONE = file_jobs.DONE, "done"
        FAILED = file_jobs.FAILED, "failed"
        NOTHING = file_jobs.NOTHING, "nothing to upload"
        REFUSED = file_jobs.REFUSED, "refused"
        CANCELLED = file_jobs.CANCELLED, "cancelled"
        UNSENT = file_jobs.UNSENT, "never sent"
        SILENT = file_jobs.SILENT, "no word from the charger"

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="file_jobs"
    )
    command = models.OneToOneField(
        Command,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="file_job",
        help_text="The command that ordered it.",
    )
    kind = models.CharField(max_length=16, choices=Kind)
    request_id = models.BigIntegerField(
        null=True, blank=True, help_text="By which the charger's messages name it, if they do."
    )
    location = models.TextField(blank=True, help_text="Where to, or from where; without secrets.")
    is_own = models.BooleanField(
        default=False, help_text="The place is one of Levity's own, made for this job."
    )
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    status = models.CharField(max_length=64, blank=True, help_text="The charger's last report.")
    status_at = models.DateTimeField(null=True, blank=True)
    history = models.JSONField(
        default=list, blank=True, help_text="The charger's reports: time and status of each."
    )
    detail = models.CharField(max_length=255, blank=True, help_text="Why, if it went wrong.")
    file_name = models.CharField(
        max_length=255, blank=True, help_text="What the charger calls the file."
    )
    arrived = models.PositiveIntegerField(
        default=0, help_text="Files that came from, or were fetched by, the charger."
    )
    arrived_at = models.DateTimeField(null=True, blank=True)
    firmware_before = models.CharField(max_length=255, blank=True)
    firmware_after = models.CharField(
        max_length=255, blank=True, help_text="What the charger reported at its boot."
    )
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["charge_point", "-id"], name="file_job_of_charge_point"),
            models.Index(
                fields=["id"],
                name="file_job_live",
                condition=models.Q(state__in=sorted(file_jobs.LIVE)),
            ),
        ]

    def __str__(self) -> str:
        is_loaded = "charge_point" in self._state.fields_cache
        whose = self.charge_point if is_loaded else self.charge_point_id
        return f"{self.get_kind_display()} of {whose}"
