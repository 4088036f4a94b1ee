"""Forgetting the log but for what sessions are made of.

A bill must be traced to what the charger said for as long as the law wants it: the messages that
begin a session, end it or bring its samples outlive the rest of their day.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from levity.ocpp.models import MessageBlock, Transaction
from levity.ocpp.store.messages.codec import DamagedBlock, Exchange
from levity.ocpp.store.messages.keeping import locked, rewrite
from levity.ocpp.store.messages.moving import move_before
from levity.ocpp.store.samples.reading import of_transactions
from levity.ocpp.versions import VERSIONS

__all__ = ["forget_ledger", "thin"]

BEGIN_OR_END = frozenset(name for item in VERSIONS.values() for name in (item.begins, item.ends))
SAMPLES = frozenset(item.samples for item in VERSIONS.values())
AT_ONCE = 50
"""Blocks that are deleted at a time."""
LATE = timedelta(days=30)
"""Samples join a session whose beginning was told up to this much later; and a session that began
more than this before them has them by its number."""


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
    with transaction.atomic():
        for block in locked(pk=pk):
            is_over = block.last_at < oldest
            try:
                there = block.exchanges()
            except DamagedBlock:
                # Nobody can say what is in it: it goes when the ledger's frames would.
                MessageBlock.objects.filter(pk=pk).update(only_ledger=is_over)
                continue
            old = [item for item in there if item.received_at < oldest]
            ledger = of_sessions(block.charge_point_id, old)
            kept = [item for item in there if item.received_at >= oldest or item.id in ledger]
            if is_over or len(kept) < len(there):
                rewrite(block, kept, only_ledger=is_over)
            return len(there) - len(kept)
    return 0


def of_sessions(charge_point: int, exchanges: Sequence[Exchange]) -> set[int]:
    """The numbers of those of which a session's figures and signed values are made."""
    theirs = [item for item in exchanges if item.sender == "cp"]
    found = {item.id for item in theirs if item.action in BEGIN_OR_END}
    samples = [item for item in theirs if item.action in SAMPLES]
    found |= {item.id for item in samples if item.transaction is not None}
    if loose := [item for item in samples if item.transaction is None]:
        joined = _joined(charge_point, loose)
        found |= {item.id for item in loose if item.received_at in joined}
    return found


def _joined(charge_point: int, loose: Sequence[Exchange]) -> set[datetime]:
    """When samples were received that named no session and belong to one all the same."""
    first, last = loose[0].received_at - LATE, loose[-1].received_at + LATE
    sessions = Transaction.objects.filter(
        Q(start_received_at__gte=first) | Q(stop_received_at=None) | Q(stop_received_at__gte=first),
        charge_point=charge_point,
        start_received_at__lte=last,
    )
    elements = of_transactions(list(sessions.values_list("pk", flat=True)))
    return {element.received_at for some in elements.values() for element in some}


def forget_ledger(oldest: datetime) -> int:
    """Forget what sessions of before this day are made of; how many exchanges."""
    forgotten = 0
    rows = MessageBlock.objects.filter(only_ledger=True, day__lt=oldest.date()).order_by("day")
    while found := list(rows.values_list("pk", "count")[:AT_ONCE]):
        MessageBlock.objects.filter(pk__in=[pk for pk, _ in found]).delete()
        forgotten += sum(count for _, count in found)
    return forgotten
