"""Connectors: their status now, and what charges there."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from levity.api.kit.pages import page
from levity.api.kit.rows import charge_point_at, seen
from levity.api.kit.schemas import Page, Paged, Row, Text, Time
from levity.ocpp.models import ChargePoint, Connector

__all__ = ["ConnectorRow", "router"]

router = Router(tags=["charge points"])


class ConnectorRow(Row):
    """One outlet; number 0 is the charge point as a whole."""

    charge_point: str = Field(description="Its identity.")
    evse: int = Field(description="0 for chargers that speak OCPP 1.6.")
    number: int
    status: str = Field(description="As reported; empty: not since the last boot.")
    status_since: Time | None = Field(description="By our clock.")
    status_at: Time | None = Field(description="By the charger's clock.")
    error_code: str
    info: str
    vendor_id: str
    vendor_error_code: str
    transaction_id: int | None = Field(description="What charges there, if anything does.")

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)


class Connectors(Paged):
    """Which connectors."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    status: Text | None = Field(None, max_length=64, description="Such as Charging, Faulted.")
    has_error: bool | None = None


@router.get("/connectors", response=Page[ConnectorRow])
def list_connectors(request: HttpRequest, asked: Query[Connectors]) -> Any:
    """Connectors of all charge points in use."""
    rows = seen(request, Connector).filter(charge_point__retired_at__isnull=True)
    rows = rows.select_related("charge_point")
    if asked.charge_point is not None:
        rows = rows.filter(charge_point__identity__iexact=asked.charge_point)
    if asked.status is not None:
        rows = rows.filter(status__iexact=asked.status)
    if asked.has_error is not None:
        without = ("", "NoError")
        found = {"error_code__in": without}
        rows = rows.exclude(**found) if asked.has_error else rows.filter(**found)
    return page(rows, asked)


@router.get("/charge-points/{identity}/connectors", response=list[ConnectorRow])
def list_connectors_of_charge_point(request: HttpRequest, identity: Text) -> Any:
    """The connectors of one charge point, with number 0."""
    row = charge_point_at(seen(request, ChargePoint), identity)
    rows = seen(request, Connector).filter(charge_point=row).select_related("charge_point")
    return list(rows.order_by("evse", "number"))
