"""The lists of id tags that chargers keep, to decide while they are offline."""

from django.db import models

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.command import Command

__all__ = ["LocalList"]


class LocalList(models.Model):
    """A charger's local authorisation list, as far as it is known (OCPP 1.6, 3.5.2)."""

    class State(models.TextChoices):
        """How it is, compared with the id tags here."""

        OFF = "off", "not kept in step"
        BEHIND = "behind"
        SENDING = "sending", "sending or checking"
        IN_STEP = "in_step", "in step"
        NOT_SUPPORTED = "not_supported", "not supported by the charger"
        FAILED = "failed"

    charge_point = models.OneToOneField(
        ChargePoint, on_delete=models.CASCADE, related_name="local_list"
    )
    is_on = models.BooleanField(
        "kept in step", default=False, help_text="Send it the id tags that may charge there."
    )
    state = models.CharField(max_length=14, choices=State, default=State.OFF)
    reason = models.CharField(max_length=255, blank=True, help_text="Why it is not in step.")
    version = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="As the charger reported or accepted it; -1: it has no list, 0: an empty one.",
    )
    wanted = models.PositiveIntegerField("id tags", default=0, help_text="How many it should have.")
    behind = models.PositiveIntegerField(default=0, help_text="How many entries differ.")
    left_out = models.PositiveIntegerField(
        default=0, help_text="Tags that the charger can't take: too many, or too long."
    )
    said = models.CharField(
        "answer", max_length=64, blank=True, help_text="What the charger answered last."
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    in_step_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was last known to be in step."
    )
    content = models.TextField(
        blank=True, editable=False, help_text="Its entries as JSON, as far as known."
    )
    is_known = models.BooleanField(default=False, editable=False)
    is_checked = models.BooleanField(
        default=False, editable=False, help_text="Its version was asked for since the last doubt."
    )
    has_asked_limits = models.BooleanField(
        default=False, editable=False, help_text="It was asked once how many entries it takes."
    )
    pending = models.TextField(
        blank=True, editable=False, help_text="Its entries once what was sent is accepted."
    )
    command = models.ForeignKey(
        Command,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The newest command about it.",
    )
    tries = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Attempts without success in a row."
    )
    next_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When to look again."
    )
    seen = models.BigIntegerField(
        default=0, editable=False, help_text="The newest change of an id tag that was looked at."
    )

    class Meta:
        verbose_name = "local list"
        ordering = ["charge_point"]
        indexes = [
            models.Index(
                fields=["next_at"], name="local_list_kept", condition=models.Q(is_on=True)
            ),
        ]

    def __str__(self) -> str:
        is_loaded = "charge_point" in self._state.fields_cache
        return f"local list of {self.charge_point if is_loaded else self.charge_point_id}"
