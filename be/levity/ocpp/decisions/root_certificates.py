"""Certificates that chargers trust: asked for, and deleted by people.

What chargers answer comes through the pipeline (`store/root_certificates.py`).
"""

from django.db import transaction

from levity.ocpp.audit import Who, note
from levity.ocpp.commands.sending import SEND, send
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.effects import CertificateHash
from levity.ocpp.models import ChargePoint, Command, InstalledCertificate
from levity.ocpp.versions import version_of

__all__ = ["TYPES", "ask_for_certificates", "delete_certificate"]

TYPES = ("CentralSystemRootCertificate", "ManufacturerRootCertificate")
"""OCPP 1.6 security whitepaper, CertificateUseEnumType."""
State = InstalledCertificate.State


def ask_for_certificates(
    charge_point: ChargePoint, who: Who, *, source: str, idempotency_key: str | None = None
) -> list[Command]:
    """Ask the charger which it has, of both types; once with the same key."""
    check(charge_point, who, SEND)
    asks = version_of(charge_point.subprotocol).asks
    with transaction.atomic():
        return [
            send(
                charge_point,
                *asks.root_certificates(kind),
                who,
                source=source,
                idempotency_key=idempotency_key and f"{idempotency_key}:{kind}",
            ).command
            for kind in TYPES
        ]


def delete_certificate(row: InstalledCertificate, who: Who, *, source: str) -> Command:
    """Ask the charger to trust this authority no longer."""
    check(row, who, SEND)
    if row.state != State.INSTALLED:
        raise NotPossible(f"it is not installed any more: {row.get_state_display()}")
    if not (row.hash_algorithm and row.issuer_name_hash and row.issuer_key_hash):
        raise NotPossible(
            "the charger has not reported by which hashes it names this certificate: ask it for "
            "its certificates first"
        )
    others = InstalledCertificate.objects.filter(
        charge_point=row.charge_point, type=TYPES[0], state=State.INSTALLED
    ).exclude(pk=row.pk)
    if row.type == TYPES[0] and row.charge_point.security_profile >= 2 and not others.exists():
        raise NotPossible(
            "this is the only certificate by which the charger recognises this server: without it "
            "it could not connect any more. Install another one first"
        )
    named = CertificateHash(
        row.hash_algorithm, row.issuer_name_hash, row.issuer_key_hash, row.serial_number
    )
    asked = version_of(row.charge_point.subprotocol).asks.no_root_certificate(named)
    with transaction.atomic():
        command = send(row.charge_point, *asked, who, source=source).command
        note(who, [row], "deletion requested")
    return command
