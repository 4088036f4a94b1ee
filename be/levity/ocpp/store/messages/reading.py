"""Reading the log, wherever an exchange is kept."""

from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from levity.ocpp.models import Message
from levity.ocpp.store.messages.codec import Exchange
from levity.ocpp.store.messages.rows import (
    FIELDS,
    exchange_of,
    rows_in_order,
    rows_newest_first,
)
from levity.ocpp.store.messages.wanted import Wanted

__all__ = ["exchanges_at", "in_order", "newest_first", "newest_moment", "stored_response"]

AT_ONCE = 50


def newest_first(wanted: Wanted, at_once: int = AT_ONCE) -> Iterator[Exchange]:
    """All of them, the newest first; `at_once` are fetched at a time."""
    yield from rows_newest_first(wanted, at_once)


def in_order(wanted: Wanted) -> Iterator[Exchange]:
    """All of them in the order in which they came, few in memory at a time."""
    yield from rows_in_order(wanted)


def exchanges_at(
    charge_point: int, action: str, moments: Collection[datetime]
) -> Iterator[Exchange]:
    """Those of a charge point with this action that were received at one of these moments."""
    if moments:
        rows = Message.objects.filter(
            charge_point=charge_point, action=action, received_at__in=moments
        )
        yield from (exchange_of(row) for row in rows.values_list(*FIELDS))


def stored_response(connection: str | UUID, unique_id: str, seq: int) -> str:
    """What this very frame was answered; empty if nothing, or if nobody knows it."""
    rows = Message.objects.filter(connection=connection, unique_id=unique_id, seq=seq)
    return rows.values_list("response", flat=True).first() or ""


def newest_moment() -> datetime | None:
    """When the newest exchange was received."""
    newest: datetime | None = Message.objects.aggregate(last=Max("received_at"))["last"]
    return newest
