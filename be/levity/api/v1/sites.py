"""Sites: places with chargers, and their rules."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import changing, one, seen, tag
from levity.api.kit.schemas import LEFT_OUT, Body, Id, Page, Paged, Row, Text
from levity.ocpp.decisions import sites as decisions
from levity.ocpp.models import Authorization, SecurityProfile, Site

__all__ = ["router"]

router = Router(tags=["sites"])
VERSION = decisions.FIELDS
ZONE = "Such as Europe/Berlin. Empty: the server's."
RULE = "Who may charge. Empty: the default setting."
SIGNED = "Sessions are billed by the energy that their meter has signed."
PROFILE = "Security profile of new charge points here. Null: the default setting."


class SiteRow(Row):
    """A place with chargers."""

    id: int
    name: str
    time_zone: str = Field(description=ZONE)
    authorization: str = Field(description=RULE)
    security_profile: int | None = Field(description=PROFILE)
    bill_signed: bool = Field(description=SIGNED)
    notes: str
    charge_points: int = Field(description="How many it has.", alias="how_many")


class SiteChange(Body):
    """What can be changed of a site; what is left out stays."""

    name: Text = Field(LEFT_OUT, min_length=1, max_length=100)
    time_zone: Text = Field(LEFT_OUT, max_length=64, description=ZONE)
    authorization: Authorization | None = Field(None, description=RULE)
    security_profile: SecurityProfile | None = Field(None, description=PROFILE)
    bill_signed: bool = Field(LEFT_OUT, description=SIGNED)
    notes: Text = Field(LEFT_OUT, max_length=10_000)


class SiteGiven(SiteChange):
    """A new site."""

    name: Text = Field(min_length=1, max_length=100)


def _rows(request: HttpRequest) -> Any:
    return seen(request, Site).annotate(how_many=Count("charge_points"))


def _values(body: SiteChange) -> dict[str, Any]:
    values = body.values()
    if "authorization" in values:
        values["authorization"] = values["authorization"] or ""
    return values


@router.get("/sites", response=Page[SiteRow])
def list_sites(request: HttpRequest, asked: Query[Paged]) -> Any:
    """The sites that you may see."""
    return page(_rows(request), asked)


@router.post("/sites", response={201: SiteRow})
def create_site(request: HttpRequest, response: HttpResponse, body: SiteGiven) -> Any:
    """Add a site. Its name has to be unique."""
    row = decisions.add_site(Site(**_values(body)), principal(request))
    response["Location"] = f"/api/v1/sites/{row.pk}"
    return Status(201, one(_rows(request), pk=row.pk))


@router.get("/sites/{site_id}", response=SiteRow)
def get_site(request: HttpRequest, response: HttpResponse, site_id: Id) -> Any:
    """One site."""
    row = one(_rows(request), pk=site_id)
    tag(response, row, VERSION)
    return row


@router.patch("/sites/{site_id}", response=SiteRow)
def change_site(request: HttpRequest, site_id: Id, body: SiteChange) -> Any:
    """Change its name or rules."""
    with changing(request, seen(request, Site), VERSION, pk=site_id) as row:
        decisions.change_site(row, _values(body), principal(request))
    return one(_rows(request), pk=site_id)


@router.delete("/sites/{site_id}", response={204: None})
def delete_site(request: HttpRequest, site_id: Id) -> Any:
    """Delete a site. Its charge points stay, without a site."""
    with changing(request, seen(request, Site), VERSION, pk=site_id) as row:
        decisions.delete_site(row, principal(request))
    return Status(204, None)
