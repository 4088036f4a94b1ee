"""Energy that lies in no session, summed up by connector and month."""

from django.db import models

from levity.ocpp.models.charge_point import ChargePoint

__all__ = ["UnassignedEnergy"]


class UnassignedEnergy(models.Model):
    """What a connector's register moved in no session, in one month.

    Found from sessions and samples (`levity.ocpp.store.loose`), again and again: nothing here is
    known from anywhere else. A connector without such energy in a month has no row.
    """

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="unassigned_energy"
    )
    evse = models.PositiveIntegerField(default=0)
    connector = models.PositiveIntegerField()
    month = models.CharField(
        max_length=7, help_text="In the time zone of the site, such as 2026-11."
    )
    wh = models.DecimalField("energy", max_digits=18, decimal_places=3, help_text="In Wh.")
    stretches = models.PositiveIntegerField(
        help_text="How many stretches of the register this is the sum of."
    )
    last_at = models.DateTimeField(help_text="When the register had moved, by the charger's clock.")
    renewed_at = models.DateTimeField(help_text="When it was summed up.")

    class Meta:
        default_permissions = ("view", "change")
        verbose_name = "unassigned energy"
        verbose_name_plural = "unassigned energy"
        ordering = ["-month", "charge_point", "connector"]
        constraints = [
            models.UniqueConstraint(
                fields=["charge_point", "evse", "connector", "month"], name="unassigned_once"
            )
        ]
        indexes = [models.Index(fields=["month"], name="unassigned_in_month")]

    def __str__(self) -> str:
        return f"connector {self.connector or self.evse} in {self.month}"
