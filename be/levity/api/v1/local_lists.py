"""Local lists of chargers: whether they are in step with the id tags."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once
from levity.api.kit.pages import page
from levity.api.kit.rows import charge_point_at, one, seen
from levity.api.kit.schemas import Body, Page, Paged, Row, Text, Time
from levity.ocpp.decisions import local_lists as decisions
from levity.ocpp.models import ChargePoint, LocalList

__all__ = ["router"]

router = Router(tags=["local lists"])
SOURCE = "api"


class LocalListRow(Row):
    """A charger's local authorisation list, as far as it is known."""

    charge_point: str = Field(description="Its identity.")
    is_on: bool = Field(description="It is kept in step with the id tags.")
    state: str = Field(description="off, behind, sending, in_step, not_supported, failed.")
    reason: str = Field(description="Why it is not in step.")
    version: int | None = Field(description="-1: the charger keeps no list; 0: an empty one.")
    wanted: int = Field(description="How many entries it should have.")
    behind: int = Field(description="How many entries differ.")
    left_out: int = Field(description="Tags that the charger can't take.")
    answer: str = Field(alias="said", description="What the charger answered last.")
    answered_at: Time | None
    in_step_at: Time | None
    command: int | None = Field(alias="command_id")

    @staticmethod
    def resolve_charge_point(row: Any) -> str:
        """The identity of its charge point."""
        return str(row.charge_point.identity)


class LocalLists(Paged):
    """Which lists."""

    state: LocalList.State | None = None
    is_on: bool | None = None


class ListChange(Body):
    """Whether a list is kept in step."""

    is_on: bool


class ListSending(Body):
    """What to send."""

    full: bool = Field(False, description="The whole list, whatever the charger has.")


def _rows(request: HttpRequest) -> Any:
    return seen(request, LocalList).select_related("charge_point")


def _row(request: HttpRequest, identity: str) -> LocalList:
    found: LocalList = one(_rows(request), charge_point__identity__iexact=identity)
    return found


@router.get("/local-lists", response=Page[LocalListRow])
def list_local_lists(request: HttpRequest, asked: Query[LocalLists]) -> Any:
    """The lists of chargers for which it was ever switched on, or that said something of theirs."""
    rows = _rows(request)
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    if asked.is_on is not None:
        rows = rows.filter(is_on=asked.is_on)
    return page(rows, asked)


@router.get("/charge-points/{identity}/local-list", response=LocalListRow)
def get_local_list(request: HttpRequest, identity: Text) -> Any:
    """The list of one charger; 404 where nothing is known of any."""
    return _row(request, identity)


@router.put("/charge-points/{identity}/local-list", response=LocalListRow)
def switch_local_list(request: HttpRequest, identity: Text, body: ListChange) -> Any:
    """Keep it in step with the id tags, or no longer."""
    row = charge_point_at(seen(request, ChargePoint), identity)
    if not body.is_on:
        _row(request, identity)
    rows = ChargePoint.objects.filter(pk=row.pk)
    decisions.switch(rows, principal(request), on=body.is_on)
    return _row(request, identity)


@router.post("/charge-points/{identity}/local-list/send", response=LocalListRow)
def send_local_list_now(
    request: HttpRequest, identity: Text, body: ListSending, idempotency_key: Key = None
) -> Any:
    """Send what has changed, or all of it, within some seconds."""
    row = _row(request, identity)

    def ask() -> LocalList:
        decisions.send_now(row, principal(request), is_full=body.full)
        return row

    once(request, idempotency_key, body, LocalList, ask)
    return _row(request, identity)


@router.post("/charge-points/{identity}/local-list/clear", response=LocalListRow)
def clear_local_list(request: HttpRequest, identity: Text, idempotency_key: Key = None) -> Any:
    """Empty it, and keep it in step no longer."""
    row = _row(request, identity)

    def clear() -> LocalList:
        decisions.clear(row, principal(request), source=SOURCE)
        return row

    once(request, idempotency_key, None, LocalList, clear)
    return _row(request, identity)
