"""Energy that lies in no session: found from the sessions and samples of a connector, and summed
up by month in the time zone of its site.

The number of statements does not grow with the charge points, and only one of them is in memory.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from itertools import groupby

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from levity.db.rows import upsert_rows
from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint, Transaction, UnassignedEnergy
from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.registers import interval_of
from levity.ocpp.rules.chain.unassigned import Interval, Unassigned, unassigned
from levity.ocpp.store.chain import COLUMNS
from levity.ocpp.store.samples.outside import Place, Samples
from levity.ocpp.wire.fields import zone_of
from levity_ws.frozen import frozen

__all__ = [
    "Outside",
    "is_month",
    "month_of",
    "months_before",
    "outside_sessions",
    "power_of",
    "renew",
    "zone_of_site",
]

# Beside the months in question, so many days are read: what came before and after tells what a
# value means.
SESSIONS_BESIDE, SAMPLES_BESIDE = timedelta(days=60), timedelta(days=3)
# Of the same month everywhere on earth.
ANYWHERE = timedelta(hours=15)
CHUNK = 1_000


@frozen
class Outside:
    """What the register of one connector moved in no session, in one month."""

    charge_point: ChargePoint
    """With its site."""
    evse: int
    connector: int
    month: str
    """2026-11, in the time zone of its site; a stretch is of the month in which it ends."""
    stretches: tuple[Unassigned, ...]

    @property
    def wh(self) -> Decimal:
        """How much that is."""
        return sum((item.wh for item in self.stretches), Decimal(0))


def outside_sessions(
    charge_points: Collection[int] | None, first: str, last: str
) -> Iterator[Outside]:
    """What these charge points' registers moved in no session, of all if none are named, in the
    months from `first` to `last`; in the order of their ids."""
    since, until = _moment(first) - ANYWHERE, _moment(_next(last)) + ANYWHERE
    sessions = _Sessions(charge_points, since - SESSIONS_BESIDE, until + SESSIONS_BESIDE)
    samples = Samples(charge_points, since - SAMPLES_BESIDE, until + SAMPLES_BESIDE)
    rows = ChargePoint.objects.select_related("site").order_by("pk")
    if charge_points is not None:
        rows = rows.filter(pk__in=list(charge_points))
    for charge_point in rows.iterator(chunk_size=CHUNK):
        intervals, points = sessions.of(charge_point.pk), samples.of(charge_point.pk)
        zone, most = zone_of_site(charge_point), power_of(charge_point)
        for place in sorted(intervals.keys() | points.keys()):
            found = unassigned(intervals.get(place, ()), points.get(place, ()), most)
            by_month = groupby(
                sorted(found, key=lambda item: item.until),
                key=lambda item: month_of(item.until, zone),
            )
            for month, stretches in by_month:
                if first <= month <= last:
                    yield Outside(charge_point, *place, month, tuple(stretches))


def renew(charge_points: Collection[int], first: str, last: str, now: datetime) -> int:
    """Sum up anew what the pages show of these charge points in these months; how many rows."""
    with transaction.atomic():
        known = UnassignedEnergy.objects.filter(
            charge_point__in=list(charge_points), month__gte=first, month__lte=last
        )
        found = [
            (
                item.charge_point.pk,
                item.evse,
                item.connector,
                item.month,
                item.wh,
                len(item.stretches),
                item.stretches[-1].until,
                now,
            )
            for item in outside_sessions(charge_points, first, last)
        ]
        key = ("charge_point_id", "evse", "connector", "month")
        columns = ("wh", "stretches", "last_at", "renewed_at")
        upsert_rows(UnassignedEnergy, (*key, *columns), found, key=key, update=columns)
        # What nothing tells of any more.
        known.filter(renewed_at__lt=now).delete()
    return len(found)


def month_of(moment: datetime, zone: tzinfo) -> str:
    """The month of this moment there: 2026-11."""
    return f"{moment.astimezone(zone):%Y-%m}"


def months_before(month: str, count: int) -> list[str]:
    """This month and those before it, `count` in all, the newest first."""
    year, number = map(int, month.split("-"))
    place = year * 12 + number - 1
    return [f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(place, place - count, -1)]


def is_month(text: str) -> bool:
    """True for a month such as 2026-11, of the years in which there are chargers."""
    year, dash, month = text.partition("-")
    if not (dash and len(year) == 4 and len(month) == 2 and (year + month).isdigit()):
        return False
    return text.isascii() and 2000 <= int(year) <= 2999 and 1 <= int(month) <= 12


def zone_of_site(charge_point: ChargePoint) -> tzinfo:
    """The time zone of its site, or the server's."""
    name = charge_point.site.time_zone if charge_point.site else ""
    return zone_of(name) if name else timezone.get_default_timezone()


def power_of(charge_point: ChargePoint) -> int:
    """W that one of its connectors can deliver, as far as that is known."""
    usual = max(int(setting("OCPP_MAX_POWER")), charge_point.learned_power or 0)
    return charge_point.max_power or usual


def _moment(month: str) -> datetime:
    return datetime.combine(date.fromisoformat(f"{month}-01"), time(), UTC)


def _next(month: str) -> str:
    return f"{_moment(month) + timedelta(days=31):%Y-%m}"


class _Sessions:
    """The sessions of these charge points, in the order of their ids: one statement."""

    def __init__(
        self, charge_points: Collection[int] | None, since: datetime, until: datetime
    ) -> None:
        some = Transaction.objects.all()
        if charge_points is not None:
            some = some.filter(charge_point__in=list(charge_points))
        # Whatever lies between is nobody's: the last of each connector, however long ago it was.
        before = some.filter(started_at__lt=since).order_by()
        last = before.values("charge_point", "evse", "connector").annotate(last=Max("pk"))
        heard = Q(start_received_at__gte=since, started_at__lt=since)
        within = Q(started_at__gte=since, started_at__lt=until)
        rows = some.filter(within | heard | Q(pk__in=last.values("last")))
        read = rows.order_by("charge_point_id", "pk").values_list(*COLUMNS)
        sessions = (RecordedSession(*row) for row in read.iterator(chunk_size=CHUNK))
        self._groups = groupby(sessions, key=lambda item: item.charge_point_id)
        self._next: tuple[int, Sequence[RecordedSession]] | None = None

    def of(self, charge_point: int) -> dict[Place, list[Interval]]:
        """What its sessions have of its registers, by place; ask in the order of the ids."""
        while self._next is None or self._next[0] < charge_point:
            pk, group = next(self._groups, (0, iter(())))
            if not pk:
                return {}
            self._next = pk, list(group)
        if self._next[0] != charge_point:
            return {}
        found: dict[Place, list[Interval]] = {}
        anywhere: list[Interval] = []
        for session in self._next[1]:
            interval = interval_of(session)
            if session.connector is None and not session.evse:
                anywhere.append(interval)
                continue
            found.setdefault((session.evse, session.connector or 0), []).append(interval)
        for interval in anywhere:
            # Nobody knows which register it moved.
            unknown = Interval(interval.id, interval.since, interval.until, None, None)
            for others in found.values():
                others.append(unknown)
        return found
