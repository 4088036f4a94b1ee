"""Firmware in waves: campaigns begun, watched, paused, resumed and cancelled."""

from functools import partial
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field, model_validator

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once
from levity.api.kit.pages import page
from levity.api.kit.rows import given, given_charge_points, may, one, seen
from levity.api.kit.schemas import Body, Id, Page, Paged, Row, Text, Time, TimeGiven
from levity.api.v1.files import AS_CHOSEN, Protocol, asking_of, firmware_of
from levity.files import campaigns
from levity.files.models import Campaign, CampaignTarget
from levity.ocpp.models import ChargePoint, Site

__all__ = ["router"]

router = Router(tags=["files"])


class TargetRow(Row):
    """One charge point of a campaign."""

    charge_point: str
    state: str
    wave: int | None
    why: str
    job_id: int | None

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """Its identity."""
        return str(row.charge_point.identity)


class CampaignRow(Row):
    """A firmware on its way to many chargers."""

    id: int
    name: str
    firmware_id: int
    state: str
    why: str = Field(description="Why it stopped.")
    wave: int
    wave_size: int
    pause_minutes: int
    stop_after: int
    only_idle: bool
    patience_minutes: int
    starts_at: Time
    next_wave_at: Time | None
    created_at: Time
    finished_at: Time | None


class CampaignAsked(Body):
    """A firmware for many chargers, in waves."""

    firmware_id: Id
    charge_points: list[Text] | None = Field(
        None, min_length=1, max_length=campaigns.MOST, description="Identities."
    )
    site: Id | None = Field(
        None,
        description=f"All charge points of this site in use; 409 if they are more than "
        f"{campaigns.MOST:,}.",
    )
    name: Text = Field("", max_length=100)
    wave_size: int = Field(5, ge=1, le=500)
    pause_minutes: int = Field(10, ge=0, le=100_000)
    stop_after: int = Field(1, ge=1, le=5_000, description="Failures.")
    only_idle: bool = Field(True, description="Leave chargers that are charging until idle.")
    patience_minutes: int = Field(120, ge=1, le=100_000)
    starts_at: TimeGiven | None = Field(None, description="Null: at once.")
    protocol: Protocol = Field("", description=AS_CHOSEN)

    @model_validator(mode="after")
    def _one_of_both(self) -> "CampaignAsked":
        if (self.charge_points is None) == (self.site is None):
            raise ValueError("name either charge_points or a site")
        return self


def _chosen(request: HttpRequest, asked: CampaignAsked) -> QuerySet[ChargePoint]:
    if asked.site is not None:
        place = given(request, Site, asked.site, "body.site")
        return seen(request, ChargePoint).filter(site=place, retired_at=None)
    rows = given_charge_points(request, asked.charge_points or (), "body.charge_points")
    return ChargePoint.objects.filter(pk__in=[row.pk for row in rows])


@router.get("/firmware-campaigns", response=Page[CampaignRow])
def list_firmware_campaigns(request: HttpRequest, asked: Query[Paged]) -> Any:
    """The campaigns, the newest first."""
    return page(seen(request, Campaign), asked, newest_first=True)


@router.post("/firmware-campaigns", response={202: CampaignRow})
def begin_firmware_campaign(
    request: HttpRequest, body: CampaignAsked, idempotency_key: Key = None
) -> Any:
    """Send a firmware to many chargers; it stops by itself when too many fail."""
    may(request, campaigns.MANAGE)
    firmware = firmware_of(request, body.firmware_id)
    rows = _chosen(request, body)
    plan = campaigns.Plan(
        name=body.name,
        wave_size=body.wave_size,
        pause_minutes=body.pause_minutes,
        stop_after=body.stop_after,
        only_idle=body.only_idle,
        patience_minutes=body.patience_minutes,
        starts_at=body.starts_at,
        protocol=body.protocol,
    )
    asking, who = asking_of(request, body.protocol), principal(request)
    begin = partial(campaigns.begin, firmware, rows, who, plan, asking)
    return Status(202, once(request, idempotency_key, body, Campaign, begin))


@router.get("/firmware-campaigns/{campaign_id}", response=CampaignRow)
def get_firmware_campaign(request: HttpRequest, campaign_id: Id) -> Any:
    """One of them."""
    return one(seen(request, Campaign), pk=campaign_id)


@router.get("/firmware-campaigns/{campaign_id}/charge-points", response=Page[TargetRow])
def list_campaign_charge_points(request: HttpRequest, campaign_id: Id, asked: Query[Paged]) -> Any:
    """How far each charge point is."""
    campaign = one(seen(request, Campaign), pk=campaign_id)
    rows = CampaignTarget.objects.filter(campaign=campaign)
    return page(rows.select_related("charge_point"), asked)


@router.post("/firmware-campaigns/{campaign_id}/{what}", response=CampaignRow)
def change_firmware_campaign(
    request: HttpRequest,
    campaign_id: Id,
    what: Literal["pause", "resume", "cancel"],
    idempotency_key: Key = None,
) -> Any:
    """Pause, resume or cancel it."""
    row = one(seen(request, Campaign), pk=campaign_id)
    todo = {"pause": campaigns.pause, "resume": campaigns.resume, "cancel": campaigns.cancel}

    def change() -> Campaign:
        todo[what](row, principal(request))
        return row

    once(request, idempotency_key, None, Campaign, change)
    return one(seen(request, Campaign), pk=campaign_id)
