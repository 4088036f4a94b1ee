"""Frames that come a second time after their exchange has moved into a block."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from levity.ocpp.models import MessageBlock
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.messages.blocks import HEADER, Block
from levity.ocpp.store.queries import SENT_AGAIN_WITHIN
from levity.ocpp.store.values import Arrival, StoredMessage

__all__ = ["load_moved"]

YOUNGEST = timedelta(days=1)
"""No exchange that is younger has moved, whatever OCPP_MESSAGE_ROW_DAYS says."""
JUST_BEFORE = timedelta(minutes=10)
"""The message of which this may be a repetition is not older."""


def load_moved(loaded: Loaded, arrivals: Sequence[Arrival], now: datetime) -> None:
    """Add to the known frames those that are like an old frame among these, in one statement; in
    none where all are young."""
    old: dict[tuple[int, date], list[Arrival]] = defaultdict(list)
    for item in arrivals:
        if item.frame is None or now - item.at < YOUNGEST:
            continue
        charge_point = loaded.charge_point(item.event.charge_point)
        if charge_point is not None:
            for day in {item.at.date(), (item.at - JUST_BEFORE).astimezone(UTC).date()}:
                old[charge_point.id, day].append(item)
    if not old:
        return
    rows = MessageBlock.objects.filter(
        charge_point__in={pk for pk, _ in old}, day__in={day for _, day in old}
    )
    for row in rows.order_by("-day", "-part").values_list(*HEADER, "frames"):
        block = Block(*row)
        if items := old.get((block.charge_point_id, block.day)):
            _add_known(loaded, block, items)


def _add_known(loaded: Loaded, block: Block, items: Sequence[Arrival]) -> None:
    facts = block.facts
    wanted = [
        (item.connection, item.frame.unique_id[:64], item.event.seq)
        for item in items
        if item.frame is not None
    ]
    on = {connection for connection, _, _ in wanted}
    places = []
    for place, connection in enumerate(facts.connections):
        if connection in on and (seq := facts.seqs[place]) is not None:
            unique_id = facts.unique_ids[place]
            # As in `queries.KNOWN_FRAMES`.
            if any(
                (connection, unique_id) == (there, known)
                and last - SENT_AGAIN_WITHIN <= seq <= last
                and (seq == last or unique_id)
                for there, known, last in wanted
            ):
                places.append(place)
    for exchange in reversed(block.exchanges(places)):
        assert exchange.seq is not None
        stored = StoredMessage(exchange.seq, exchange.request, exchange.response)
        if exchange.response:
            key = exchange.connection, exchange.unique_id
            loaded.messages[key] = (*loaded.messages.get(key, ()), stored)
        loaded.taken[exchange.connection, exchange.seq] = stored
