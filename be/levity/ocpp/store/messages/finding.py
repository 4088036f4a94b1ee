"""A page of the log, the newest first: rows and blocks merged, with a bound on what is read for it.

Rows are read before blocks. The mover makes a block in the transaction that deletes its rows: so
what moves meanwhile is found twice, never missed, and is shown once.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import Q, QuerySet

from levity.ocpp.models import Message
from levity.ocpp.store.messages.blocks import Block, BlockChanged, blocks_newest_first, read_frames
from levity.ocpp.store.messages.codec import Exchange, microseconds
from levity.ocpp.store.messages.rows import NEWEST_FIRST, newest_rows
from levity.ocpp.store.messages.wanted import LAST_ID, Place, Wanted
from levity_ws.frozen import frozen

__all__ = ["LOOKED_AT", "SEARCHED", "Found", "find"]

LOOKED_AT = 30_000
"""Exchanges that are looked through for a page at most where no index knows the answer."""
SEARCHED = 20_000
"""The same where the text of the frames is looked through."""
MOST_BLOCKS = 3_000
"""Blocks that one moment may be in the middle of: one of each charge point."""
TRIES = 5


@frozen
class Found:
    """A page of exchanges, the newest first."""

    exchanges: tuple[Exchange, ...]
    older: Place | None = None
    """Go on before this one; None: there is no more."""
    looked_until: datetime | None = None
    """As much was looked through as is for one page, down to this moment."""
    too_many: bool = False
    """More charge points have spoken at that moment than are looked through."""


def find(
    wanted: Wanted,
    limit: int,
    text: str = "",
    characters: int | None = None,
    most: int | None = None,
) -> Found:
    """The newest `limit` of what is wanted and has this text in it.

    With `characters`, frames come as their beginnings. `most` exchanges are looked through; without
    it, as many as there are.
    """
    for left in reversed(range(TRIES)):
        try:
            return _find(wanted, limit, text, characters, most)
        except BlockChanged:
            # The mover or somebody who forgets has written it anew.
            if not left:
                raise
    raise AssertionError("unreachable")


def _find(wanted: Wanted, limit: int, text: str, characters: int | None, most: int | None) -> Found:
    floor = _floor(wanted, text, most)
    if floor is not None:
        wanted = replace(wanted, after=floor)
    rows = Message.objects.filter(wanted.of_rows())
    if text:
        rows = rows.filter(_has_text(text))
    merging = _Merging(wanted, limit + 1, text, most)
    merging.add_rows(newest_rows(rows, limit + 1, characters))
    exchanges = merging.exchanges(characters)
    if len(exchanges) > limit:
        exchanges = exchanges[:limit]
        last = exchanges[-1]
        return Found(exchanges, Place(last.received_at, last.id))
    if merging.ends_at is not None:
        older = Place(merging.ends_at, LAST_ID)
        return Found(exchanges, older, older.at, too_many=merging.too_many)
    if floor is not None:
        return Found(exchanges, Place(floor.at, floor.id + 1), floor.at)
    return Found(exchanges)


def _floor(wanted: Wanted, text: str, most: int | None) -> Place | None:
    """The first row that is not looked at any more; None if all are, or an index finds them."""
    if most is None or not (text or wanted.looked_through()):
        return None
    rows: QuerySet[Message] = Message.objects.filter(wanted.found_by_index())
    row = rows.order_by(*NEWEST_FIRST).values_list("received_at", "id")[most : most + 1].first()
    return None if row is None else Place(*row)


def _has_text(text: str) -> Q:
    if _number(text) is not None:
        return Q(unique_id=text) | Q(transaction=_number(text)) | Q(request__icontains=text)
    return Q(unique_id=text) | Q(request__icontains=text) | Q(response__icontains=text)


def _number(text: str) -> int | None:
    """The transaction that this may be."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


def _tells(text: str) -> Callable[[Exchange], bool]:
    """The same as `_has_text` of exchanges out of blocks."""
    lower, number = text.lower(), _number(text)

    def tells(exchange: Exchange) -> bool:
        if exchange.unique_id == text or lower in exchange.request.lower():
            return True
        if number is not None:
            return exchange.transaction == number
        return lower in exchange.response.lower()

    return tells


_What = Exchange | tuple[Block, int]
"""An exchange that is there, or its place in a block."""


class _Merging:
    """Rows and blocks in one order."""

    def __init__(self, wanted: Wanted, limit: int, text: str, most: int | None) -> None:
        self.wanted, self.limit, self.text, self.most = wanted, limit, text, most
        self.ends_at: datetime | None = None
        """Blocks that end here, or before, were not opened any more."""
        self.too_many = False
        # The newest first; the second number keeps what has the same key from being compared.
        self._heap: list[tuple[tuple[int, int], int, _What]] = []
        self._count = 0

    def add_rows(self, rows: Iterable[Exchange]) -> None:
        """These were found as rows."""
        for exchange in rows:
            self._add(microseconds(exchange.received_at), exchange.id, exchange)

    def exchanges(self, characters: int | None) -> tuple[Exchange, ...]:
        """The newest of all; each block is opened once."""
        found = self._found()
        places: dict[Block, list[int]] = defaultdict(list)
        for what in found:
            if isinstance(what, tuple):
                places[what[0]].append(what[1])
        of_blocks: dict[tuple[Block, int], Exchange] = {}
        read_frames(places)
        for block, some in places.items():
            for place, exchange in zip(some, block.exchanges(some), strict=True):
                of_blocks[block, place] = (
                    exchange
                    if characters is None
                    else replace(
                        exchange,
                        request=exchange.request[:characters],
                        response=exchange.response[:characters],
                    )
                )
        return tuple(of_blocks[what] if isinstance(what, tuple) else what for what in found)

    def _found(self) -> list[_What]:
        found: list[_What] = []
        blocks = blocks_newest_first(self.wanted)
        following = next(blocks, None)
        last = None
        opened = looked_at = 0
        before = self.wanted.before
        while len(found) < self.limit:
            while following is not None and not self._is_before(following):
                # A block in whose middle the page begins has to be opened: nothing leads past it.
                is_around = before is not None and following.last_at >= before.at
                is_enough = self.most is not None and looked_at >= self.most and not is_around
                if is_enough or opened >= MOST_BLOCKS:
                    self.ends_at, self.too_many = following.last_at, is_around
                    return found
                self._open(following)
                opened, looked_at = opened + 1, looked_at + following.count
                following = next(blocks, None)
            if not self._heap:
                break
            key, _, what = heapq.heappop(self._heap)
            if key != last:
                found.append(what)
            last = key
        return found

    def _is_before(self, block: Block) -> bool:
        """True if what comes next is newer than anything in this block."""
        return bool(self._heap) and -self._heap[0][0][0] > microseconds(block.last_at)

    def _open(self, block: Block) -> None:
        places = block.places(self.wanted)
        if self.text and places and not self._may_tell(block):
            return
        if self.text and places:
            tells = _tells(self.text)
            pairs = zip(places, block.exchanges(places), strict=True)
            places = [place for place, exchange in pairs if tells(exchange)]
        received, ids = block.facts.received, block.facts.ids
        # The newest first, as the heap has them: so nothing in it has to move.
        for place in reversed(places[-self.limit :]):
            self._add(received[place], ids[place], (block, place))

    def _may_tell(self, block: Block) -> bool:
        """Most blocks do not, and need not be taken apart."""
        number = _number(self.text)
        return block.may_have(self.text) or (
            number is not None and number in block.facts.transactions
        )

    def _add(self, at: int, pk: int, what: _What) -> None:
        self._count += 1
        heapq.heappush(self._heap, ((-at, -pk), self._count, what))
