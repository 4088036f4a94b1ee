"""Writing blocks: new ones, and those that change because something comes late or is forgotten."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from levity.ocpp.models import BlockTerm, MessageBlock
from levity.ocpp.store.messages.blocks import HEADER, Block, terms_of
from levity.ocpp.store.messages.codec import Exchange, pack

__all__ = ["keep_as_block", "locked", "rewrite"]


def locked(**which: Any) -> list[Block]:
    """These blocks, which nobody else rewrites before the end of this transaction."""
    rows = MessageBlock.objects.filter(**which).select_for_update().order_by("pk")
    return [Block(*row) for row in rows.values_list(*HEADER, "frames")]


def keep_as_block(charge_point: int, day: date, part: int, exchanges: Sequence[Exchange]) -> None:
    """A new block of these exchanges, which are of this day; at least one."""
    row = MessageBlock.objects.create(
        charge_point_id=charge_point, day=day, part=part, **_columns(_in_order(exchanges))
    )
    _write_terms(row.pk, exchanges)


def rewrite(
    block: Block, exchanges: Sequence[Exchange], *, only_ledger: bool | None = None
) -> None:
    """Let the block hold these exchanges, and no others; without any, it goes.

    It has to be `locked`.
    """
    if not exchanges:
        MessageBlock.objects.filter(pk=block.pk).delete()
        return
    MessageBlock.objects.filter(pk=block.pk).update(
        only_ledger=block.only_ledger if only_ledger is None else only_ledger,
        **_columns(_in_order(exchanges)),
    )
    BlockTerm.objects.filter(block=block.pk).delete()
    _write_terms(block.pk, exchanges)


def _in_order(exchanges: Iterable[Exchange]) -> list[Exchange]:
    return sorted(exchanges, key=lambda item: (item.received_at, item.id))


def _columns(exchanges: Sequence[Exchange]) -> dict[str, Any]:
    packed = pack(exchanges)
    return {
        "first_at": exchanges[0].received_at,
        "last_at": exchanges[-1].received_at,
        "first_id": min(item.id for item in exchanges),
        "last_id": max(item.id for item in exchanges),
        "count": len(exchanges),
        "facts": packed.facts,
        "frames": packed.frames,
    }


def _write_terms(block: int, exchanges: Sequence[Exchange]) -> None:
    last_at = max(item.received_at for item in exchanges)
    terms = sorted(terms_of(exchanges))
    BlockTerm.objects.bulk_create(
        BlockTerm(block_id=block, term=term, last_at=last_at) for term in terms
    )
