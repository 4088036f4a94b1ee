"""Exchanges in blocks: which blocks may hold what is wanted, and what of it they do."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from levity.ocpp.models import BlockTerm, MessageBlock
from levity.ocpp.store.messages.codec import (
    Exchange,
    Facts,
    facts_of,
    microseconds,
    unpack,
)
from levity.ocpp.store.messages.wanted import Wanted

__all__ = [
    "HEADER",
    "Block",
    "BlockChanged",
    "blocks_newest_first",
    "blocks_of_day",
    "blocks_with_id",
    "bounds",
    "read_frames",
    "terms_of",
]

HEADER = (
    *("id", "charge_point_id", "day", "part", "first_at", "last_at", "count", "only_ledger"),
    "facts",
)
LAST_AT = HEADER.index("last_at")
# So many facts are fetched at a time: few, for most pages end in the first of them, then more.
FIRST, NEXT = 8, 64


class Block:
    """A block of which the facts are read, and the frames if need be."""

    def __init__(
        self,
        pk: int,
        charge_point_id: int,
        day: date,
        part: int,
        first_at: datetime,
        last_at: datetime,
        count: int,
        only_ledger: bool,
        packed: Any,
        frames: Any = None,
    ) -> None:
        self.pk, self.charge_point_id = pk, charge_point_id
        self.day, self.part = day, part
        self.first_at, self.last_at = first_at, last_at
        self.count, self.only_ledger = count, only_ledger
        self.packed, self.frames = packed, frames
        self._facts: Facts | None = None

    @property
    def facts(self) -> Facts:
        """All but the frames."""
        if self._facts is None:
            self._facts = facts_of(bytes(self.packed))
        return self._facts

    def exchanges(self, places: Collection[int] | None = None) -> list[Exchange]:
        """Those in these places, or all, in the order of the wire."""
        if self.frames is None:
            read_frames([self])
        return unpack(self.facts, bytes(self.frames), self.charge_point_id, places)

    def may_have(self, text: str) -> bool:
        """False if no frame has this text in it, case ignored.

        In a frame the message id stands between quotation marks: so a text without any is in the id
        or beside it, and never in both.
        """
        if self.frames is None:
            read_frames([self])
        if '"' in text or self.facts.texts_of(bytes(self.frames)).may_have(text):
            return True
        return text.lower() in "\n".join(self.facts.unique_ids).lower()

    def places(self, wanted: Wanted) -> list[int]:
        """Where in it that is which is wanted, in the order of the wire; by its facts alone."""
        facts = self.facts
        places: Any = range(len(facts))
        since, until = wanted.since, wanted.until
        if since is not None and since > self.first_at:
            least = microseconds(since)
            places = [place for place in places if facts.received[place] >= least]
        if until is not None and until <= self.last_at:
            end = microseconds(until)
            places = [place for place in places if facts.received[place] < end]
        if wanted.before is not None and wanted.before.at <= self.last_at:
            before = microseconds(wanted.before.at), wanted.before.id
            places = [
                place for place in places if (facts.received[place], facts.ids[place]) < before
            ]
        if wanted.after is not None and wanted.after.at >= self.first_at:
            after = microseconds(wanted.after.at), wanted.after.id
            places = [
                place for place in places if (facts.received[place], facts.ids[place]) > after
            ]
        if wanted.actions:
            among = frozenset(facts.with_action(wanted.actions))
            places = [place for place in places if place in among]
        if wanted.sender:
            places = [place for place in places if facts.senders[place] == wanted.sender]
        if wanted.has_error is not None:
            places = [
                place for place in places if (facts.error_codes[place] != "") is wanted.has_error
            ]
        if wanted.transaction is not None:
            places = [place for place in places if facts.transactions[place] == wanted.transaction]
        if wanted.connection:
            places = [place for place in places if facts.connections[place] == wanted.connection]
        return list(places)


def read_frames(blocks: Iterable[Block]) -> None:
    """The frames of these blocks, in one statement."""
    waiting = {block.pk: block for block in blocks if block.frames is None}
    if not waiting:
        return
    rows = MessageBlock.objects.filter(pk__in=waiting)
    found = {pk: (facts, frames) for pk, facts, frames in rows.values_list("pk", "facts", "frames")}
    for pk, block in waiting.items():
        facts, frames = found.get(pk, (b"", b""))
        if bytes(facts) != bytes(block.packed):
            raise BlockChanged
        block.frames = frames


class BlockChanged(Exception):
    """It was written anew while it was being read: look again."""


def blocks_newest_first(wanted: Wanted) -> Iterator[Block]:
    """Those that may hold what is wanted, by their last exchange."""
    size, last = FIRST, None
    rows, prefix = _candidates(wanted)
    order = ("-last_at", f"-{prefix}id")
    header = tuple(name if name == "last_at" else f"{prefix}{name}" for name in HEADER)
    while True:
        left = rows
        if last is not None:
            at, pk = last
            left = left.filter(last_at__lte=at)
            left = left.exclude(**{"last_at": at, f"{prefix}id__gte": pk})
        found = list(left.order_by(*order).values_list(*header)[:size])
        for row in found:
            yield Block(*row)
        if len(found) < size:
            return
        last, size = (found[-1][LAST_AT], found[-1][0]), NEXT


def _candidates(wanted: Wanted) -> tuple[QuerySet[Any], str]:
    """The rows to look among, and how the fields of a block are called from there.

    Of a few charge points, their blocks; else the rows of a word, for only they are in an order
    that has nothing but blocks with that word.
    """
    conditions: dict[str, Any] = {}
    if wanted.charge_points is not None:
        conditions["charge_point__in"] = wanted.charge_points
    starts = [place.at for place in (wanted.before,) if place is not None]
    if wanted.until is not None:
        starts.append(wanted.until)
    if starts:
        conditions["first_at__lte"] = min(starts)
    words = terms_wanted(wanted)
    few = isinstance(wanted.charge_points, list | tuple | set | frozenset)
    prefix = "block__" if words and len(words[0]) == 1 and not few else ""
    rows: QuerySet[Any] = MessageBlock.objects.all()
    if prefix:
        rows = BlockTerm.objects.filter(term=words[0][0])
        words = words[1:]
    rows = rows.filter(**{f"{prefix}{name}": value for name, value in conditions.items()})
    # By the column that the index has, which a word's row has, too.
    if wanted.since is not None:
        rows = rows.filter(last_at__gte=wanted.since)
    if wanted.after is not None:
        rows = rows.filter(last_at__gte=wanted.after.at)
    if starts:
        # A block holds one day: with one moment, it ends before the next.
        rows = rows.filter(last_at__lt=bounds(min(starts).astimezone(UTC).date())[1])
    for some in words:
        others = BlockTerm.objects.filter(
            block=OuterRef("block" if prefix else "pk"), term__in=some
        )
        rows = rows.filter(Exists(others))
    return rows, prefix


def terms_wanted(wanted: Wanted) -> list[list[str]]:
    """A block must have one of each of these, the rarest first; nothing is said of what nearly
    every block has."""
    found = []
    if wanted.transaction is not None:
        found.append([_of_transaction(wanted.transaction)])
    if wanted.has_error:
        found.append([ERROR])
    if wanted.sender == "cs":
        found.append([OURS])
    if wanted.actions:
        found.append([_of_action(action) for action in wanted.actions])
    return found


def terms_of(exchanges: Iterable[Exchange]) -> set[str]:
    """The words by which a block of these is found."""
    found = set()
    for exchange in exchanges:
        found.add(_of_action(exchange.action))
        if exchange.error_code:
            found.add(ERROR)
        if exchange.sender == "cs":
            found.add(OURS)
        if exchange.transaction is not None:
            found.add(_of_transaction(exchange.transaction))
    return found


ERROR, OURS = "error", "ours"


def _of_action(action: str) -> str:
    return f"a {action}"


def _of_transaction(number: int) -> str:
    return f"t {number}"


def blocks_of_day(charge_point: int, day: date) -> list[Block]:
    """The parts of a day of a charge point, frames included, by their first exchange."""
    rows = MessageBlock.objects.filter(charge_point=charge_point, day=day)
    found = rows.order_by("first_at", "part").values_list(*HEADER, "frames")
    return [Block(*row) for row in found]


def blocks_with_id(pk: int, charge_points: Any = None) -> Iterator[Block]:
    """Those among whose exchanges this number may be."""
    rows = MessageBlock.objects.filter(last_id__gte=pk, first_id__lte=pk)
    if charge_points is not None:
        rows = rows.filter(charge_point__in=charge_points)
    for row in rows.order_by("last_id").values_list(*HEADER).iterator(chunk_size=NEXT):
        yield Block(*row)


def bounds(day: date) -> tuple[datetime, datetime]:
    """The first moment of a day (UTC) and that of the next."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)
