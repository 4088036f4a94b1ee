"""Signed meter values: what each signature is worth, and the file that shows it to others."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import given_charge_points, one, seen
from levity.api.kit.schemas import (
    CONTENT,
    Amount,
    Body,
    Id,
    Page,
    Paged,
    Row,
    Text,
    Time,
    TimeGiven,
)
from levity.billing.models import Statement
from levity.billing.statements.signed import values_of
from levity.ocpp.decisions import meter_keys as decisions
from levity.ocpp.models import MeterKey, Transaction
from levity.ocpp.store.signed import signed_sessions
from levity.pages.chargers.signed import xml_response

__all__ = ["router"]

router = Router(tags=["signed meter values"])


class SignedReadingRow(Row):
    """One reading of a register."""

    at: Time | None
    kind: str = Field(description="As OCMF's TX: B begin, E end, ...")
    obis: str
    energy_wh: Amount | None = Field(alias="wh")


class SignedValueRow(Row):
    """One piece of signed data."""

    sampled_at: Time
    context: str
    format: str = Field(description="OCMF, ALFEN, or other.")
    verdict: str = Field(
        description="verified with your key, self-asserted, not checked, does not verify."
    )
    why: str
    data: str = Field(description="As it was signed.")
    public_key: str = Field(description="By which it was judged; empty: none.")
    readings: list[SignedReadingRow]


class SignedSessionRow(Row):
    """The signed data of a session."""

    transaction: int
    verdict: str | None = Field(description="The worst of its values; null: there is none.")
    why: str
    energy_wh: Amount | None = Field(description="From the signed begin to the signed end.")
    meter: str = Field(description="Its serial number, as it is signed.")
    values: list[SignedValueRow]


class MeterKeyRow(Row):
    """The public key of a meter, as a person entered it."""

    id: int
    charge_point: str = Field(description="Its identity.")
    connector: int | None = Field(description="Null: all of the charge point.")
    key: str
    since: Time | None = Field(description="Null: from the beginning.")
    until: Time | None = Field(description="Null: it is still there.")
    note: str

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)


class MeterKeyGiven(Body):
    """A key that stands on a meter."""

    charge_point: Text = Field(max_length=48, description="Its identity.")
    connector: int | None = Field(None, ge=1, le=2**31 - 1)
    key: Text = Field(min_length=1, max_length=4_000, description="Hexadecimal, base64 or PEM.")
    since: TimeGiven | None = None
    until: TimeGiven | None = None
    note: Text = Field("", max_length=200)


@router.get("/transactions/{transaction_id}/signed-values", response=SignedSessionRow)
def get_signed_values(request: HttpRequest, transaction_id: Id) -> Any:
    """What a charger signed in this session, and what the signatures are worth."""
    row = one(seen(request, Transaction), pk=transaction_id)
    found = signed_sessions([row.pk])[row.pk]
    return {
        "transaction": row.pk,
        "verdict": found.verdict and found.verdict.value,
        "why": found.why,
        "energy_wh": found.wh,
        "meter": found.meter,
        "values": [
            {
                "sampled_at": value.sampled_at,
                "context": value.context,
                "format": value.container.format,
                "verdict": value.verdict.value,
                "why": value.why,
                "data": value.container.text,
                "public_key": value.key or value.container.public_key,
                "readings": value.signed.readings if value.signed else (),
            }
            for value in found.values
        ],
    }


@router.get("/transactions/{transaction_id}/signed-values.xml", openapi_extra=CONTENT)
def export_signed_values(request: HttpRequest, transaction_id: Id) -> HttpResponse:
    """The same for the transparency software of S.A.F.E. e.V."""
    row = one(seen(request, Transaction), pk=transaction_id)
    values = signed_sessions([row.pk])[row.pk].values
    return xml_response([(row.pk, values)], f"signed-values-{row.pk}")


@router.get("/billing/statements/{statement_id}/signed-values.xml", openapi_extra=CONTENT)
def export_signed_values_of_statement(request: HttpRequest, statement_id: Id) -> HttpResponse:
    """Of all sessions of a closed statement."""
    row = one(seen(request, Statement), pk=statement_id)
    return xml_response(values_of(row), f"signed-values-of-statement-{row.pk}")


@router.get("/meter-keys", response=Page[MeterKeyRow])
def list_meter_keys(request: HttpRequest, asked: Query[Paged]) -> Any:
    """Public keys of meters."""
    return page(seen(request, MeterKey).select_related("charge_point"), asked)


@router.post("/meter-keys", response={201: MeterKeyRow})
def create_meter_key(request: HttpRequest, body: MeterKeyGiven) -> Any:
    """Enter the key of a meter: signed values of its connector are held against it from then on,
    those of past sessions, too."""
    values = body.values()
    [charger] = given_charge_points(request, [values.pop("charge_point")], "body.charge_point")
    row = MeterKey(charge_point=charger, **values)
    return Status(201, decisions.add_key(row, principal(request)))


@router.delete("/meter-keys/{meter_key_id}", response={204: None})
def delete_meter_key(request: HttpRequest, meter_key_id: Id) -> Any:
    """As if it had never been entered."""
    row = one(seen(request, MeterKey).select_related("charge_point"), pk=meter_key_id)
    decisions.delete_key(row, principal(request))
    return Status(204, None)
