"""Levity's own certificate authority, and what it has signed for charge points.

Only what may be public lies here: certificates and requests. The authority's key is a file.
"""

from django.conf import settings
from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint
from levity.ocpp.models.command import Command

__all__ = ["CertificateAuthority", "ChargePointCertificate"]


class CertificateAuthority(models.Model):
    """Who signs the certificates of charge points. One is in use; those before it are kept."""

    organization = models.CharField(
        max_length=64, help_text="The operator's organization (O in the certificate)."
    )
    certificate = models.TextField(help_text="PEM.")
    fingerprint = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 fingerprint, hexadecimal."
    )
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    replaced_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was replaced. Empty: in use."
    )

    class Meta:
        verbose_name_plural = "certificate authorities"

    def __str__(self) -> str:
        return f"{self.organization} ({self.fingerprint[:16]})"


class ChargePointCertificate(models.Model):
    """A certificate of a charge point, from its request (SignCertificate) to its end.

    It outlives its charge point: what was revoked stays so.
    """

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", "waits for approval"
        APPROVED = "approved", "approved, awaiting signature"
        ISSUED = "issued", "signed, being sent"
        INSTALLED = "installed"
        REFUSED = "refused", "refused by the charger"
        DECLINED = "declined"
        SUPERSEDED = "superseded", "superseded by a newer request"
        EXPIRED = "expired", "expired without a decision"
        REVOKED = "revoked"

    class Reason(models.TextChoices):
        """Why it is revoked, in the words of RFC 5280, 5.3.1."""

        UNSPECIFIED = "unspecified"
        KEY_COMPROMISE = "keyCompromise", "key compromised"
        SUPERSEDED = "superseded", "superseded"
        CESSATION = "cessationOfOperation", "charger no longer in use"

    charge_point = models.ForeignKey(
        ChargePoint,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="certificates",
    )
    identity = models.CharField(max_length=48, help_text="Charge point it was issued to.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    detail = models.CharField(max_length=255, blank=True, help_text="Reason for the failure.")

    csr = models.TextField("request", help_text="Certificate signing request (PEM).")
    key_kind = models.CharField(max_length=32, help_text="Such as RSA 2048 or EC 256.")
    key_fingerprint = models.CharField(
        max_length=64, help_text="SHA-256 of the public key, hexadecimal."
    )
    requested_at = models.DateTimeField(default=timezone.now)
    trigger = models.ForeignKey(
        Command,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="certificate_requests",
        help_text="The command that requested it. Empty: the charger asked on its own.",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who approved it. Empty: approval was not required.",
    )

    authority = models.ForeignKey(
        CertificateAuthority, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    issued_at = models.DateTimeField(null=True, blank=True)
    serial_number = models.CharField(
        max_length=40, null=True, blank=True, unique=True, help_text="Hexadecimal."
    )
    subject = models.CharField(max_length=255, blank=True, help_text="RFC 4514.")
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    fingerprint = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="SHA-256 fingerprint, hexadecimal."
    )
    certificate = models.TextField(blank=True, help_text="PEM.")
    command = models.ForeignKey(
        Command,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The CertificateSigned command that delivered it.",
    )

    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    revocation_reason = models.CharField(max_length=24, choices=Reason, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["charge_point"],
                name="certificate_one_waiting",
                condition=models.Q(state="waiting"),
            ),
        ]
        indexes = [
            models.Index(fields=["charge_point", "-requested_at"], name="certificate_of_cp"),
            models.Index(
                fields=["id"],
                name="certificate_to_sign",
                condition=models.Q(state="approved"),
            ),
            models.Index(
                fields=["not_after"],
                name="certificate_in_use",
                condition=models.Q(state="installed"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.identity} {(self.serial_number or '')[:8]}".strip()
