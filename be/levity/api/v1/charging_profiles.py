"""Charging profiles that chargers have, as far as is known."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once
from levity.api.kit.pages import page
from levity.api.kit.rows import charge_point_at, one, seen
from levity.api.kit.schemas import Id, Page, Paged, Row, Text, Time
from levity.ocpp.decisions import charging_profiles as decisions
from levity.ocpp.models import ChargePoint, Command, InstalledProfile

__all__ = ["router"]

router = Router(tags=["charging profiles"])
SOURCE = "api"


class InstalledProfileRow(Row):
    """A charging profile that a charger has accepted."""

    id: int
    charge_point: str = Field(description="Its identity.")
    connector: int = Field(description="0: the charger as a whole.")
    profile_id: int = Field(description="OCPP 1.6's chargingProfileId.")
    stack_level: int
    purpose: str
    kind: str
    recurrency: str
    valid_from: Time | None
    valid_to: Time | None
    transaction: int | None = Field(alias="session", description="The session that it is for.")
    schedule: dict[str, Any] = Field(description="OCPP 1.6's chargingSchedule, as it was sent.")
    state: str = Field(description="installed, replaced, cleared, ended.")
    reason: str = Field(description="How it ended.")
    doubt: str = Field(description="Why it is not sure that the charger still has it.")
    installed_at: Time
    ended_at: Time | None
    command: int | None = Field(alias="command_id")

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)

    @staticmethod
    def resolve_doubt(row: Any) -> str:
        """As the page has it."""
        if row.state != InstalledProfile.State.INSTALLED:
            return ""
        return decisions.doubts_about(row, row.charge_point, timezone.now())


class InstalledProfiles(Paged):
    """Which profiles."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    state: InstalledProfile.State | None = None


class Asked(Row):
    """A command was queued."""

    command: int = Field(description="Its id: see /commands.")


def _rows(request: HttpRequest) -> Any:
    return seen(request, InstalledProfile).select_related("charge_point")


@router.get("/charging-profiles", response=Page[InstalledProfileRow])
def list_charging_profiles(request: HttpRequest, asked: Query[InstalledProfiles]) -> Any:
    """Profiles that chargers have or had, the newest first."""
    rows = _rows(request)
    if asked.charge_point is not None:
        found = charge_point_at(seen(request, ChargePoint), asked.charge_point)
        rows = rows.filter(charge_point=found)
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    return page(rows, asked, newest_first=True)


@router.get("/charging-profiles/{profile_id}", response=InstalledProfileRow)
def get_charging_profile(request: HttpRequest, profile_id: Id) -> Any:
    """One profile."""
    return one(_rows(request), pk=profile_id)


@router.post("/charging-profiles/{profile_id}/clear", response={202: Asked})
def clear_charging_profile(
    request: HttpRequest, profile_id: Id, idempotency_key: Key = None
) -> Any:
    """Ask the charger to drop it. (To set one, send SetChargingProfile as a command.)"""
    row = one(_rows(request), pk=profile_id)

    def clear() -> Command:
        return decisions.clear_one(row, principal(request), source=SOURCE)

    return Status(202, {"command": once(request, idempotency_key, None, Command, clear).pk})
