"""Faults and lost connections of the last day, as a strip for each charge point."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_noop

from levity.ocpp.chargers.faults import is_fault
from levity.ocpp.models import ChargePoint, ConnectionEvent, StatusEvent
from levity.ocpp.visibility import visible
from levity_ws.frozen import frozen

__all__ = ["DAY", "FAULT", "LOST", "MOST_CHARGERS", "Stretch", "faults", "lost", "stretches"]

DAY = timedelta(days=1)
# The newest events of the day that are looked at, and the charge points shown: those in trouble
# for longest.
MOST_EVENTS, MOST_CHARGERS = 5_000, 20
LOST, FAULT = gettext_noop("connection lost"), gettext_noop("fault")
CONNECTED, DISCONNECTED = ConnectionEvent.Kind.CONNECTED, ConnectionEvent.Kind.DISCONNECTED


@frozen
class Stretch:
    """A time in which something was wrong."""

    charge_point: int
    what: str
    """`LOST` or `FAULT`."""
    start: datetime
    end: datetime
    is_open: bool
    """It goes on."""
    detail: str = ""


def stretches(user: Any, now: datetime) -> list[Stretch]:
    """Of the last day, those who were in trouble for longest first, each in the order of time."""
    since = now - DAY
    events = visible(ConnectionEvent.objects.filter(at__gte=since, at__lte=now), user)
    rows = events.filter(charge_point__retired_at=None, kind__in=(CONNECTED, DISCONNECTED))
    told = rows.order_by("-at", "-id").values_list("charge_point_id", "at", "kind", "connection")
    said = visible(StatusEvent.objects.filter(received_at__gte=since, received_at__lte=now), user)
    statuses = said.order_by("-received_at", "-id").values_list(
        "charge_point_id", "received_at", "evse", "connector", "status", "error_code"
    )
    away = visible(
        ChargePoint.objects.filter(connection=None, retired_at=None, disconnected_at__lt=since),
        user,
    )
    found = [
        *lost(list(told[:MOST_EVENTS])[::-1], now),
        *faults(list(statuses[:MOST_EVENTS])[::-1], now),
        *(
            Stretch(pk, LOST, since, now, is_open=True)
            for pk in away.values_list("pk", flat=True)[:MOST_CHARGERS]
        ),
    ]
    lasted: dict[int, timedelta] = defaultdict(timedelta)
    for each in found:
        lasted[each.charge_point] += each.end - each.start
    found.sort(key=lambda each: (-lasted[each.charge_point], each.charge_point, each.start))
    return found


def lost(events: Iterable[tuple[int, datetime, str, Any]], now: datetime) -> Iterator[Stretch]:
    """Of (charge point, at, kind, connection) in the order of time: when none was open.

    An old connection that closes after a new one has opened is no loss.
    """
    open_at: dict[int, set[Any]] = defaultdict(set)
    since: dict[int, datetime] = {}
    for pk, at, kind, connection in events:
        if kind == CONNECTED:
            open_at[pk].add(connection)
            if pk in since:
                yield Stretch(pk, LOST, since.pop(pk), at, is_open=False)
            continue
        open_at[pk].discard(connection)
        if not open_at[pk]:
            since.setdefault(pk, at)
    for pk, at in since.items():
        yield Stretch(pk, LOST, at, now, is_open=True)


def faults(
    events: Iterable[tuple[int, datetime, int, int, str, str]], now: datetime
) -> Iterator[Stretch]:
    """Of (charge point, at, EVSE, connector, status, error) in the order of time."""
    since: dict[tuple[int, int, int], tuple[datetime, str]] = {}
    for pk, at, evse, connector, status, error in events:
        place = (pk, evse, connector)
        if is_fault(status, error):
            word = error if error not in ("", "NoError") else status
            since.setdefault(place, (at, f"connector {connector}: {word}" if connector else word))
        elif place in since:
            start, detail = since.pop(place)
            yield Stretch(pk, FAULT, start, at, is_open=False, detail=detail)
    for (pk, _, _), (start, detail) in since.items():
        yield Stretch(pk, FAULT, start, now, is_open=True, detail=detail)
