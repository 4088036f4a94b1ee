"""By how much the database grows a day, from what the last days have left in it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Max, Min, QuerySet, Sum

from levity.ocpp.models import MessageBlock, SampleTrace, Transaction
from levity.ocpp.store.inventory import Inventory

__all__ = ["bytes_a_day"]

DAYS = 7
"""The last of them are looked at; fewer where there are no more."""
_DAY = timedelta(days=1)


def bytes_a_day(found: Inventory) -> float | None:
    """Bytes that stay of an ordinary day, once it is packed; None where nothing is packed yet, or
    sizes can't be told.

    Rows of the last days go as others come. So do messages that are forgotten, once the first of
    them are: then only the frames behind sessions add up.
    """
    each = {part.name: part.each for part in found.parts}
    blocks = MessageBlock.objects.all()
    ledger = blocks.filter(only_ledger=True)
    kept = ledger if ledger.exists() else blocks
    return total(
        each,
        {
            "messages, packed by day": _a_day(kept, "last_at", "count"),
            "meter values, packed by session": _a_day(
                SampleTrace.objects.all(), "last_at", "elements"
            ),
            "sessions": _a_day(Transaction.objects.all(), "start_received_at", None),
        },
    )


def total(each: Mapping[str, float | None], counts: Mapping[str, float]) -> float | None:
    """What so many a day take, by the size of each; None if not one of them has both."""
    sizes = [count * size for name, count in counts.items() if (size := each.get(name)) and count]
    return sum(sizes) if sizes else None


def _a_day(rows: QuerySet[Any], time: str, count: str | None) -> float:
    """How many the last days had, each on average; `count` is the column that tells how many a row
    is."""
    span = rows.aggregate(first=Min(time), last=Max(time))
    first, last = span["first"], span["last"]
    if first is None or last is None:
        return 0.0
    some = rows.filter(**{f"{time}__gt": last - DAYS * _DAY})
    number = some.count() if count is None else some.aggregate(n=Sum(count, default=0))["n"]
    return float(number) / min(DAYS, round((last - first) / _DAY) + 1)
