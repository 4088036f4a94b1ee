"""CertificateSigned (OCPP 1.6 security whitepaper, 5.1): the charger takes its certificate."""

from levity.ocpp.effects import CertificateInstalled, CertificateRefused, Effect
from levity.ocpp.request import Result

__all__ = ["certificate_signed"]


def certificate_signed(result: Result) -> tuple[Effect, ...]:
    """Whether it is installed, or what the charger said instead."""
    if result.status == "Accepted":
        return (CertificateInstalled(result.command_id),)
    return (CertificateRefused(result.command_id, result.status or result.error_code),)
