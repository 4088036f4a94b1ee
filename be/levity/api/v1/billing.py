"""Billing: what a session costs."""

from collections.abc import Mapping
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Discriminator, Field, Tag

from levity.api.kit.auth import FOR_COMPUTING
from levity.api.kit.rows import unfit
from levity.api.kit.schemas import Body, Row, Text
from levity.api.problems import Problem
from levity.billing.computing import CannotPrice, price_documents
from levity.billing.documents import SessionDocument, TariffDocument, Zone
from levity.billing.ocpi_documents import CannotSay, OcpiTariffDocument
from levity.billing.ocpi_reading import ours_of_ocpi

__all__ = ["router"]

router = Router(tags=["billing"])


def _kind(tariff: Any) -> str:
    is_ocpi = "elements" in tariff if isinstance(tariff, Mapping) else hasattr(tariff, "elements")
    return "ocpi" if is_ocpi else "levity"


class ToPrice(Body):
    """A tariff and a session."""

    tariff: Annotated[
        Annotated[TariffDocument, Tag("levity")] | Annotated[OcpiTariffDocument, Tag("ocpi")],
        Discriminator(_kind),
    ] = Field(description="With `elements`, an OCPI 2.2.1 tariff.")
    session: SessionDocument
    time_zone: Text | None = Field(
        None, max_length=100, description="Of the place; needed with an OCPI tariff."
    )


class PricedLine(Row):
    """One line; `amount` is without tax, unless the tariff's prices include it."""

    kind: str = Field(description="energy, spot, time, idle, session, minimum, ...")
    name: str
    quantity: str
    unit: str
    price: str = Field(description="For one unit.")
    amount: str
    vat_percent: str


class TaxOfRate(Row):
    """The sum of the lines with one rate of tax."""

    vat_percent: str
    net: str
    tax: str
    gross: str


class Price(Row):
    """What the session costs."""

    currency: str
    energy_wh: str
    lines: list[PricedLine]
    taxes: list[TaxOfRate]
    net: str
    tax: str
    gross: str


class OcpiGiven(Body):
    """A tariff of OCPI 2.2.1."""

    tariff: OcpiTariffDocument
    time_zone: Zone = Field(description="Of the place.")


@router.post("/billing/tariff-of-ocpi", response=dict[str, Any], auth=FOR_COMPUTING)
def read_ocpi_tariff(request: HttpRequest, body: OcpiGiven) -> Any:
    """An OCPI 2.2.1 tariff as a `document` of ours; nothing is stored. 422 with what ours can't
    say."""
    try:
        return ours_of_ocpi(body.tariff, body.time_zone)
    except CannotSay as error:
        raise unfit("body.tariff", f"{error}.") from error


@router.post("/billing/price", response=Price, auth=FOR_COMPUTING)
def price_session(request: HttpRequest, body: ToPrice) -> Any:
    """Compute what a session costs by a tariff; nothing is stored."""
    try:
        return price_documents(body.tariff, body.session, body.time_zone)
    except CannotPrice as error:
        errors = [{"where": f"body.{where}", "message": what} for where, what in error.problems]
        what = error.problems[0][1]
        raise Problem(422, f"{what[:1].upper()}{what[1:]}.", errors=errors) from error
