"""Meter values of a charge point, of sessions and outside of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from levity.api.kit.pages import cursor_of, positions
from levity.api.kit.rows import charge_point_at, seen, unfit
from levity.api.kit.schemas import Number, Page, Paged, Row, Text, Time, TimeGiven
from levity.ocpp.models import ChargePoint, MeterValue
from levity.ocpp.store.samples.elements import Element, arrival
from levity.ocpp.store.samples.reading import at_charge_point

__all__ = ["router"]

router = Router(tags=["meter values"])
LONGEST = timedelta(days=31)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class SampleRow(Row):
    """One sampled value."""

    measurand: str
    phase: str
    location: str
    context: str
    format: str
    unit: str = Field(description="As sent.")
    raw_value: str = Field(description="As sent.")
    value: Number | None = Field(description="In base units: Wh, W, A, V, ...; null: no number.")


class MeterValueRow(Row):
    """What was sampled at one moment."""

    id: int
    connector: int
    evse: int
    transaction: int | None = Field(alias="transaction_id")
    sampled_at: Time = Field(description="By the charger's clock.")
    received_at: Time
    samples: list[SampleRow]

    @staticmethod
    def resolve_samples(row: Element) -> Any:
        """Each of its samples."""
        return row.samples()


class Chosen(Paged):
    """Which meter values: of at most 31 days; without times, of the last day."""

    since: TimeGiven | None = Field(None, description="Sampled then, or later.")
    until: TimeGiven | None = Field(None, description="Sampled then, or before.")


@router.get("/charge-points/{identity}/meter-values", response=Page[MeterValueRow])
def list_meter_values(request: HttpRequest, identity: Text, asked: Query[Chosen]) -> Any:
    """Meter values of a charge point in the order of their time."""
    seen(request, MeterValue)
    row = charge_point_at(seen(request, ChargePoint), identity)
    since, until = _span(asked)
    last: tuple[int, bool, int] | None = None
    if asked.cursor is not None:
        last = _place(asked.cursor)
        since = max(since, EPOCH + last[0] * MICROSECOND)
    found = sorted(at_charge_point(row.pk, since, until), key=_order)
    if last is not None:
        found = [each for each in found if _order(each) > last]
    shown = found[: asked.limit]
    more = cursor_of(*_order(shown[-1])) if len(found) > asked.limit else None
    return {"items": shown, "next": more}


def _span(asked: Chosen) -> tuple[datetime, datetime]:
    now = timezone.now()
    if asked.since is None and asked.until is None:
        return now - timedelta(days=1), now + timedelta(days=1)
    try:
        since = asked.since or (asked.until or now) - LONGEST
        until = asked.until or since + LONGEST
    except OverflowError:
        raise unfit("query.since", "This time is outside of the calendar.") from None
    if until - since > LONGEST:
        raise unfit("query.since", "Ask for at most 31 days at once.")
    return since, until


def _order(element: Element) -> tuple[int, bool, int]:
    return ((element.sampled_at - EPOCH) // MICROSECOND, *arrival(element))


def _place(cursor: str) -> tuple[int, bool, int]:
    match positions(cursor):
        case [int(at), bool(is_row), int(pk)] if 0 <= at < 2**57:
            return at, is_row, pk
    raise unfit("query.cursor", "This cursor does not belong to this list. Start without one.")
