"""Forgetting the log but for what sessions are made of.

A bill must be traced to what the charger said for as long as the law wants it: the messages that
begin a session, end it or bring its samples outlive the rest of their day.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.db import transaction

from levity.ocpp.models import MessageBlock, QuarantinedMessage
from levity.ocpp.store.messages.blocks import HEADER, Block
from levity.ocpp.store.messages.codec import DamagedBlock, Exchange
from levity.ocpp.store.messages.keeping import locked, rewrite
from levity.ocpp.store.messages.moving import move_before
from levity.ocpp.store.samples.receipts import APART, received_for_sessions
from levity.ocpp.versions import VERSIONS

__all__ = ["forget_ledger", "thin"]

BEGIN_OR_END = frozenset(name for item in VERSIONS.values() for name in (item.begins, item.ends))
SAMPLES = frozenset(item.samples for item in VERSIONS.values())
AT_ONCE = 50
"""Blocks that are deleted at a time."""


def thin(oldest: datetime, progress: Callable[[int], None] = lambda count: None) -> int:
    """Forget what was received before this moment and belongs to no session; how many exchanges.

    A block at a time, each in a short transaction of its own.
    """
    while move_before(oldest):
        pass
    forgotten = 0
    for pk in _blocks(oldest):
        forgotten += _thin(pk, oldest)
        progress(forgotten)
    return forgotten


def _blocks(oldest: datetime) -> Iterator[int]:
    last = 0
    rows = MessageBlock.objects.filter(only_ledger=False, first_at__lt=oldest).order_by("pk")
    while found := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        yield from found
        last = found[-1]


def _thin(pk: int, oldest: datetime) -> int:
    for row in MessageBlock.objects.filter(pk=pk).values_list(*HEADER, "frames"):
        block = Block(*row)
        is_over = block.last_at < oldest
        try:
            there = block.exchanges()
        except DamagedBlock:
            # Nobody can say what is in it: it goes when the ledger's frames would.
            MessageBlock.objects.filter(pk=pk).update(only_ledger=is_over)
            return 0
        # Before the block is locked: on SQLite chargers wait for that.
        old = [item for item in there if item.received_at < oldest]
        ledger = of_sessions(block.charge_point_id, old)
        kept = [item for item in there if item.received_at >= oldest or item.id in ledger]
        if is_over or len(kept) < len(there):
            return _reduce(block, kept, is_over=is_over)
    return 0


def _reduce(block: Block, kept: Sequence[Exchange], *, is_over: bool) -> int:
    """How many exchanges it lost; 0 where somebody wrote it anew since, for it is as old next
    time."""
    with transaction.atomic():
        for now in locked(pk=block.pk):
            same = bytes(now.packed) == bytes(block.packed) and bytes(now.frames) == bytes(
                block.frames
            )
            if same and now.only_ledger == block.only_ledger:
                rewrite(now, kept, only_ledger=is_over)
                return block.count - len(kept)
    return 0


def of_sessions(charge_point: int, exchanges: Sequence[Exchange]) -> set[int]:
    """The numbers of those of which a session's figures and signed values are made."""
    theirs = [item for item in exchanges if item.sender == "cp"]
    found = {item.id for item in theirs if item.action in BEGIN_OR_END}
    samples = [item for item in theirs if item.action in SAMPLES]
    found |= {item.id for item in samples if item.transaction is not None}
    if loose := [item for item in samples if item.transaction is None]:
        first, last = loose[0].received_at, loose[-1].received_at
        if _is_undecided(charge_point, first, last):
            return found | {item.id for item in loose}
        joined = received_for_sessions(charge_point, first, last)
        found |= {item.id for item in loose if item.received_at in joined}
    return found


def _is_undecided(charge_point: int, first: datetime, last: datetime) -> bool:
    """True if a person has yet to decide about a message of about that time: samples that belong to
    no session may join one then."""
    return QuarantinedMessage.objects.filter(
        charge_point=charge_point,
        resolved_at=None,
        received_at__gte=first - APART,
        received_at__lte=last + APART,
    ).exists()


def forget_ledger(oldest: datetime) -> int:
    """Forget what sessions of before this day are made of; how many exchanges."""
    forgotten = 0
    rows = MessageBlock.objects.filter(only_ledger=True, day__lt=oldest.date()).order_by("day")
    while found := list(rows.values_list("pk", "count")[:AT_ONCE]):
        MessageBlock.objects.filter(pk__in=[pk for pk, _ in found]).delete()
        forgotten += sum(count for _, count in found)
    return forgotten
