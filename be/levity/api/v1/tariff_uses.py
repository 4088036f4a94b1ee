"""Which tariff is for whom: everybody, a site, a charge point, a household or a card."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import given, given_charge_points, one, seen
from levity.api.kit.schemas import LEFT_OUT, Body, Id, Page, Paged, Row, Text
from levity.billing import tariff_uses as decisions
from levity.billing.models import Household, Tariff, TariffUse
from levity.ocpp.models import Site

__all__ = ["router"]

router = Router(tags=["billing"])


class TariffUseRow(Row):
    """For whom a tariff is. What says more counts more: the card, then the household, the charge
    point, the site, everybody."""

    id: int
    tariff_id: int | None = Field(description="Null: free, nobody pays for these sessions.")
    site_id: int | None
    charge_point: str | None = Field(description="Its identity.")
    household_id: int | None
    id_tag: str = Field(description="A card. All four empty: everybody.")
    first_day: date | None = Field(description="By when a session began. Null: always.")
    last_day: date | None = Field(description="Included. Null: no end.")

    @staticmethod
    def resolve_charge_point(row: Any) -> str | None:
        """The identity of its charge point."""
        return row.charge_point.identity if row.charge_point else None


class TariffUseGiven(Body):
    """Name one of site, charge point, household and id tag, or none for everybody."""

    tariff_id: Id | None = Field(description="Null: free, nobody pays for these sessions.")
    site_id: Id | None = None
    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    household_id: Id | None = None
    id_tag: Text = Field("", max_length=255)
    first_day: date | None = Field(None, description="By when a session began. Null: always.")
    last_day: date | None = Field(None, description="Included. Null: no end.")


class TariffUseChange(Body):
    """Other days, or another tariff; what is left out stays."""

    tariff_id: Id | None = Field(LEFT_OUT, description="Null: free.")
    first_day: date | None = Field(LEFT_OUT, description="Null: always.")
    last_day: date | None = Field(LEFT_OUT, description="Included. Null: no end.")


class Chosen(Paged):
    """Which of them."""

    tariff: Id | None = None
    household: Id | None = None


def _rows(request: HttpRequest) -> Any:
    return seen(request, TariffUse).select_related("charge_point")


@router.get("/billing/tariff-uses", response=Page[TariffUseRow])
def list_tariff_uses(request: HttpRequest, asked: Query[Chosen]) -> Any:
    """Which tariff is for whom."""
    rows = _rows(request)
    if asked.tariff is not None:
        rows = rows.filter(tariff=asked.tariff)
    if asked.household is not None:
        rows = rows.filter(household=asked.household)
    return page(rows, asked)


@router.post("/billing/tariff-uses", response={201: TariffUseRow})
def create_tariff_use(request: HttpRequest, body: TariffUseGiven) -> Any:
    """Say for whom a tariff is; 422 if there is one for the same on one of these days."""
    values = body.values()
    identity = values.pop("charge_point", None)
    if identity is not None:
        [values["charge_point"]] = given_charge_points(request, [identity], "body.charge_point")
    row = TariffUse(**_named(request, values))
    return Status(201, decisions.add_use(row, principal(request)))


@router.get("/billing/tariff-uses/{use_id}", response=TariffUseRow)
def get_tariff_use(request: HttpRequest, use_id: Id) -> Any:
    """One of them."""
    return one(_rows(request), pk=use_id)


@router.patch("/billing/tariff-uses/{use_id}", response=TariffUseRow)
def change_tariff_use(request: HttpRequest, use_id: Id, body: TariffUseChange) -> Any:
    """Change its days or its tariff: `last_day` ends it."""
    row = one(_rows(request), pk=use_id)
    return decisions.change_use(row, _named(request, body.values()), principal(request))


@router.delete("/billing/tariff-uses/{use_id}", response={204: None})
def delete_tariff_use(request: HttpRequest, use_id: Id) -> Any:
    """As if it had never been said; to end it, change its `last_day`."""
    decisions.delete_use(one(_rows(request), pk=use_id), principal(request))
    return Status(204, None)


def _named(request: HttpRequest, values: dict[str, Any]) -> dict[str, Any]:
    """With the rows that are named by their keys."""
    for name, model in (("tariff", Tariff), ("site", Site), ("household", Household)):
        key = f"{name}_id"
        if key in values:
            values[name] = given(request, model, values.pop(key), f"body.{key}")
    return values
