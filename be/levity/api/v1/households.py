"""Households: who pays, and what each charges with from day to day."""

from datetime import date
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field, model_validator

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import changing, given, given_charge_points, one, seen, tag
from levity.api.kit.schemas import LEFT_OUT, Body, Id, Page, Paged, Row, Text
from levity.billing import households as decisions
from levity.billing.assigned import seen_assignments, with_assignments
from levity.billing.models import Assignment, Household
from levity.ocpp.models import Site

__all__ = ["router"]

router = Router(tags=["households"])
VERSION = (*decisions.AUDITED, "members", "notes")
LARGEST = 2**31 - 1


class HouseholdAssignmentRow(Row):
    """A card, or a charge point or one of its connectors, from one day to another."""

    id: int
    id_tag: str = Field(description="A card. Empty: a charge point.")
    charge_point: str | None = Field(description="Its identity.")
    connector: int | None = Field(description="Of the charge point. Null: all of it.")
    first_day: date
    last_day: date | None = Field(description="Included. Null: no end.")

    @staticmethod
    def resolve_charge_point(row: Any) -> str | None:
        """The identity of its charge point."""
        return row.charge_point.identity if row.charge_point else None


class HouseholdRow(Row):
    """Those who get one statement together."""

    id: int
    name: str
    flat: str
    parking: str
    site_id: int | None
    email: str
    language: str
    members: str = Field(description="A name each line.")
    notes: str
    assignments: list[HouseholdAssignmentRow]

    @staticmethod
    def resolve_assignments(row: Any) -> Any:
        """All of them, as they were fetched together."""
        return list(row.assignments.all())


class HouseholdChange(Body):
    """What can be changed; what is left out stays."""

    name: Text = Field(LEFT_OUT, min_length=1, max_length=200)
    flat: Text = Field(LEFT_OUT, max_length=100)
    parking: Text = Field(LEFT_OUT, max_length=100)
    site_id: Id | None = Field(None, description="Null: none.")
    email: Text = Field(LEFT_OUT, max_length=254, description="Empty: statements are printed.")
    language: Household.Language = Field(LEFT_OUT)
    members: Text = Field(LEFT_OUT, max_length=2_000, description="A name each line.")
    notes: Text = Field(LEFT_OUT, max_length=2_000)


class HouseholdGiven(HouseholdChange):
    """A new household."""

    name: Text = Field(min_length=1, max_length=200)


class HouseholdAssignmentGiven(Body):
    """A card, or a charge point."""

    id_tag: Text | None = Field(None, min_length=1, max_length=255)
    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    connector: int | None = Field(
        None, ge=1, le=LARGEST, description="Of the charge point. Null: all of it."
    )
    first_day: date
    last_day: date | None = Field(None, description="Included. Null: no end.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "HouseholdAssignmentGiven":
        if (self.id_tag is None) == (self.charge_point is None):
            raise ValueError("name either an id_tag or a charge_point")
        return self


class HouseholdAssignmentChange(Body):
    """Other days."""

    first_day: date = Field(LEFT_OUT)
    last_day: date | None = Field(None, description="Included. Null: no end.")


class Households(Paged):
    """Which households."""

    site_id: Id | None = None
    search: Text | None = Field(None, max_length=100, description="A part of name or flat.")
    id_tag: Text | None = Field(None, max_length=255, description="Who has had this card.")


def _rows(request: HttpRequest) -> Any:
    return with_assignments(seen(request, Household), principal(request))


def _values(request: HttpRequest, body: HouseholdChange) -> dict[str, Any]:
    values = body.values()
    if "site_id" in values:
        values["site"] = given(request, Site, values.pop("site_id"), "body.site_id")
    return values


def _assignment(request: HttpRequest, pk: int) -> Assignment:
    mine = seen(request, Household)
    rows = seen_assignments(Assignment.objects.filter(household__in=mine), principal(request))
    return one(rows.select_related("household", "charge_point"), pk=pk)


@router.get("/households", response=Page[HouseholdRow])
def list_households(request: HttpRequest, asked: Query[Households]) -> Any:
    """Households, each with what it charges with."""
    rows = _rows(request)
    if asked.site_id is not None:
        rows = rows.filter(site=asked.site_id)
    if asked.search:
        rows = rows.filter(Q(name__icontains=asked.search) | Q(flat__icontains=asked.search))
    if asked.id_tag is not None:
        having = Assignment.objects.filter(id_tag__iexact=asked.id_tag)
        rows = rows.filter(pk__in=having.values("household"))
    return page(rows, asked)


@router.post("/households", response={201: HouseholdRow})
def create_household(request: HttpRequest, response: HttpResponse, body: HouseholdGiven) -> Any:
    """Add a household."""
    row = decisions.add_household(Household(**_values(request, body)), principal(request))
    response["Location"] = f"/api/v1/households/{row.pk}"
    return Status(201, one(_rows(request), pk=row.pk))


@router.get("/households/{household_id}", response=HouseholdRow)
def get_household(request: HttpRequest, response: HttpResponse, household_id: Id) -> Any:
    """One household."""
    row = one(_rows(request), pk=household_id)
    tag(response, row, VERSION)
    return row


@router.patch("/households/{household_id}", response=HouseholdRow)
def change_household(request: HttpRequest, household_id: Id, body: HouseholdChange) -> Any:
    """Change a household."""
    values = _values(request, body)
    with changing(request, seen(request, Household), VERSION, pk=household_id) as row:
        decisions.change_household(row, values, principal(request))
    return one(_rows(request), pk=household_id)


@router.delete("/households/{household_id}", response={204: None})
def delete_household(request: HttpRequest, household_id: Id) -> Any:
    """Delete a household with its assignments: its past sessions are nobody's then."""
    with changing(request, seen(request, Household), VERSION, pk=household_id) as row:
        decisions.delete_household(row, principal(request))
    return Status(204, None)


@router.post("/households/{household_id}/assignments", response={201: HouseholdAssignmentRow})
def create_assignment(
    request: HttpRequest, household_id: Id, body: HouseholdAssignmentGiven
) -> Any:
    """Let a household charge with a card or at a charge point; 422 if it is another household's
    on one of these days."""
    values = body.values()
    identity = values.pop("charge_point", None)
    values["id_tag"] = values.get("id_tag") or ""
    if identity is not None:
        [values["charge_point"]] = given_charge_points(request, [identity], "body.charge_point")
    row = Assignment(household=one(seen(request, Household), pk=household_id), **values)
    return Status(201, decisions.assign(row, principal(request)))


@router.patch("/household-assignments/{assignment_id}", response=HouseholdAssignmentRow)
def change_assignment(
    request: HttpRequest, assignment_id: Id, body: HouseholdAssignmentChange
) -> Any:
    """Change its days: `last_day` ends it."""
    row = _assignment(request, assignment_id)
    return decisions.change_assignment(row, body.values(), principal(request))


@router.delete("/household-assignments/{assignment_id}", response={204: None})
def delete_assignment(request: HttpRequest, assignment_id: Id) -> Any:
    """As if it had never been; to end it, change its `last_day`."""
    decisions.unassign(_assignment(request, assignment_id), principal(request))
    return Status(204, None)
