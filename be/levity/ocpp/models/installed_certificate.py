"""Certificates of authorities that chargers trust, as far as is known."""

from django.db import models

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.command import Command

__all__ = ["InstalledCertificate"]


class InstalledCertificate(models.Model):
    """A certificate that a charger was given or has reported (OCPP 1.6 security whitepaper, 5.5).

    OCPP names it by hashes; its text is known if it was sent from here.
    """

    class State(models.TextChoices):
        """Whether the charger has it, as far as is known."""

        INSTALLED = "installed"
        REFUSED = "refused", "refused by the charger"
        DELETED = "deleted"
        MISSING = "missing", "no longer reported"

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="installed_certificates"
    )
    type = models.CharField(max_length=64, blank=True)
    hash_algorithm = models.CharField(max_length=16, blank=True)
    issuer_name_hash = models.CharField(max_length=128, blank=True)
    issuer_key_hash = models.CharField(max_length=128, blank=True)
    serial_number = models.CharField(max_length=64, blank=True, help_text="Hexadecimal.")
    subject = models.CharField(max_length=255, blank=True, help_text="RFC 4514.")
    not_after = models.DateTimeField("valid until", null=True, blank=True)
    certificate = models.TextField(blank=True, help_text="PEM, if it was sent from here.")
    state = models.CharField(max_length=10, choices=State, default=State.INSTALLED)
    said = models.CharField("answer", max_length=64, blank=True)
    installed_at = models.DateTimeField(
        "accepted", null=True, blank=True, help_text="Empty: it was there before, or was refused."
    )
    reported_at = models.DateTimeField(
        "last reported", null=True, blank=True, help_text="When the charger listed it last."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    command = models.ForeignKey(
        Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["charge_point", "-id"], name="root_certificate_of_cp")]

    def __str__(self) -> str:
        is_loaded = "charge_point" in self._state.fields_cache
        name = self.charge_point if is_loaded else self.charge_point_id
        return f"{name} · {self.type} {self.serial_number[:16]}".strip()
