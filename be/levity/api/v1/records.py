"""Records to look at: the audit, corrections, unassigned energy."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from levity.api.kit.pages import page
from levity.api.kit.rows import seen
from levity.api.kit.schemas import Amount, Id, Page, Paged, Row, Text, Time, TimeGiven
from levity.ocpp.models import AuditEntry, MeterValueCorrection, UnassignedEnergy

__all__ = ["router"]

router = Router(tags=["records"])


class AuditRow(Row):
    """Who did what."""

    id: int
    at: Time
    who: str = Field(alias="who_name", description="User or token; empty: the command line.")
    kind: str = Field(description="Such as ocpp.chargepoint.")
    object_id: str
    object_name: str
    what: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Audit(Paged):
    """Which entries."""

    who: Text | None = Field(None, max_length=150)
    kind: Text | None = Field(None, max_length=100, description="Such as ocpp.chargepoint.")
    object_id: Text | None = Field(None, max_length=64)
    since: TimeGiven | None = None
    until: TimeGiven | None = Field(None, description="Before then.")


class CorrectionRow(Row):
    """One value that was corrected."""

    id: int
    run: str = Field(description="Shared by the corrections of one run.")
    transaction: int | None = Field(alias="transaction_id")
    field: str
    old_value: Amount | None
    new_value: Amount | None
    old_text: str
    new_text: str
    reason: str
    corrected_at: Time
    undone_at: Time | None

    @staticmethod
    def resolve_run(row: Any) -> str:
        """As text."""
        return str(row.run)


class Corrections(Paged):
    """Which corrections."""

    transaction: Id | None = None


class UnassignedRow(Row):
    """What a connector's meter recorded in no session, in one month."""

    charge_point: str
    evse: int
    connector: int
    month: str = Field(description="Such as 2026-11, in the time zone of the site.")
    energy_wh: Amount = Field(alias="wh")
    stretches: int
    last_at: Time

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)


class Unassigned(Paged):
    """Which."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    month: Text | None = Field(None, max_length=7, description="Such as 2026-11.")


@router.get("/audit", response=Page[AuditRow])
def list_audit_entries(request: HttpRequest, asked: Query[Audit]) -> Any:
    """Who did what, the newest first; for admins of all sites."""
    rows = seen(request, AuditEntry)
    for name, column in (("who", "who_name"), ("kind", "kind"), ("object_id", "object_id")):
        if getattr(asked, name) is not None:
            rows = rows.filter(**{column: getattr(asked, name)})
    if asked.since is not None:
        rows = rows.filter(at__gte=asked.since)
    if asked.until is not None:
        rows = rows.filter(at__lt=asked.until)
    return page(rows, asked, newest_first=True)


@router.get("/corrections", response=Page[CorrectionRow])
def list_corrections(request: HttpRequest, asked: Query[Corrections]) -> Any:
    """Corrected values, the newest first."""
    rows = seen(request, MeterValueCorrection).exclude(field__in=("checks", "lives"))
    if asked.transaction is not None:
        rows = rows.filter(transaction=asked.transaction)
    return page(rows, asked, newest_first=True)


@router.get("/unassigned-energy", response=Page[UnassignedRow])
def list_unassigned_energy(request: HttpRequest, asked: Query[Unassigned]) -> Any:
    """Energy that lies in no session, by connector and month."""
    rows = seen(request, UnassignedEnergy).select_related("charge_point")
    if asked.charge_point is not None:
        rows = rows.filter(charge_point__identity__iexact=asked.charge_point)
    if asked.month is not None:
        rows = rows.filter(month=asked.month)
    return page(rows, asked)
