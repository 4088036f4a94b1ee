"""InstallCertificate, DeleteCertificate and GetInstalledCertificateIds (OCPP 1.6 security
whitepaper, 5.3 to 5.6): which authorities the charger trusts."""

from collections.abc import Mapping
from typing import Any

from levity.ocpp.effects import (
    CertificateHash,
    Effect,
    RootCertificateAnswered,
    RootCertificateDeleted,
    RootCertificatesReported,
)
from levity.ocpp.request import Result
from levity.ocpp.wire.fields import text

__all__ = ["delete_certificate", "get_installed_certificate_ids", "install_certificate"]

MOST = 500
"""Certificates of one answer."""


def install_certificate(result: Result) -> tuple[Effect, ...]:
    """It has this certificate now, or why not (`Rejected`, `Failed`)."""
    answered = RootCertificateAnswered(
        command_id=result.command_id,
        type=text(result.asked, "certificateType", 64),
        certificate=text(result.asked, "certificate", 10_000),
        said=(result.status or result.error_code)[:64],
        is_accepted=result.status == "Accepted",
    )
    return (answered,)


def get_installed_certificate_ids(result: Result) -> tuple[Effect, ...]:
    """Those of a type that it has; `NotFound`: none."""
    kind = text(result.asked, "certificateType", 64)
    if result.status == "NotFound":
        return (RootCertificatesReported(kind, ()),)
    payload = result.payload if isinstance(result.payload, Mapping) else {}
    listed = payload.get("certificateHashData")
    if result.status != "Accepted":
        return ()
    items = listed if isinstance(listed, list) else []
    return (
        RootCertificatesReported(
            kind, tuple(_hash(item) for item in items[:MOST] if isinstance(item, Mapping))
        ),
    )


def delete_certificate(result: Result) -> tuple[Effect, ...]:
    """It is gone, or was not there (`NotFound`); `Failed` changes nothing."""
    named = result.asked.get("certificateHashData")
    if result.status not in ("Accepted", "NotFound") or not isinstance(named, Mapping):
        return ()
    return (RootCertificateDeleted(_hash(named), result.status),)


def _hash(data: Mapping[str, Any]) -> CertificateHash:
    return CertificateHash(
        algorithm=text(data, "hashAlgorithm", 16),
        issuer_name=text(data, "issuerNameHash", 128).lower(),
        issuer_key=text(data, "issuerKeyHash", 128).lower(),
        serial_number=text(data, "serialNumber", 64).lower(),
    )
