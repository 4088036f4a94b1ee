"""Moving rows into blocks, one day of a charge point at a time.

Each step is a short transaction under the charge point's turn: it makes or rewrites one block and
deletes the rows that are in it now. Whoever dies in the middle has done nothing, and whoever
comes next finds the same rows. Rows of a day that has a block, because a charger was off line or
an edge kept its frames, join it in the same way.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from time import monotonic

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Length

from levity.db.rows import delete_rows
from levity.ocpp.models import ChargePoint, Message
from levity.ocpp.store.messages.blocks import Block, bounds
from levity.ocpp.store.messages.codec import DamagedBlock, Exchange
from levity.ocpp.store.messages.keeping import keep_as_block, locked, rewrite
from levity.ocpp.store.messages.rows import with_ids
from levity.ocpp.store.pace import Pace
from levity.ocpp.store.queries import is_only_mover, take_turns

__all__ = ["RowsChanged", "move_before", "move_some", "oldest_row_to_keep"]

log = logging.getLogger(__name__)

AT_ONCE, LEAST = 1_000, 400
"""Rows a step at most, and however slow the machine is: an ordinary day has 800. Two blocks for it
are an eighth larger than one, four a quarter, and that stays."""
FULL = 1_500
"""Exchanges of a block to which no more are added."""
REWRITTEN = 0.5
"""An exchange that is in the block already takes this part of the time of a row."""
CHARACTERS = 1024**2
"""Of frames a step, and in a block to which more are added."""


_pace = Pace(AT_ONCE, LEAST)


def move_some(now: datetime, budget: float, *, kept_days: int) -> int:
    """Move rows of days that ended `kept_days` ago for about `budget` seconds; how many moved."""
    ends_at = monotonic() + budget
    moved = 0
    while step := move_before(oldest_row_to_keep(now, kept_days)):
        moved += step
        if monotonic() >= ends_at:
            break
    return moved


def oldest_row_to_keep(now: datetime, kept_days: int) -> datetime:
    """Rows before this moment are moved: it is a midnight (UTC)."""
    return bounds((now - timedelta(days=kept_days)).date())[0]


class RowsChanged(Exception):
    """Somebody else deleted rows that were being moved: nothing was done."""


def move_before(before: datetime) -> int:
    """One step with what was received before this moment, the oldest first; how many moved.

    0 where nothing is left, or another worker does it.
    """
    oldest = Message.objects.filter(received_at__lt=before).order_by("received_at", "id")
    found = oldest.values_list("charge_point_id", "received_at").first()
    if found is None:
        return 0
    charge_point, at = found
    began = monotonic()
    moved = _move_one(charge_point, at.date(), before)
    _pace.took(moved, monotonic() - began)
    return moved


def _move_one(charge_point: int, day: date, before: datetime) -> int:
    with transaction.atomic():
        if not is_only_mover():
            return 0
        identity = ChargePoint.objects.filter(pk=charge_point).values_list("identity", flat=True)
        take_turns([name.lower() for name in identity])
        return _move(charge_point, day, before)


def _move(charge_point: int, day: date, before: datetime) -> int:
    start, end = bounds(day)
    rows = Message.objects.filter(
        charge_point=charge_point, received_at__gte=start, received_at__lt=min(end, before)
    ).order_by("received_at", "id")
    if connection.vendor == "postgresql":
        # An answer to a Call of ours may come this late, and write into its row in this moment;
        # nothing else writes into rows.
        unanswered = rows.filter(sender=Message.Sender.CENTRAL_SYSTEM, response="")
        list(unanswered.select_for_update().values_list("pk"))
    exchanges = with_ids(_first_of(rows))
    if not exchanges:
        return 0
    _keep(charge_point, day, exchanges)
    deleted = delete_rows(Message, [item.id for item in exchanges])
    if deleted != len(exchanges):
        raise RowsChanged
    return deleted


def _first_of(rows: QuerySet[Message]) -> list[int]:
    """The ids of as many of the first of them as a step may have; at least one, if there is one."""
    lengths = rows.annotate(size=Length("request") + Length("response"))
    left = CHARACTERS
    found: list[int] = []
    for pk, size in lengths.values_list("pk", "size")[: min(_pace.rows, AT_ONCE)]:
        if found and size > left:
            break
        found.append(pk)
        left -= size
    return found


def _keep(charge_point: int, day: date, exchanges: Sequence[Exchange]) -> None:
    """Put them into the last block of the day, or behind it."""
    parts = locked(charge_point=charge_point, day=day)
    if not parts:
        keep_as_block(charge_point, day, 0, exchanges)
        return
    last = max(parts, key=lambda block: block.part)
    if _has_room(last, len(exchanges)) and not last.only_ledger:
        try:
            there = last.exchanges()
        except DamagedBlock:
            log.exception("block %d is damaged; it stays as it is", last.pk)
        else:
            if sum(len(item.request) + len(item.response) for item in there) <= CHARACTERS:
                rewrite(last, [*there, *exchanges])
                return
    keep_as_block(charge_point, day, last.part + 1, exchanges)


def _has_room(block: Block, more: int) -> bool:
    """True if so many can join it within a step; a few can always, or each would be a block."""
    if block.count + more > FULL:
        return False
    return more < LEAST or block.count * REWRITTEN + more <= _pace.rows
