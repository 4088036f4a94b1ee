"""Certificates of chargers, and those of authorities that they trust."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once, own_key
from levity.api.kit.orders import refusals
from levity.api.kit.pages import page
from levity.api.kit.rows import charge_point_at, one, seen
from levity.api.kit.schemas import Id, Page, Paged, Row, Text, Time
from levity.ocpp.decisions import root_certificates as decisions
from levity.ocpp.models import ChargePoint, ChargePointCertificate, Command, InstalledCertificate

__all__ = ["router"]

router = Router(tags=["certificates"])
SOURCE = "api"


class CertificateRow(Row):
    """A certificate that identifies a charger, from its request to its end."""

    id: int
    charge_point: str = Field(alias="identity", description="The identity that it is for.")
    state: str
    detail: str
    key_kind: str
    key_fingerprint: str
    requested_at: Time
    issued_at: Time | None
    serial_number: str | None = Field(description="Hexadecimal.")
    subject: str
    not_before: Time | None
    not_after: Time | None
    fingerprint: str = Field(description="SHA-256, hexadecimal.")
    certificate: str = Field(description="PEM.")
    revoked_at: Time | None
    revocation_reason: str


class TrustedRow(Row):
    """A certificate of an authority that a charger was given or has reported."""

    id: int
    charge_point: str = Field(description="Its identity.")
    type: str = Field(description="CentralSystemRootCertificate or ManufacturerRootCertificate.")
    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str = Field(description="Hexadecimal.")
    subject: str
    not_after: Time | None
    certificate: str = Field(description="PEM, if it was sent from here.")
    state: str = Field(description="installed, refused, deleted, missing.")
    answer: str = Field(alias="said")
    installed_at: Time | None
    reported_at: Time | None
    ended_at: Time | None
    command: int | None = Field(alias="command_id")

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)


class Certificates(Paged):
    """Which certificates."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    state: ChargePointCertificate.State | None = None


class TrustedCertificates(Paged):
    """Which certificates."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    state: InstalledCertificate.State | None = None


class CommandsQueued(Row):
    """Commands were queued."""

    commands: list[int] = Field(description="Their ids: see /commands.")


def _of(request: HttpRequest, rows: Any, identity: str | None) -> Any:
    if identity is None:
        return rows
    return rows.filter(charge_point=charge_point_at(seen(request, ChargePoint), identity))


@router.get("/certificates", response=Page[CertificateRow])
def list_certificates(request: HttpRequest, asked: Query[Certificates]) -> Any:
    """Certificates of chargers, the newest first."""
    rows = _of(request, seen(request, ChargePointCertificate), asked.charge_point)
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    return page(rows, asked, newest_first=True)


@router.get("/certificates/{certificate_id}", response=CertificateRow)
def get_certificate(request: HttpRequest, certificate_id: Id) -> Any:
    """One certificate of a charger."""
    return one(seen(request, ChargePointCertificate), pk=certificate_id)


def _trusted(request: HttpRequest) -> Any:
    return seen(request, InstalledCertificate).select_related("charge_point")


@router.get("/trusted-certificates", response=Page[TrustedRow])
def list_trusted_certificates(request: HttpRequest, asked: Query[TrustedCertificates]) -> Any:
    """Certificates of authorities that chargers trust, the newest first."""
    rows = _of(request, _trusted(request), asked.charge_point)
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    return page(rows, asked, newest_first=True)


@router.get("/trusted-certificates/{trusted_id}", response=TrustedRow)
def get_trusted_certificate(request: HttpRequest, trusted_id: Id) -> Any:
    """One certificate of an authority."""
    return one(_trusted(request), pk=trusted_id)


@router.post("/trusted-certificates/{trusted_id}/delete", response={202: CommandsQueued})
def delete_trusted_certificate(
    request: HttpRequest, trusted_id: Id, idempotency_key: Key = None
) -> Any:
    """Ask the charger to trust this authority no longer."""
    row = one(_trusted(request), pk=trusted_id)

    def delete() -> Command:
        return decisions.delete_certificate(row, principal(request), source=SOURCE)

    return Status(202, {"commands": [once(request, idempotency_key, None, Command, delete).pk]})


@router.post("/charge-points/{identity}/trusted-certificates/ask", response={202: CommandsQueued})
def ask_for_trusted_certificates(
    request: HttpRequest, identity: Text, idempotency_key: Key = None
) -> Any:
    """Ask a charger which certificates of authorities it has."""
    row = charge_point_at(seen(request, ChargePoint), identity)
    key = own_key(request, SOURCE, idempotency_key)
    with refusals():
        asked = decisions.ask_for_certificates(
            row, principal(request), source=SOURCE, idempotency_key=key
        )
    return Status(202, {"commands": [command.pk for command in asked]})
