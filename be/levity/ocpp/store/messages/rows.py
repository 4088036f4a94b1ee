"""Exchanges of the last days, each a row of `Message`."""

from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Substr

from levity.db.prepared import Prepared
from levity.ocpp.models import Message
from levity.ocpp.store.messages.codec import Exchange
from levity.ocpp.store.messages.wanted import Wanted

__all__ = ["FIELDS", "NEWEST_FIRST", "exchange_of", "newest_rows", "rows_in_order", "with_ids"]

FIELDS: tuple[str, ...] = (
    "id",
    "connection",
    "seq",
    "sender",
    "unique_id",
    "action",
    "transaction",
    "request",
    "response",
    "error_code",
    "error_description",
    "received_at",
    "answered_at",
    "charge_point_id",
)
"""As `Exchange` has them."""
WITH_IDS = Prepared(
    lambda ids: (
        Message.objects.filter(id__any_of=ids).order_by("received_at", "id").values_list(*FIELDS)
    )
)
CHUNK = 500
NEWEST_FIRST = ("-received_at", "-id")


def exchange_of(row: tuple[Any, ...]) -> Exchange:
    """The exchange of a row's `FIELDS`."""
    pk, connection, *rest = row
    return Exchange(pk, str(connection), *rest)


def with_ids(pks: Collection[int]) -> list[Exchange]:
    """The exchanges of the rows with these ids, in the order in which they came."""
    return [exchange_of(row) for row in WITH_IDS.rows(pks)]


def newest_rows(
    rows: QuerySet[Message], limit: int, characters: int | None = None
) -> list[Exchange]:
    """The newest of these rows; with `characters` the beginning of each frame only, for frames may
    have 128 KiB."""
    fields = FIELDS
    if characters is not None:
        rows = rows.annotate(
            request_start=Substr("request", 1, characters),
            response_start=Substr("response", 1, characters),
        )
        starts = {"request": "request_start", "response": "response_start"}
        fields = tuple(starts.get(name, name) for name in FIELDS)
    found = rows.order_by(*NEWEST_FIRST).values_list(*fields)[:limit]
    return [exchange_of(row) for row in found]


def rows_in_order(wanted: Wanted) -> Iterator[Exchange]:
    """All of them, the oldest first, a chunk in memory at a time."""
    rows = Message.objects.filter(wanted.of_rows()).order_by("received_at", "id")
    for row in rows.values_list(*FIELDS).iterator(chunk_size=CHUNK):
        yield exchange_of(row)
