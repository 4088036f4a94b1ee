"""What is kept where, and how much of it there is (`levity storage`)."""

from collections.abc import Iterator
from datetime import datetime

from django.db import models
from django.dispatch import Signal

from levity.db.sizes import free_size, table_sizes, whole_size
from levity.ocpp.models import (
    BlockTerm,
    LegacySample,
    Message,
    MessageBlock,
    MeterValue,
    MeterValueCorrection,
    SampleShape,
    SampleTrace,
    Transaction,
    TransactionAlias,
)
from levity_ws.frozen import frozen

__all__ = ["Inventory", "Part", "inventory", "kept_elsewhere"]

# Sent by `levity storage`: other apps answer with a sentence about what they keep, and where.
kept_elsewhere = Signal()


@frozen
class Part:
    """One kind of what is kept."""

    name: str
    unit: str
    """What `count` counts."""
    count: int
    size: int | None
    """Bytes with indexes; None where this SQLite can't tell them by table."""
    first: datetime | None = None
    last: datetime | None = None

    @property
    def each(self) -> float | None:
        """Bytes of one."""
        return self.size / self.count if self.size and self.count else None


@frozen
class Inventory:
    """All of it."""

    parts: tuple[Part, ...]
    size: int
    """Bytes of the whole database."""
    free: int
    """Bytes of it that new rows use first."""

    @property
    def rest(self) -> int | None:
        """Bytes of what is in no part: charge points, tags, logins, history."""
        sizes = [part.size for part in self.parts]
        if None in sizes:
            return None
        return max(0, self.size - self.free - sum(size or 0 for size in sizes))


def inventory() -> Inventory:
    """Count and measure everything. On a large SQLite file it takes seconds."""
    sizes = table_sizes([model._meta.db_table for model in _MODELS])
    return Inventory(tuple(_parts(sizes)), whole_size(), free_size())


_MODELS: tuple[type[models.Model], ...] = (
    Message,
    MessageBlock,
    BlockTerm,
    LegacySample,
    MeterValue,
    SampleShape,
    SampleTrace,
    Transaction,
    TransactionAlias,
    MeterValueCorrection,
)


def _parts(sizes: dict[str, int]) -> Iterator[Part]:
    def size(*of: type[models.Model]) -> int | None:
        return sum(sizes.get(model._meta.db_table, 0) for model in of) if sizes else None

    rows = Message.objects.aggregate(
        n=models.Count("pk"), first=models.Min("received_at"), last=models.Max("received_at")
    )
    yield Part(
        "messages, recent", "exchanges", rows["n"], size(Message), rows["first"], rows["last"]
    )
    blocks = MessageBlock.objects.aggregate(
        n=models.Sum("count", default=0), first=models.Min("first_at"), last=models.Max("last_at")
    )
    yield Part(
        "messages, packed by day",
        "exchanges",
        blocks["n"],
        size(MessageBlock, BlockTerm),
        blocks["first"],
        blocks["last"],
    )
    rows = MeterValue.objects.aggregate(
        n=models.Count("pk"), first=models.Min("sampled_at"), last=models.Max("sampled_at")
    )
    yield Part(
        "meter values, recent",
        "meter values",
        rows["n"],
        size(MeterValue, SampleShape),
        rows["first"],
        rows["last"],
    )
    traces = SampleTrace.objects.aggregate(
        n=models.Sum("elements", default=0),
        first=models.Min("first_at"),
        last=models.Max("last_at"),
    )
    yield Part(
        "meter values, packed by session",
        "meter values",
        traces["n"],
        size(SampleTrace),
        traces["first"],
        traces["last"],
    )
    if left := LegacySample.objects.count():
        yield Part(
            "meter values of an earlier release, being moved", "samples", left, size(LegacySample)
        )
    sessions = Transaction.objects.aggregate(
        n=models.Count("pk"), first=models.Min("started_at"), last=models.Max("started_at")
    )
    yield Part(
        "sessions",
        "sessions",
        sessions["n"],
        size(Transaction, TransactionAlias, MeterValueCorrection),
        sessions["first"],
        sessions["last"],
    )
