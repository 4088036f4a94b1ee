"""Id tags (cards, fobs, app identities) and groups of them."""

from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import changing, given, given_charge_points, one, seen, tag
from levity.api.kit.schemas import LEFT_OUT, Body, Id, Page, Paged, Row, Text, Time, TimeGiven
from levity.api.problems import Problem
from levity.ocpp.decisions import id_tags as decisions
from levity.ocpp.models import ChargePoint, IdTag
from levity.ocpp.visibility import is_limited, visible

__all__ = ["router"]

router = Router(tags=["id tags"])
VERSION = ("id_tag", "status", "expires_at", "parent_id", "max_transactions", "owner", "type")
LARGEST = 2**31 - 1


class IdTagRow(Row):
    """A card, a fob, or a group of them."""

    id: int
    id_tag: str
    status: str = Field(description="Accepted, Blocked, or Recorded (awaiting approval).")
    expires_at: Time | None = Field(description="When it stops being valid. Null: never.")
    group_id: int | None = Field(
        description="The tag that is its group. Null: none, or one that you may not see."
    )
    charge_points: list[str] = Field(
        description="Where it may charge, as far as you may see. Empty: everywhere."
    )
    max_transactions: int | None = Field(description="Concurrent sessions. Null: unlimited.")
    owner: str
    type: str = Field(description="The kind of token in OCPP 2.0.1. Empty: any.")
    notes: str
    created_at: Time

    @staticmethod
    def resolve_group_id(row: Any) -> int | None:
        """The group, for those who may see it."""
        return row.parent_id if row.is_parent_seen else None

    @staticmethod
    def resolve_charge_points(row: Any) -> list[str]:
        """Their identities."""
        return sorted(each.identity for each in row.charge_points.all())


class IdTagChange(Body):
    """What can be changed; what is left out stays. Its status is set by block, unblock and
    approve."""

    id_tag: Text = Field(LEFT_OUT, min_length=1, max_length=255)
    expires_at: TimeGiven | None = None
    group_id: Id | None = Field(None, serialization_alias="parent")
    charge_points: list[Text] = Field(LEFT_OUT, max_length=1_000, description="Their identities.")
    max_transactions: int | None = Field(None, ge=0, le=LARGEST)
    owner: Text = Field(LEFT_OUT, max_length=200)
    type: IdTag.Type | None = None
    notes: Text = Field(LEFT_OUT, max_length=10_000)


class IdTagGiven(IdTagChange):
    """A new tag."""

    id_tag: Text = Field(min_length=1, max_length=255)
    status: IdTag.Status = IdTag.Status.ACCEPTED


class IdTags(Paged):
    """Which id tags."""

    id_tag: Text | None = Field(None, max_length=255, description="The whole tag.")
    owner: Text | None = Field(None, max_length=200, description="A part of the owner's name.")
    status: IdTag.Status | None = None
    group_id: Id | None = Field(None, description="Members of this group.")


def _rows(request: HttpRequest) -> Any:
    who = principal(request)
    places = visible(ChargePoint.objects.only("identity"), who)
    groups = visible(IdTag.objects.filter(pk=OuterRef("parent")), who)
    rows = seen(request, IdTag).annotate(is_parent_seen=Exists(groups))
    return rows.prefetch_related(Prefetch("charge_points", places))


def _values(request: HttpRequest, body: IdTagChange) -> tuple[dict[str, Any], Any]:
    """Columns, and the charge points if some are given."""
    values = body.values()
    if "parent" in values:
        values["parent"] = given(request, IdTag, values["parent"], "body.group_id")
    if "type" in values:
        values["type"] = values["type"] or ""
    places = values.pop("charge_points", None)
    if places is not None:
        places = given_charge_points(request, places, "body.charge_points")
    return values, places


def _check_new(request: HttpRequest, id_tag: str, row: IdTag | None = None) -> None:
    who = principal(request)
    if is_limited(who):
        return  # The decision refuses it, whether there is such a tag at other sites or not.
    same = IdTag.objects.filter(id_tag__iexact=id_tag.strip())
    if row is not None:
        same = same.exclude(pk=row.pk)
    if who.has_perm("ocpp.add_idtag") and same.exists():
        raise Problem(409, f"There is an id tag “{id_tag}” already.", code="exists")


@router.get("/id-tags", response=Page[IdTagRow])
def list_id_tags(request: HttpRequest, asked: Query[IdTags]) -> Any:
    """Id tags; those that may be used at all sites are shown to users of all sites only."""
    wanted = Q()
    if asked.id_tag is not None:
        wanted &= Q(id_tag__iexact=asked.id_tag)
    if asked.owner:
        wanted &= Q(owner__icontains=asked.owner)
    if asked.status is not None:
        wanted &= Q(status=asked.status)
    if asked.group_id is not None:
        wanted &= Q(parent=asked.group_id, is_parent_seen=True)
    return page(_rows(request).filter(wanted), asked)


@router.post("/id-tags", response={201: IdTagRow})
def create_id_tag(request: HttpRequest, response: HttpResponse, body: IdTagGiven) -> Any:
    """Add an id tag."""
    values, places = _values(request, body)
    _check_new(request, body.id_tag)
    row = decisions.add_tag(IdTag(**values), places or (), principal(request))
    response["Location"] = f"/api/v1/id-tags/{row.pk}"
    return Status(201, one(_rows(request), pk=row.pk))


@router.get("/id-tags/{tag_id}", response=IdTagRow)
def get_id_tag(request: HttpRequest, response: HttpResponse, tag_id: Id) -> Any:
    """One id tag."""
    row = one(_rows(request), pk=tag_id)
    tag(response, row, VERSION)
    return row


@router.patch("/id-tags/{tag_id}", response=IdTagRow)
def change_id_tag(request: HttpRequest, tag_id: Id, body: IdTagChange) -> Any:
    """Change an id tag."""
    values, places = _values(request, body)
    with changing(request, seen(request, IdTag), VERSION, pk=tag_id) as row:
        if "id_tag" in values:
            _check_new(request, values["id_tag"], row)
        decisions.change_tag(row, values, principal(request), places)
    return one(_rows(request), pk=tag_id)


@router.delete("/id-tags/{tag_id}", response={204: None})
def delete_id_tag(request: HttpRequest, tag_id: Id) -> Any:
    """Delete an id tag; not a group that has members."""
    with changing(request, seen(request, IdTag), VERSION, pk=tag_id) as row:
        decisions.delete_tags(IdTag.objects.filter(pk=row.pk), principal(request))
    return Status(204, None)


def _decide(request: HttpRequest, tag_id: int, decide: Any) -> Any:
    row = one(seen(request, IdTag), pk=tag_id)
    decide(IdTag.objects.filter(pk=row.pk), principal(request))
    return one(_rows(request), pk=tag_id)


@router.post("/id-tags/{tag_id}/block", response=IdTagRow)
def block_id_tag(request: HttpRequest, tag_id: Id) -> Any:
    """Refuse it from now on, under every rule that asks for a tag."""
    return _decide(request, tag_id, decisions.block)


@router.post("/id-tags/{tag_id}/unblock", response=IdTagRow)
def unblock_id_tag(request: HttpRequest, tag_id: Id) -> Any:
    """Let a blocked tag charge again."""
    return _decide(request, tag_id, decisions.unblock)


@router.post("/id-tags/{tag_id}/approve", response=IdTagRow)
def approve_id_tag(request: HttpRequest, tag_id: Id) -> Any:
    """Let a recorded tag charge."""
    return _decide(request, tag_id, decisions.approve)
