"""Changing what frames say of a person, in rows and blocks alike."""

from collections.abc import Callable
from dataclasses import replace

from django.db import transaction
from django.db.models import Q

from levity.ocpp.models import Message, MessageBlock
from levity.ocpp.store.messages.blocks import Block
from levity.ocpp.store.messages.codec import DamagedBlock, Exchange
from levity.ocpp.store.messages.keeping import locked, rewrite

__all__ = ["rewrite_blocks", "rewrite_rows"]

AT_ONCE = 200
Change = Callable[[str], str]
"""A text -> the same, or what it says from now on."""


def rewrite_rows(word: str, frame: Change, reason: Change, *, dry_run: bool) -> int:
    """Rows that have this word in them, a portion at a time; how many change."""
    last = count = 0
    found = Q(request__icontains=word) | Q(response__icontains=word)
    rows = Message.objects.filter(found | Q(error_description__icontains=word)).order_by("pk")
    while True:
        with transaction.atomic():
            some = list(rows.filter(pk__gt=last).select_for_update()[:AT_ONCE])
            for row in some:
                new = frame(row.request), frame(row.response), reason(row.error_description)
                if new != (row.request, row.response, row.error_description):
                    count += 1
                    row.request, row.response, row.error_description = new
                    if not dry_run:
                        row.save(update_fields=["request", "response", "error_description"])
        if len(some) < AT_ONCE:
            return count
        last = some[-1].pk


def rewrite_blocks(
    word: str, frame: Change, reason: Change, *, dry_run: bool, progress: Callable[[int], None]
) -> int:
    """The same with blocks, each of which is opened; how many exchanges change.

    The newest blocks first: what moves meanwhile comes into the last of them, so rows have to be
    done before and after.
    """
    count = 0
    keys = MessageBlock.objects.order_by("-pk").values_list("pk", flat=True)
    for opened, pk in enumerate(keys.iterator(chunk_size=AT_ONCE), 1):
        with transaction.atomic():
            for block in locked(pk=pk):
                count += _rewrite(block, word, frame, reason, dry_run=dry_run)
        progress(opened)
    return count


def _rewrite(block: Block, word: str, frame: Change, reason: Change, *, dry_run: bool) -> int:
    try:
        if not block.may_have(word) and not any(
            word.lower() in text.lower() for text in set(block.facts.error_descriptions)
        ):
            return 0
        there = block.exchanges()
    except DamagedBlock:
        return 0
    new = [_changed(item, frame, reason) for item in there]
    count = sum(before != after for before, after in zip(there, new, strict=True))
    if count and not dry_run:
        rewrite(block, new)
    return count


def _changed(item: Exchange, frame: Change, reason: Change) -> Exchange:
    return replace(
        item,
        request=frame(item.request),
        response=frame(item.response),
        error_description=reason(item.error_description),
    )
