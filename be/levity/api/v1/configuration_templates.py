"""Templates of configuration: how charge points are to be set, and which differ from that."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once
from levity.api.kit.pages import page
from levity.api.kit.rows import charge_point_at, may, one, seen
from levity.api.kit.schemas import Body, Id, Page, Paged, Row, Text, Time
from levity.api.problems import Problem
from levity.api.v1.configuration import known_charge_point
from levity.ocpp.decisions import configuration_templates as templates
from levity.ocpp.decisions.wanted_state import Assignments, differences_of, keys_now
from levity.ocpp.models import ChargePoint, ConfigurationTemplate, Site, TemplateAssignment

__all__ = ["router"]

router = Router(tags=["configuration"])


class AssignmentRow(Row):
    """For which charge points a template is; without both: for all that it fits."""

    id: int
    charge_point: str | None
    site_id: int | None


class TemplateRow(Row):
    """How charge points are to be configured."""

    id: int
    name: str
    keys: dict[str, str] = Field(description="Key to value.")
    vendor: str = Field(description="Pattern; empty fits all. So for model and firmware.")
    model: str
    firmware: str
    notes: str
    changed_at: Time
    assignments: list[AssignmentRow]


class TemplateBody(Body):
    """A template."""

    name: Text = Field(min_length=1, max_length=100)
    keys: dict[str, Text] = Field(description="Key to value.")
    vendor: Text = Field("", max_length=200)
    model: Text = Field("", max_length=200)
    firmware: Text = Field("", max_length=200)
    notes: Text = Field("", max_length=10_000)


class AssignmentBody(Body):
    """One of both; or neither, with `all`."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    site_id: Id | None = None
    all: bool = Field(False, description="All charge points that it fits.")


class DifferenceRow(Row):
    """A key that is not as wanted."""

    key: str
    value: str | None
    wanted: str
    template: str
    why_not: str = Field(description="Why Levity does not change it; empty: it does.")


class DriftRow(Row):
    """A charge point that has templates."""

    charge_point: str
    templates: list[str]
    in_step: bool
    differences: list[DifferenceRow]
    gave_up: str = Field(description="Why it is left as it is; empty: it is not.")
    last_in_step_at: Time | None


@router.post("/charge-points/{identity}/configuration/apply", response={202: DriftRow})
def apply_configuration_templates(
    request: HttpRequest, identity: str, idempotency_key: Key = None
) -> Any:
    """Have a charge point configured as its templates say, also where Levity gave up."""
    row = known_charge_point(request, identity)

    def ask() -> ChargePoint:
        rows = ChargePoint.objects.filter(pk=row.pk)
        if not templates.apply_now(rows, principal(request)).count:
            raise Problem(409, "No template is assigned to this charge point.")
        return row

    once(request, idempotency_key, None, ChargePoint, ask)
    [found] = _drift([row])
    return Status(202, found)


@router.get("/configuration/drift", response=Page[DriftRow])
def list_configuration_drift(request: HttpRequest, asked: Query[Paged]) -> Any:
    """The charge points that have templates, and which of their keys differ."""
    may(request, "ocpp.view_configurationkey")
    assignments = Assignments.load()
    rows = seen(request, ChargePoint).filter(assignments.concerned(), retired_at=None)
    if assignments.is_empty:
        rows = rows.none()
    found = page(rows.select_related("configuration_state"), asked)
    return {**found, "items": _drift(found["items"])}


@router.get("/configuration/templates", response=Page[TemplateRow])
def list_configuration_templates(request: HttpRequest, asked: Query[Paged]) -> Any:
    """All templates, with what they are assigned to."""
    rows = seen(request, ConfigurationTemplate).prefetch_related("assignments__charge_point")
    found = page(rows, asked)
    return {**found, "items": [_template(item) for item in found["items"]]}


@router.post("/configuration/templates", response={201: TemplateRow})
def create_configuration_template(request: HttpRequest, body: TemplateBody) -> Any:
    """A new template; it changes nothing until it is assigned."""
    return Status(201, _save(request, ConfigurationTemplate(), body))


@router.get("/configuration/templates/{template_id}", response=TemplateRow)
def get_configuration_template(request: HttpRequest, template_id: Id) -> Any:
    """One template."""
    return _template(one(seen(request, ConfigurationTemplate), pk=template_id))


@router.put("/configuration/templates/{template_id}", response=TemplateRow)
def replace_configuration_template(
    request: HttpRequest, template_id: Id, body: TemplateBody
) -> Any:
    """Change a template: the charge points that have it follow within some minutes."""
    return _save(request, one(seen(request, ConfigurationTemplate), pk=template_id), body)


@router.delete("/configuration/templates/{template_id}", response={204: None})
def delete_configuration_template(request: HttpRequest, template_id: Id) -> Any:
    """Delete a template; charge points keep the values that they have."""
    row = one(seen(request, ConfigurationTemplate), pk=template_id)
    templates.delete_template(row, principal(request))
    return HttpResponse(status=204)


@router.post("/configuration/templates/{template_id}/assignments", response={201: TemplateRow})
def assign_configuration_template(
    request: HttpRequest, template_id: Id, body: AssignmentBody
) -> Any:
    """Have charge points follow a template."""
    row = one(seen(request, ConfigurationTemplate), pk=template_id)
    if sum((body.charge_point is not None, body.site_id is not None, body.all)) != 1:
        raise Problem(422, "Name a charge point or a site, or send “all”: true.")
    target: dict[str, Any] = {}
    if body.charge_point is not None:
        target["charge_point"] = charge_point_at(seen(request, ChargePoint), body.charge_point)
    elif body.site_id is not None:
        target["site"] = one(seen(request, Site), pk=body.site_id)
    templates.assign(row, principal(request), **target)
    return Status(201, _template(row))


@router.delete("/configuration/assignments/{assignment_id}", response={204: None})
def unassign_configuration_template(request: HttpRequest, assignment_id: Id) -> Any:
    """No longer; charge points keep the values that they have."""
    may(request, templates.CHANGE)
    row = one(TemplateAssignment.objects.all(), pk=assignment_id)
    templates.unassign(row, principal(request))
    return HttpResponse(status=204)


def _template(row: ConfigurationTemplate) -> dict[str, Any]:
    rows = sorted(row.assignments.all(), key=lambda item: item.pk)
    return {
        "id": row.pk,
        "name": row.name,
        "keys": row.values,
        "vendor": row.vendor,
        "model": row.model,
        "firmware": row.firmware,
        "notes": row.notes,
        "changed_at": row.changed_at,
        "assignments": [
            {
                "id": item.pk,
                "charge_point": item.charge_point.identity if item.charge_point else None,
                "site_id": item.site_id,
            }
            for item in rows
        ],
    }


def _save(request: HttpRequest, row: ConfigurationTemplate, body: TemplateBody) -> dict[str, Any]:
    may(request, templates.CHANGE)
    same = ConfigurationTemplate.objects.filter(name=body.name).exclude(pk=row.pk)
    if same.exists():
        raise Problem(409, "There is a template of this name already.")
    for name in ("name", "vendor", "model", "firmware", "notes"):
        setattr(row, name, getattr(body, name))
    return _template(templates.save_template(row, principal(request), body.keys))


def _drift(rows: list[ChargePoint]) -> list[dict[str, Any]]:
    assignments, known, found = Assignments.load(), keys_now(rows), []
    for row in rows:
        wanted = assignments.wanted(row)
        left = differences_of(row, wanted, known[row.pk])
        state = getattr(row, "configuration_state", None)
        found.append(
            {
                "charge_point": row.identity,
                "templates": sorted({item.template for item in wanted.values()}),
                "in_step": not left,
                "differences": [
                    {
                        "key": item.wanted.key,
                        "value": item.now,
                        "wanted": item.wanted.value,
                        "template": item.wanted.template,
                        "why_not": item.why_not,
                    }
                    for item in left
                ],
                "gave_up": state.gave_up if state is not None else "",
                "last_in_step_at": state.in_step_at if state is not None else None,
            }
        )
    return found
