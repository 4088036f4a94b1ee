"""Events: what happened, behind a cursor."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field, field_validator

from levity.api.kit.auth import principal
from levity.api.kit.pages import cursor_of, position
from levity.api.kit.rows import may
from levity.api.kit.schemas import Id, Row, Text
from levity.integrations.feed import read_feed
from levity.ocpp.events import TYPES

__all__ = ["router"]

router = Router(tags=["events"])

OLDEST = "oldest"


class AskedEvents(Schema):
    """Which events."""

    after: Text | None = Field(
        None,
        max_length=200,
        description=(
            "`next` of the answer before. Leave it out to begin with what happens from now on; "
            "`oldest` begins with the oldest event that is kept."
        ),
    )
    limit: int = Field(100, ge=1, le=1000, description="How many at most.")
    wait: int = Field(
        0, ge=0, le=0, description="0: no answer waits for an event. Ask again every few seconds."
    )
    type: list[Text] = Field([], max_length=50, description="Only these types.")
    site: list[Id] = Field([], max_length=100, description="Only these sites, by id.")
    charge_point: Text | None = Field(None, max_length=48, description="Only this identity.")

    @field_validator("type")
    @classmethod
    def is_a_type(cls, value: list[str]) -> list[str]:
        """Only types that there are."""
        if unknown := sorted(set(value) - set(TYPES)):
            raise ValueError(f"there are no events of the type {', '.join(unknown)[:200]}")
        return value


class EventRow(Row):
    """One event; docs/events.md shows each type."""

    id: str = Field(description="Unique; sorts as events do. The same if it is told again.")
    type: str
    occurred_at: str
    site: str | None = Field(description="Name of its site at that time.")
    charge_point: str | None = Field(description="Identity.")
    data: dict[str, Any]


class EventPage(Row):
    """Events in their order."""

    items: list[EventRow]
    next: str = Field(description="Send it as `after` to go on; never null.")
    has_more: bool = Field(description="There are more events already: ask at once.")


@router.get("/events", response=EventPage)
def list_events(request: HttpRequest, asked: Query[AskedEvents]) -> Any:
    """What happened. The first request switches recording on for the types that it names; a feed
    that is not read for a week is switched off."""
    may(request, "integrations.view_event")
    after: int | None = None
    if asked.after is not None:
        after = 0 if asked.after == OLDEST else position(asked.after)
    found = read_feed(
        principal(request),
        after,
        timezone.now(),
        types=asked.type,
        sites=asked.site,
        charge_point=asked.charge_point or "",
        limit=asked.limit,
    )
    return {
        "items": found.events,
        "next": cursor_of(found.position),
        "has_more": found.has_more,
    }
