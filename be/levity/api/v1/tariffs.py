"""Tariffs: what sessions cost, in versions."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import one, seen
from levity.api.kit.schemas import Body, Id, Page, Paged, Row, Text, Time, TimeGiven
from levity.api.problems import Problem
from levity.billing.documents import TariffDocument
from levity.billing.models import Tariff, TariffVersion
from levity.billing.ocpi_documents import CannotSay, in_ocpi
from levity.billing.tariffs import add_tariff, add_version

__all__ = ["router"]

router = Router(tags=["billing"])


class VersionRow(Row):
    """What a tariff says from one moment on."""

    number: int
    begins: Time = Field(description="The first moment at which it holds.")
    document: dict[str, Any]
    note: str
    created_by: str


class TariffRow(Row):
    """A tariff."""

    id: int
    name: str
    site_id: int | None


class WholeTariff(TariffRow):
    """With its versions."""

    versions: list[VersionRow] = Field(description="The one that begins last comes first.")

    @staticmethod
    def resolve_versions(row: Any) -> list[TariffVersion]:
        """At most a hundred."""
        return list(row.versions.order_by("-begins", "-number")[:100])


class NewVersion(Body):
    """What it is to say, and from when on."""

    begins: TimeGiven
    document: TariffDocument
    note: Text = Field("", max_length=200)


class NewTariff(Body):
    """A tariff with its first version."""

    name: Text = Field(min_length=1, max_length=100)
    begins: TimeGiven
    document: TariffDocument


@router.get("/billing/tariffs", response=Page[TariffRow])
def list_tariffs(request: HttpRequest, asked: Query[Paged]) -> Any:
    """All tariffs."""
    return page(seen(request, Tariff), asked)


@router.get("/billing/tariffs/{tariff_id}", response=WholeTariff)
def get_tariff(request: HttpRequest, tariff_id: Id) -> Any:
    """One of them, with its versions."""
    return one(seen(request, Tariff), pk=tariff_id)


@router.get("/billing/tariffs/{tariff_id}/ocpi", response=dict[str, Any])
def get_tariff_in_ocpi(request: HttpRequest, tariff_id: Id) -> Any:
    """Its newest version as an OCPI 2.2.1 tariff, without id and party; 409 with what OCPI has no
    words for."""
    row = one(seen(request, Tariff), pk=tariff_id)
    try:
        return in_ocpi(row)
    except CannotSay as error:
        raise Problem(409, f"{error}.") from error


@router.post("/billing/tariffs", response={201: WholeTariff})
def create_tariff(request: HttpRequest, body: NewTariff) -> Any:
    """Add a tariff; then say on its page for whom it is."""
    try:
        row = add_tariff(body.name, _plain(body.document), body.begins, principal(request))
    except ValidationError as error:
        raise _problem(error) from error
    return Status(201, row)


@router.post("/billing/tariffs/{tariff_id}/versions", response={201: WholeTariff})
def add_version_of_tariff(request: HttpRequest, tariff_id: Id, body: NewVersion) -> Any:
    """Add what it says from a moment on; versions before it stay."""
    row = one(seen(request, Tariff), pk=tariff_id)
    try:
        add_version(row, _plain(body.document), body.begins, principal(request), body.note)
    except ValidationError as error:
        raise _problem(error) from error
    return Status(201, row)


def _plain(document: TariffDocument) -> dict[str, Any]:
    return document.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _problem(error: ValidationError) -> Problem:
    errors = [{"where": "body", "message": message} for message in error.messages]
    return Problem(422, error.messages[0], errors=errors)
