"""The log of frames, wherever it is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Query, Router
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import cursor_of, positions
from levity.api.kit.rows import seen, unfit
from levity.api.kit.schemas import Id, Page, Paged, Row, Text, Time, TimeGiven
from levity.ocpp.models import ChargePoint, Message
from levity.ocpp.store.messages import finding
from levity.ocpp.store.messages.codec import Exchange
from levity.ocpp.store.messages.finding import find
from levity.ocpp.store.messages.reading import exchange
from levity.ocpp.store.messages.wanted import LAST_ID, Place, Wanted
from levity.ocpp.visibility import is_limited

__all__ = ["router"]

router = Router(tags=["messages"])
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# A day later is still in the calendar.
LATEST = (datetime(9000, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND


class MessageRow(Row):
    """One exchange: a frame and what it was answered with."""

    id: int
    charge_point: str | None = Field(description="Its identity.")
    sender: str = Field(description="Who spoke first: cp (charge point) or cs (central system).")
    unique_id: str
    action: str
    transaction: int | None = Field(description="The transactionId in it.")
    request: str = Field(description="The frame, with secrets masked.")
    response: str = Field(description="The frame that answered it; empty: none.")
    error_code: str
    error_description: str
    received_at: Time
    answered_at: Time | None


class Chosen(Paged):
    """Which messages."""

    limit: int = Field(50, ge=1, le=200, description="How many at most.")
    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    action: Text | None = Field(None, max_length=64, description="Such as BootNotification.")
    sender: Message.Sender | None = None
    has_error: bool | None = None
    transaction: int | None = Field(None, ge=0, le=2**31 - 1)
    since: TimeGiven | None = Field(None, description="Received then, or later.")
    until: TimeGiven | None = Field(None, description="Received before then.")
    text: Text | None = Field(None, max_length=100, description="Any part of the frames.")


class Messages(Page[MessageRow]):
    """A part of the log."""

    looked_until: Time | None = Field(
        description="Set if this page ended because enough was looked through: go on with `next`."
    )


@router.get("/messages", response=Messages)
def list_messages(request: HttpRequest, asked: Query[Chosen]) -> Any:
    """The log of frames, the newest first. A page may be empty and still have a `next`."""
    seen(request, Message)
    chargers = _chargers(request)
    if asked.charge_point is not None:
        named = ChargePoint.objects.filter(identity__iexact=asked.charge_point)
        if chargers is not None:
            named = named.filter(pk__in=chargers)
        chargers = list(named.values_list("pk", flat=True))
    wanted = Wanted(
        charge_points=chargers,
        actions=(asked.action,) if asked.action else (),
        sender=asked.sender or "",
        has_error=asked.has_error,
        transaction=asked.transaction,
        since=asked.since,
        until=asked.until,
        before=None if asked.cursor is None else _place(asked.cursor),
    )
    most = finding.SEARCHED if asked.text else finding.LOOKED_AT
    found = find(wanted, asked.limit, asked.text or "", None, most)
    older = None if found.too_many or found.older is None else found.older
    return {
        "items": _with_identities(found.exchanges),
        "next": older and cursor_of((older.at - EPOCH) // MICROSECOND, older.id),
        "looked_until": found.looked_until,
    }


@router.get("/messages/{message_id}", response=MessageRow)
def get_message(request: HttpRequest, message_id: Id) -> Any:
    """One exchange."""
    seen(request, Message)
    found = exchange(message_id, _chargers(request))
    if found is None:
        raise Http404
    return _with_identities([found])[0]


def _chargers(request: HttpRequest) -> Any:
    """Those that may be looked at; None: all."""
    if not is_limited(principal(request)):
        return None
    return seen(request, ChargePoint).values("pk")


def _with_identities(exchanges: Any) -> list[dict[str, Any]]:
    keys = {item.charge_point_id for item in exchanges}
    names = dict(ChargePoint.objects.filter(pk__in=keys).values_list("pk", "identity"))
    return [_row(item, names.get(item.charge_point_id)) for item in exchanges]


def _row(item: Exchange, identity: str | None) -> dict[str, Any]:
    names = set(MessageRow.model_fields) - {"charge_point"}
    return {"charge_point": identity, **{name: getattr(item, name) for name in names}}


def _place(cursor: str) -> Place:
    match positions(cursor):
        case [int(at), int(pk)] if type(pk) is int and 0 <= at < LATEST and 0 <= pk <= LAST_ID:
            return Place(EPOCH + at * MICROSECOND, pk)
    raise unfit("query.cursor", "This cursor does not belong to this list. Start without one.")
