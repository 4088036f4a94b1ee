"""Public keys of meters, as people entered them."""

from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint

__all__ = ["MeterKey"]


class MeterKey(models.Model):
    """The public key that stands on a meter or in its maker's register: signed values of its
    connector are held against it. A meter that replaces it gets a row of its own."""

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="meter_keys"
    )
    connector = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: all connectors."
    )
    key = models.TextField(
        "public key",
        help_text="As it stands on the meter: hexadecimal digits, base64 or PEM.",
    )
    since = models.DateTimeField(
        null=True, blank=True, help_text="When this meter was mounted. Empty: from the beginning."
    )
    until = models.DateTimeField(
        null=True, blank=True, help_text="When it was taken out. Empty: it is still there."
    )
    note = models.CharField(
        max_length=200, blank=True, help_text="Where the key is from, the meter's serial number."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["charge_point", "connector", "pk"]
        verbose_name = "meter key"

    def __str__(self) -> str:
        of_it = f", connector {self.connector}" if self.connector else ""
        return f"{self.charge_point}{of_it}"
