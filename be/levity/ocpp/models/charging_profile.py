"""Charging profiles that chargers have, as far as is known."""

from django.db import models

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.command import Command

__all__ = ["InstalledProfile"]


class InstalledProfile(models.Model):
    """A charging profile that a charger has accepted (OCPP 1.6, 3.13), and its end."""

    class State(models.TextChoices):
        """Whether it is still there, as far as is known."""

        INSTALLED = "installed"
        REPLACED = "replaced", "replaced by another"
        CLEARED = "cleared"
        ENDED = "ended", "over"

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="installed_profiles"
    )
    connector = models.PositiveIntegerField(help_text="0: the charger as a whole.")
    profile_id = models.BigIntegerField("profile id")
    stack_level = models.BigIntegerField(help_text="Of several, the highest level counts.")
    purpose = models.CharField(max_length=64)
    kind = models.CharField(max_length=64, blank=True)
    recurrency = models.CharField(max_length=64, blank=True)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_to = models.DateTimeField(null=True, blank=True)
    session = models.BigIntegerField(
        null=True, blank=True, help_text="The transactionId that it is for."
    )
    schedule = models.JSONField(default=dict, help_text="As it was sent.")
    state = models.CharField(max_length=10, choices=State, default=State.INSTALLED)
    reason = models.CharField(max_length=255, blank=True, help_text="How it ended.")
    installed_at = models.DateTimeField("accepted", help_text="When the charger accepted it.")
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    command = models.ForeignKey(
        Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = "charging profile"
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["charge_point"],
                name="profile_installed",
                condition=models.Q(state="installed"),
            ),
            models.Index(fields=["charge_point", "-id"], name="profile_of_cp"),
        ]

    def __str__(self) -> str:
        is_loaded = "charge_point" in self._state.fields_cache
        name = self.charge_point if is_loaded else self.charge_point_id
        return f"{name} · {self.purpose} {self.profile_id}"
