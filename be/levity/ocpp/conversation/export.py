"""A charge point's conversation out of the database, in wire order, a chunk of rows at a time."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from levity.ocpp.conversation.lines import CENTRAL_SYSTEM, CHARGE_POINT, Line, written
from levity.ocpp.models import ChargePoint, ConnectionEvent, Message, Transaction
from levity.ocpp.store.messages.reading import in_order
from levity.ocpp.store.messages.wanted import Wanted
from levity.ocpp.wire.masking import Anonymiser, without_secrets

__all__ = ["conversation", "export"]

CHUNK = 500
# Of what has the same moment: the connection comes, speaks, goes.
_OPENS, _SPEAKS, _ENDS = 0, 1, 2
# More tags than that at one charger are learned as they come.
TAGS = 10_000

Timed = tuple[datetime, int, int, int, UUID, Line]
"""(moment, opens or speaks or ends, row, request or response, connection, line)."""


def export(
    charge_point: ChargePoint,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    connection: UUID | None = None,
    anonymiser: Anonymiser | None = None,
) -> Iterator[str]:
    """The lines of the conversation as JSON text; secrets masked, names too if asked for."""
    if anonymiser is not None:
        anonymiser.learn(_names(charge_point))
    for line in conversation(charge_point, since=since, until=until, connection=connection):
        yield f"{written(_masked(line, anonymiser))}\n"


def conversation(
    charge_point: ChargePoint,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    connection: UUID | None = None,
) -> Iterator[Line]:
    """Every frame and every connection in the order of the wire, as it came.

    `since` and `until` (excluded) are about our clock.
    """
    numbers: dict[UUID, int] = {}
    frames = _in_order(_frames(charge_point, since, until, connection))
    events = _events(charge_point, since, until, connection)
    for *_, on, line in heapq.merge(frames, events, key=_key):
        yield replace(line, connection=numbers.setdefault(on, len(numbers) + 1))


def _frames(
    charge_point: ChargePoint, since: datetime | None, until: datetime | None, on: UUID | None
) -> Iterator[list[Timed]]:
    """The frames of each exchange, exchanges in the order in which they began."""
    wanted = Wanted(since=since, until=until, connection=str(on or ""))
    for found in in_order(charge_point.pk, wanted):
        at, connection = found.received_at, UUID(found.connection)
        ours = found.sender == Message.Sender.CENTRAL_SYSTEM
        asks, answers = (CENTRAL_SYSTEM, CHARGE_POINT) if ours else (CHARGE_POINT, CENTRAL_SYSTEM)
        line = Line(at, sender=asks, text=found.request)
        exchange = [(at, _SPEAKS, found.id, 0, connection, line)]
        if found.response:
            then = max(at, found.answered_at or at)
            line = Line(then, sender=answers, text=found.response)
            exchange.append((then, _SPEAKS, found.id, 1, connection, line))
        yield exchange


def _in_order(exchanges: Iterable[list[Timed]]) -> Iterator[Timed]:
    """All frames by their moment. Only answers that are still to come are kept."""
    waiting: list[Timed] = []
    for first, *rest in exchanges:
        while waiting and _key(waiting[0]) < _key(first):
            yield heapq.heappop(waiting)
        yield first
        for answer in rest:
            heapq.heappush(waiting, answer)
    while waiting:
        yield heapq.heappop(waiting)


def _events(
    charge_point: ChargePoint, since: datetime | None, until: datetime | None, on: UUID | None
) -> Iterator[Timed]:
    rows = charge_point.connection_events.filter(_between("at", since, until, on))
    for row in rows.order_by("at", "id").iterator(chunk_size=CHUNK):
        opens = row.kind in (ConnectionEvent.Kind.CONNECTED, ConnectionEvent.Kind.REFUSED)
        line = Line(
            row.at,
            event=row.kind,
            identity=row.identity if opens else "",
            subprotocol=row.subprotocol,
            user_agent=row.user_agent,
            code=row.code,
            reason=row.reason,
        )
        yield row.at, _OPENS if opens else _ENDS, row.pk, 0, row.connection, line


def _between(name: str, since: datetime | None, until: datetime | None, on: UUID | None) -> Q:
    wanted = Q()
    if since is not None:
        wanted &= Q(**{f"{name}__gte": since})
    if until is not None:
        wanted &= Q(**{f"{name}__lt": until})
    return wanted & Q(connection=on) if on is not None else wanted


def _key(timed: Timed) -> tuple[datetime, int, int, int]:
    return timed[:4]


def _names(charge_point: ChargePoint) -> list[str]:
    """What is private and known beforehand, so that it is found in the first frame already."""
    tags = Transaction.objects.filter(charge_point=charge_point).order_by()
    return [
        charge_point.identity,
        charge_point.serial_number,
        charge_point.charge_box_serial_number,
        charge_point.meter_serial_number,
        charge_point.iccid,
        charge_point.imsi,
        *tags.values_list("id_tag", flat=True).distinct()[:TAGS],
    ]


def _masked(line: Line, anonymiser: Anonymiser | None) -> Line:
    if anonymiser is None:
        return replace(line, text=without_secrets(line.text)) if line.text else line
    if line.text:
        return replace(line, text=anonymiser.frame(line.text))
    return replace(
        line,
        identity=anonymiser.pseudonym(line.identity),
        reason=anonymiser.words(line.reason),
        user_agent=anonymiser.words(line.user_agent),
    )
