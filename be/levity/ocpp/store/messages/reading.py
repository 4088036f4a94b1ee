"""Reading the log, wherever an exchange is kept."""

import heapq
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import Max

from levity.ocpp.models import Message, MessageBlock
from levity.ocpp.store.messages.blocks import (
    Block,
    BlockChanged,
    blocks_of_day,
    blocks_with_id,
    bounds,
)
from levity.ocpp.store.messages.codec import Exchange, microseconds
from levity.ocpp.store.messages.finding import find
from levity.ocpp.store.messages.rows import FIELDS, exchange_of, rows_in_order
from levity.ocpp.store.messages.wanted import MOMENT, Wanted

__all__ = [
    "exchange",
    "exchanges_at",
    "in_order",
    "newest_first",
    "newest_moment",
    "stored_response",
]

AT_ONCE = 50


def newest_first(wanted: Wanted, at_once: int = AT_ONCE) -> Iterator[Exchange]:
    """All of them, the newest first; `at_once` are fetched at a time."""
    while True:
        found = find(wanted, at_once)
        yield from found.exchanges
        if found.older is None:
            return
        wanted = replace(wanted, before=found.older)


def in_order(charge_point: int, wanted: Wanted) -> Iterator[Exchange]:
    """All of a charge point's in the order in which they came, few in memory at a time.

    A block holds one day, so the way goes from one day with blocks to the next, with the rows of
    the days between; rows first, for what moves meanwhile is found in blocks then.
    """
    wanted = replace(wanted, charge_points=[charge_point])
    day: date | None = None
    while True:
        end = None if day is None else bounds(day)[1]
        until = min(filter(None, (end, wanted.until)), default=None)
        rows = rows_in_order(replace(wanted, until=until))
        # The statement has begun with the first row, and sees what was there then.
        first = next(rows, None)
        now_next = _next_day(charge_point, wanted)
        if now_next != day:
            # As in the first round; or some of these rows moved in this moment.
            day = now_next
            continue
        yield from _merged(
            chain(() if first is None else (first,), rows),
            () if day is None else blocks_of_day(charge_point, day),
            wanted,
        )
        if end is None or (wanted.until is not None and end >= wanted.until):
            return
        wanted = replace(wanted, since=end)
        day = _next_day(charge_point, wanted)


def _next_day(charge_point: int, wanted: Wanted) -> date | None:
    """The first day with blocks from here on."""
    days = MessageBlock.objects.filter(charge_point=charge_point)
    if wanted.since is not None:
        days = days.filter(day__gte=wanted.since.astimezone(UTC).date())
    if wanted.until is not None:
        days = days.filter(day__lte=wanted.until.astimezone(UTC).date())
    return days.order_by("day").values_list("day", flat=True).first()


def _merged(
    rows: Iterator[Exchange], blocks: Iterable[Block], wanted: Wanted
) -> Iterator[Exchange]:
    last = None
    ways = [rows, *(_opened(block, wanted) for block in blocks)]
    for found in heapq.merge(*ways, key=lambda item: (item.received_at, item.id)):
        if found.id != last:
            yield found
        last = found.id


def _opened(block: Block, wanted: Wanted) -> Iterator[Exchange]:
    yield from block.exchanges(block.places(wanted))


def exchange(pk: int, charge_points: Any = None) -> Exchange | None:
    """The exchange with this number; None if there is none, or none of these charge points."""
    rows = Message.objects.filter(pk=pk)
    if charge_points is not None:
        rows = rows.filter(charge_point__in=charge_points)
    row = rows.values_list(*FIELDS).first()
    if row is not None:
        return exchange_of(row)
    for block in blocks_with_id(pk, charge_points):
        if pk in block.facts.ids:
            try:
                return block.exchanges([block.facts.ids.index(pk)])[0]
            except BlockChanged:
                return exchange(pk, [block.charge_point_id])
    return None


def exchanges_at(
    charge_point: int, action: str, moments: Collection[datetime]
) -> Iterator[Exchange]:
    """Those of a charge point with this action that were received at one of these moments."""
    if not moments:
        return
    rows = Message.objects.filter(charge_point=charge_point, action=action, received_at__in=moments)
    yield from (exchange_of(row) for row in rows.values_list(*FIELDS))
    numbers = {microseconds(at) for at in moments}
    wanted = Wanted(actions=[action])
    for day in sorted({at.astimezone(UTC).date() for at in moments}):
        for block in blocks_of_day(charge_point, day):
            received = block.facts.received
            places = [place for place in block.places(wanted) if received[place] in numbers]
            if places:
                yield from block.exchanges(places)


def stored_response(
    charge_point: int | None, connection: str | UUID, unique_id: str, seq: int, at: datetime
) -> str:
    """What this very frame was answered, which was received then; empty if nothing, or if nobody
    knows it."""
    rows = Message.objects.filter(connection=connection, unique_id=unique_id, seq=seq)
    found = rows.values_list("response", flat=True).first()
    if found is None and charge_point is not None:
        on = Wanted(connection=str(connection), since=at, until=at + MOMENT)
        for block in blocks_of_day(charge_point, at.astimezone(UTC).date()):
            for one in block.exchanges(block.places(on)):
                if one.unique_id == unique_id and one.seq == seq:
                    found = one.response
    return found or ""


def newest_moment() -> datetime | None:
    """When the newest exchange was received."""
    known = (
        Message.objects.aggregate(last=Max("received_at"))["last"],
        MessageBlock.objects.aggregate(last=Max("last_at"))["last"],
    )
    return max((at for at in known if at is not None), default=None)
