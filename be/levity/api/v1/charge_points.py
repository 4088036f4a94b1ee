"""Charge points: look, add, change, retire, delete."""

from typing import Any

from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import changing, charge_point_at, given, seen, tag
from levity.api.kit.schemas import LEFT_OUT, Body, Id, Page, Paged, Row, Text, Time
from levity.api.problems import Problem
from levity.api.v1.connectors import ConnectorRow
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions import charge_points as decisions
from levity.ocpp.decisions.retiring import bring_back, retire
from levity.ocpp.models import Authorization, ChargePoint, Connector, Site

__all__ = ["ChargePointRow", "answer", "chosen", "router"]

router = Router(tags=["charge points"])
VERSION = (*(name for name in decisions.ENTERED if name != "site"), "site_id", "security_profile")
CONNECTORS = Prefetch(
    "connectors",
    Connector.objects.select_related("charge_point").order_by("evse", "number"),
)
LARGEST = 2**31 - 1
Registration = ChargePoint.Registration


class ChargePointRow(Row):
    """One charger: what is set, what it reported, and whether it is there."""

    identity: str = Field(description="The last part of its websocket URL.")
    name: str
    site_id: int | None
    site: str = Field(description="The name of its site; empty: none.")
    online: bool
    silent: bool = Field(description="Connected, but two heartbeats are missing.")
    connected_at: Time | None
    disconnected_at: Time | None
    last_seen_at: Time | None
    booted_at: Time | None
    created_at: Time
    retired_at: Time | None = Field(description="Null: in use.")
    registration: str
    security_profile: int
    authorization: str = Field(description="Who may charge. Empty: the rule of the site.")
    time_zone: str = Field(description="Of its clock, if it sends times without a zone.")
    subprotocol: str
    remote_address: str
    vendor: str
    model: str
    serial_number: str
    charge_box_serial_number: str
    firmware_version: str
    firmware_status: str
    diagnostics_status: str
    meter_type: str
    meter_serial_number: str
    iccid: str
    imsi: str
    quirk_profile: str = Field(description="Empty: chosen by vendor, model and firmware.")
    quirk_overrides: dict[str, Any]
    max_power_w: int | None = Field(alias="max_power", description="Of one connector.")
    heartbeat_interval_s: int | None = Field(alias="heartbeat_interval")
    ping_interval_s: int | None = Field(alias="ping_interval")
    call_timeout_s: int | None = Field(alias="call_timeout")
    certificate_name: str
    notes: str
    connectors: list[ConnectorRow]

    @staticmethod
    def resolve_site(row: Any) -> str:
        """The name of its site."""
        return row.site.name if row.site else ""

    @staticmethod
    def resolve_connectors(row: Any) -> Any:
        """All of them, as they were fetched together."""
        return list(row.connectors.all())


class ChargePointChange(Body):
    """What can be changed; what is left out stays."""

    name: Text = Field(LEFT_OUT, max_length=100)
    site_id: Id | None = Field(None, description="Null: none.")
    registration: Registration = Field(LEFT_OUT, description="What it is told when it boots.")
    authorization: Authorization | None = Field(None, description="Null: the rule of the site.")
    time_zone: Text = Field(LEFT_OUT, max_length=64)
    quirk_profile: Text = Field(LEFT_OUT, max_length=64)
    quirk_overrides: dict[str, Any] = Field(LEFT_OUT)
    max_power_w: int | None = Field(None, ge=0, le=LARGEST, serialization_alias="max_power")
    heartbeat_interval_s: int | None = Field(
        None, ge=0, le=LARGEST, serialization_alias="heartbeat_interval"
    )
    ping_interval_s: int | None = Field(None, ge=0, le=LARGEST, serialization_alias="ping_interval")
    call_timeout_s: int | None = Field(None, ge=0, le=LARGEST, serialization_alias="call_timeout")
    certificate_name: Text = Field(LEFT_OUT, max_length=64)
    notes: Text = Field(LEFT_OUT, max_length=10_000)


class ChargePointGiven(ChargePointChange):
    """A charge point that has not connected yet."""

    identity: Text = Field(
        min_length=1, max_length=48, description="The last part of its websocket URL."
    )


class ChargePoints(Paged):
    """Which charge points."""

    site_id: Id | None = None
    online: bool | None = None
    retired: bool = Field(False, description="Those that are retired, instead of those in use.")
    registration: Registration | None = None
    status: Text | None = Field(None, max_length=64, description="Of any of its connectors.")
    search: Text | None = Field(
        None, max_length=100, description="The beginning of identity, name or serial number."
    )


def chosen(request: HttpRequest, asked: ChargePoints) -> Any:
    """Those that are asked for."""
    rows = seen(request, ChargePoint).filter(retired_at__isnull=not asked.retired)
    if asked.site_id is not None:
        rows = rows.filter(site=asked.site_id)
    if asked.online is not None:
        rows = rows.filter(connection__isnull=not asked.online)
    if asked.registration is not None:
        rows = rows.filter(registration=asked.registration)
    if asked.status is not None:
        there = Connector.objects.filter(status__iexact=asked.status).values("charge_point")
        rows = rows.filter(pk__in=there)
    if asked.search:
        begins = Q()
        for name in ("identity", "name", "serial_number", "charge_box_serial_number"):
            begins |= Q(**{f"{name}__istartswith": asked.search})
        rows = rows.filter(begins)
    return rows


def answer(request: HttpRequest, row: ChargePoint) -> Any:
    """The charge point as it is now."""
    rows = seen(request, ChargePoint).select_related("site").prefetch_related(CONNECTORS)
    return charge_point_at(rows, row.identity)


def _values(request: HttpRequest, body: ChargePointChange) -> dict[str, Any]:
    values = body.values()
    if "site_id" in values:
        values["site"] = given(request, Site, values.pop("site_id"), "body.site_id")
    if "authorization" in values:
        values["authorization"] = values["authorization"] or ""
    return values


@router.get("/charge-points", response=Page[ChargePointRow])
def list_charge_points(request: HttpRequest, asked: Query[ChargePoints]) -> Any:
    """Charge points, with their connectors."""
    rows = chosen(request, asked).select_related("site").prefetch_related(CONNECTORS)
    return page(rows, asked)


@router.post("/charge-points", response={201: ChargePointRow})
def create_charge_point(
    request: HttpRequest, response: HttpResponse, body: ChargePointGiven
) -> Any:
    """Register a charge point before it connects. It begins with the security profile of its
    site; if that requires a key, generate one with `POST /charge-points/{identity}/key`.
    """
    if seen(request, ChargePoint).filter(identity__iexact=body.identity).exists():
        raise Problem(409, f"There is a charge point “{body.identity}” already.", code="exists")
    row = decisions.add(ChargePoint(**_values(request, body)), principal(request))
    response["Location"] = f"/api/v1/charge-points/{row.identity}"
    return Status(201, answer(request, row))


@router.get("/charge-points/{identity}", response=ChargePointRow)
def get_charge_point(request: HttpRequest, response: HttpResponse, identity: Text) -> Any:
    """One charge point."""
    rows = seen(request, ChargePoint).select_related("site").prefetch_related(CONNECTORS)
    row = charge_point_at(rows, identity)
    tag(response, row, VERSION)
    return row


@router.patch("/charge-points/{identity}", response=ChargePointRow)
def change_charge_point(request: HttpRequest, identity: Text, body: ChargePointChange) -> Any:
    """Change what is set here; nothing is sent to the charger."""
    values = _values(request, body)
    rows = seen(request, ChargePoint)
    with changing(request, rows, VERSION, identity__iexact=identity) as row:
        decisions.change(row, values, principal(request))
    return answer(request, row)


@router.delete("/charge-points/{identity}", response={204: None})
def delete_charge_point(request: HttpRequest, identity: Text) -> Any:
    """Delete a charge point at which nothing was ever charged; retire the others."""
    rows = seen(request, ChargePoint)
    with changing(request, rows, VERSION, identity__iexact=identity) as row:
        decisions.delete_charge_point(row, principal(request))
    return Status(204, None)


@router.post("/charge-points/{identity}/retire", response=ChargePointRow)
def retire_charge_point(request: HttpRequest, identity: Text) -> Any:
    """Take it out of lists, counts and alerts; its records stay. Not while it is connected."""
    row = charge_point_at(seen(request, ChargePoint), identity)
    retire(ChargePoint.objects.filter(pk=row.pk), principal(request), timezone.now())
    row.refresh_from_db()
    if row.retired_at is None:
        raise NotPossible(
            "it is connected: switch it off, or remove Levity's address from it, first"
        )
    return answer(request, row)


@router.post("/charge-points/{identity}/bring-back", response=ChargePointRow)
def bring_back_charge_point(request: HttpRequest, identity: Text) -> Any:
    """Bring a retired charge point back into use."""
    row = charge_point_at(seen(request, ChargePoint), identity)
    bring_back(ChargePoint.objects.filter(pk=row.pk), principal(request))
    return answer(request, row)


@router.post("/charge-points/{identity}/forget-line", response=ChargePointRow)
def forget_line_of_charge_point(request: HttpRequest, identity: Text) -> Any:
    """Forget what was learned about its connection; its heartbeat interval is the default again."""
    row = charge_point_at(seen(request, ChargePoint), identity)
    decisions.forget_line(ChargePoint.objects.filter(pk=row.pk), principal(request))
    return answer(request, row)
