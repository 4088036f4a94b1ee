"""How long each charge point was connected and without a fault.

From the history of connections and statuses, which is kept for some months only: of each charger,
the time is told of which there is something to know.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Exists, OuterRef, Subquery, When
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.reports.span import BadSpan, Span
from levity.billing.reports.table import Report, hours
from levity.ocpp.chargers.faults import FAULT, is_fault
from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint, ConnectionEvent, Connector, Site, StatusEvent
from levity.ocpp.visibility import visible
from levity.pages.overview.timeline import LOST, Stretch, faults, lost

__all__ = ["availability"]

CONNECTED, DISCONNECTED = ConnectionEvent.Kind.CONNECTED, ConnectionEvent.Kind.DISCONNECTED
MOST_EVENTS = 200_000
TOO_MANY = gettext_noop("there are too many events in these days: ask for fewer of them at a time")
MOST_BARS = 31
AT_ONCE = 10_000
"""Ids of one statement."""
ZERO = timedelta()


def availability(
    span: Span, user: Any, site: Site | None = None, now: datetime | None = None
) -> Report:
    """A row for each charge point, the one that was away or faulty for longest first."""
    now = now or timezone.now()
    chargers = visible(ChargePoint.objects.all(), user)
    if site is not None:
        chargers = chargers.filter(site=site)
    columns = ("pk", "identity", "name", "site__name", "created_at", "retired_at")
    rows = list(chargers.order_by("identity").values_list(*columns))
    days = setting("OCPP_MESSAGE_RETENTION_DAYS")
    earliest = now - timedelta(days=days) if days else span.since
    known = {
        pk: (max(span.since, created, earliest), min(span.until, now, retired or now))
        for pk, *_, created, retired in rows
    }
    since = min((begin for begin, _ in known.values()), default=span.since)
    found: dict[int, list[Stretch]] = defaultdict(list)
    for each in _stretches(chargers, since, min(span.until, now)):
        found[each.charge_point].append(each)
    lines = [
        _line((identity, name, of or ""), *known[pk], found[pk])
        for pk, identity, name, of, _, _ in rows
        if known[pk][0] < known[pk][1]
    ]
    lines.sort(key=lambda line: (line[0], line[1]))
    shown = tuple(line[1] for line in lines)
    return Report(
        "availability",
        gettext_noop("Availability and faults by charge point"),
        (
            *(
                gettext_noop("charge point"),
                gettext_noop("name"),
                gettext_noop("site"),
                gettext_noop("most frequent fault"),
            ),
            *(
                gettext_noop("known (h)"),
                gettext_noop("available (%)"),
                gettext_noop("not connected (h)"),
                gettext_noop("times lost"),
            ),
            *(gettext_noop("with a fault (h)"), gettext_noop("faults")),
        ),
        shown,
        4,
        (
            gettext_noop("Available"),
            "%",
            tuple((row[1] or row[0], float(row[5])) for row in shown[:MOST_BARS]),
        ),
        (),
        gettext_noop("Available: connected, and without a fault at any connector."),
        days,
    )


def _line(
    names: tuple[str, ...], begin: datetime, end: datetime, found: Iterable[Stretch]
) -> tuple[float, tuple[str, ...]]:
    cut = [
        (each, max(each.start, begin), min(each.end, end))
        for each in found
        if each.start < end and each.end > begin
    ]
    away = [part for part in cut if part[0].what == LOST]
    faulty = [part for part in cut if part[0].what != LOST]
    kinds: Counter[str] = Counter(each.detail.rpartition(": ")[2] for each, _, _ in faulty)
    known = end - begin
    share = 1 - _covered((start, stop) for _, start, stop in cut) / known
    return share, (
        *names,
        kinds.most_common(1)[0][0] if kinds else "",
        hours(known),
        f"{100 * share:.2f}",
        hours(_covered((start, stop) for _, start, stop in away)),
        str(len(away)),
        hours(_covered((start, stop) for _, start, stop in faulty)),
        str(len(faulty)),
    )


def _covered(parts: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """How long at least one of these lasted."""
    covered, reached = ZERO, None
    for start, stop in sorted(parts):
        begin = start if reached is None else max(start, reached)
        if stop > begin:
            covered += stop - begin
            reached = stop
    return covered


def _stretches(chargers: Any, since: datetime, until: datetime) -> Iterator[Stretch]:
    if since >= until:
        return
    opened = [*_connected_before(chargers, since), *_connections(chargers, since, until)]
    yield from lost(opened, until)
    before = list(_status_before(chargers, since))
    faulty = {pk for pk, _, _, _, status, error in before if is_fault(status, error)}
    yield from faults([*before, *_turns(chargers, since, until, faulty)], until)


def _connections(chargers: Any, since: datetime, until: datetime) -> Any:
    rows = ConnectionEvent.objects.filter(
        charge_point__in=chargers.order_by(),
        kind__in=(CONNECTED, DISCONNECTED),
        at__gte=since,
        at__lt=until,
    )
    columns = ("charge_point_id", "at", "kind", "connection")
    return _bounded(rows.order_by("at", "id").values_list(*columns))


def _turns(chargers: Any, since: datetime, until: datetime, faulty: set[int]) -> Any:
    """Where a connector's faults begin and end, and the first that each said: of a hundred statuses
    one, and only of chargers that had a fault, or came with one (`faulty`)."""
    rows = StatusEvent.objects.filter(received_at__gte=since, received_at__lt=until)
    # Of all chargers: asked for these, SQLite would go through all that each has ever said.
    had = set(rows.filter(FAULT).order_by().values_list("charge_point", flat=True).distinct())
    if not had | faulty:
        return []
    mine = set(chargers.order_by().values_list("pk", flat=True))
    wanted = (had & mine) | faulty
    # Moments are dear: only those of turns are read.
    order = ("received_at", "id")
    said = rows.annotate(is_fault=Case(When(FAULT, then=1), default=0)).order_by(*order)
    narrow = said.values_list("id", "charge_point_id", "evse", "connector", "is_fault")
    turns = _turns_of(narrow.iterator(AT_ONCE), wanted)
    columns = ("charge_point_id", "received_at", "evse", "connector", "status", "error_code")
    found: list[Any] = []
    for at in range(0, len(turns), AT_ONCE):
        these = StatusEvent.objects.filter(pk__in=turns[at : at + AT_ONCE])
        found += these.order_by().values_list(*order, *columns)
    return [row[2:] for row in sorted(found)]


def _turns_of(said: Iterable[tuple[int, int, int, int, int]], wanted: set[int]) -> list[int]:
    """The ids of those that are the first of their connector, or after which it is another thing:
    of (id, charge point, EVSE, connector, is a fault) in the order of time."""
    was: dict[tuple[int, int, int], int] = {}
    found, count = [], 0
    for pk, charge_point, evse, connector, is_one in said:
        if charge_point not in wanted:
            continue
        count += 1
        if count > MOST_EVENTS:
            raise BadSpan(TOO_MANY)
        place = charge_point, evse, connector
        if was.get(place) != is_one:
            was[place] = is_one
            found.append(pk)
    return found


def _bounded(rows: Any) -> list[Any]:
    found = list(rows[: MOST_EVENTS + 1])
    if len(found) > MOST_EVENTS:
        raise BadSpan(TOO_MANY)
    return found


def _connected_before(chargers: Any, since: datetime) -> Iterator[tuple[int, datetime, str, Any]]:
    """How each charge point stood at that moment: by its newest connection, which is the one that
    counts, and whether that was closed."""
    opened = ConnectionEvent.objects.filter(
        charge_point=OuterRef("pk"), kind=CONNECTED, at__lt=since
    ).order_by("-id")
    closed = ConnectionEvent.objects.filter(
        connection=OuterRef("opened"), kind=DISCONNECTED, at__lt=since
    )
    rows = chargers.annotate(opened=Subquery(opened.values("connection")[:1]))
    for pk, connection, is_closed, away in rows.order_by().values_list(
        "pk", "opened", Exists(closed), "disconnected_at"
    ):
        if connection is not None:
            yield pk, since, DISCONNECTED if is_closed else CONNECTED, connection
        elif away is not None and away < since:
            yield pk, since, DISCONNECTED, None


def _status_before(chargers: Any, since: datetime) -> Iterator[Any]:
    """The last that each connector had said."""
    said = StatusEvent.objects.filter(
        charge_point=OuterRef("charge_point"),
        evse=OuterRef("evse"),
        connector=OuterRef("number"),
        received_at__lt=since,
    ).order_by("-id")
    rows = Connector.objects.filter(charge_point__in=chargers.order_by()).order_by()
    wanted = rows.annotate(
        status_before=Subquery(said.values("status")[:1]),
        error_before=Subquery(said.values("error_code")[:1]),
    )
    columns = ("charge_point_id", "evse", "number", "status_before", "error_before")
    for pk, evse, connector, status, error in wanted.values_list(*columns):
        if status is not None:
            yield pk, since, evse, connector, status, error or ""
