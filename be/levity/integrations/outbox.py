"""The recorder of events that `OCPP_EVENT_RECORDER` names: rows of `Event`, for types that
somebody reads.

Who reads is found with two statements every few seconds, between two batches (`ocpp.events`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import orjson
from django.utils import timezone

from levity.db.prepared import Prepared
from levity.db.rows import insert_rows, upsert_rows
from levity.integrations.models import Event, Reader, Webhook
from levity.ocpp.events import TYPES, Happened

__all__ = ["FORGOTTEN", "Outbox", "note_reader", "recorder"]

# Who has not read for so long gets no rows any more.
FORGOTTEN = timedelta(days=7)
# How often it is noted that somebody reads.
NOTED = timedelta(hours=1)
COLUMNS = ("type", "at", "charge_point", "identity", "site", "id_tag", "data")

_READERS = Prepared(
    lambda since: Reader.objects.filter(read_at__no_earlier_than=since).values_list("types")
)

_WEBHOOKS = Prepared(
    lambda: Webhook.objects.filter(enabled=True).order_by().values_list("types"), parameters=0
)


class Outbox:
    """See `ocpp.events.Recorder`."""

    def wanted(self) -> frozenset[str]:
        """The types of all webhooks that are on, and of all readers."""
        found: set[str] = set()
        for (types,) in _WEBHOOKS.rows():
            found.update(types or TYPES)
        for (types,) in _READERS.rows(timezone.now() - FORGOTTEN):
            found.update(types or TYPES)
        return frozenset(found)

    def record(self, events: Sequence[Happened]) -> None:
        """One statement, however many they are."""
        insert_rows(Event, COLUMNS, [_row(event) for event in events])


def _row(event: Happened) -> tuple[object, ...]:
    return (
        event.type,
        event.at,
        event.charge_point_id,
        event.identity[:48],
        event.site_id,
        event.id_tag[:255],
        orjson.dumps(dict(event.data)).decode().replace("\\u0000", ""),
    )


recorder = Outbox()


def note_reader(name: str, types: Iterable[str], now: datetime) -> None:
    """This one reads events of these types (none: all). Written at most once an hour."""
    wanted = sorted(types)
    known = Reader.objects.filter(pk=name).first()
    if known is not None:
        grown = sorted({*known.types, *wanted}) if known.types and wanted else []
        if grown == known.types and timedelta() <= now - known.read_at < NOTED:
            return
        wanted = grown
    upsert_rows(
        Reader,
        ("name", "types", "read_at"),
        [(name, orjson.dumps(wanted).decode(), now)],
        key=("name",),
        update=("types", "read_at"),
    )
