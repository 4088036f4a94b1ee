"""Energy of the site through time, from sessions by the hour: no samples are read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from levity.ocpp.models import (
    IN_TOTALS,
    PLAUSIBLE,
    ChangedSession,
    ChargePoint,
    SessionHour,
    Transaction,
)
from levity.ocpp.rules.hours import HOUR, hour_of
from levity.ocpp.visibility import visible
from levity.ocpp.wire.fields import zone_of
from levity.pages.kit.at_once import OverRows, how_many
from levity.pages.overview.kept import keep, known, scope_of
from levity_ws.frozen import frozen

__all__ = [
    "FEW",
    "Energy",
    "by_charger",
    "energy_of",
    "first_of_month",
    "how_many_changed",
    "zone_among",
    "zone_of_sites",
]

Sums = dict[datetime, tuple[Decimal, int]]
"""By hour: Wh, and seconds for which sessions lasted."""
ZERO = Decimal(0)
RECENT = timedelta(days=1)
KEPT = 300.0
"""Seconds for which sums of the past are kept."""
WEEKS = 8
"""Of which the use by weekday is told."""
FEW = 500
"""So many changes are counted within a minute; while there are more, sums may be wrong."""


@frozen
class Energy:
    """What the charge points of a person's sites charged."""

    now: datetime
    zone: tzinfo
    hours: Mapping[datetime, Decimal]
    """Wh by hour; the last is the one that runs."""
    seconds: Mapping[datetime, int]
    """For which sessions lasted, all of them added up."""
    running: Mapping[int, Decimal]
    """By charge point the Wh of sessions that run which are in no hour yet, but in `hours`."""

    def since(self, first: date, last: date | None = None) -> Decimal:
        """Wh of these days of the site, both included."""
        return sum(
            (wh for day, wh in self.days().items() if first <= day <= (last or date.max)), ZERO
        )

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def days(self) -> dict[date, Decimal]:
        """Wh by day of the site."""
        found: dict[date, Decimal] = defaultdict(Decimal)
        for hour, wh in self.hours.items():
            found[hour.astimezone(self.zone).date()] += wh
        return found

    def use(self) -> dict[tuple[int, int], float]:
        """(weekday from Monday, hour of the day) -> sessions at the same time, on the average of
        the last weeks."""
        since = self.now - timedelta(weeks=WEEKS)
        found: dict[tuple[int, int], float] = defaultdict(float)
        for hour, seconds in self.seconds.items():
            if hour >= since:
                local = hour.astimezone(self.zone)
                found[local.weekday(), local.hour] += seconds / 3600 / WEEKS
        return found


def zone_of_sites(user: Any) -> tzinfo:
    """The clock of this person's sites, where all have the same; else the server's."""
    rows = visible(ChargePoint.objects.filter(retired_at=None), user).order_by()
    return zone_among(rows.values_list("site__time_zone", flat=True).distinct()[:2])


def zone_among(names: Iterable[str | None]) -> tzinfo:
    """The same, where the zones of their sites have these names."""
    [name, *others] = {each or "" for each in names} or {""}
    return (zone_of(name) if name and not others else None) or timezone.get_default_timezone()


def energy_of(user: Any, now: datetime, zone: tzinfo) -> Energy:
    """Since the beginning of the last month and of the last weeks, whichever is earlier.

    What is older than a day hardly changes: it is added up once in `KEPT` seconds.
    """
    local = now.astimezone(zone)
    month = first_of_month(local.date(), -1)
    start = datetime(month.year, month.month, 1, tzinfo=zone)
    since = hour_of(min(start, now - timedelta(weeks=WEEKS)).astimezone(UTC))
    this_hour = hour_of(now.astimezone(UTC))
    recent = this_hour - RECENT
    key = ("energy", scope_of(user), since, recent)
    if (past := known(key)) is None:
        sums = _sums(user, since, now)
        keep(key, KEPT, {hour: each for hour, each in sums.items() if hour < recent})
    else:
        sums = {**past, **_sums(user, recent, now)}
    running = _since_counted(user)
    hours = {hour: wh for hour, (wh, _) in sums.items()}
    hours[this_hour] = hours.get(this_hour, ZERO) + sum(running.values(), ZERO)
    return Energy(now, zone, hours, {hour: lasted for hour, (_, lasted) in sums.items()}, running)


def _sums(user: Any, since: datetime, until: datetime) -> Sums:
    rows = _counted(user, since, until).order_by().values("hour")
    return {
        hour: (wh, lasted)
        for hour, wh, lasted in rows.values_list("hour", Sum("wh"), Sum("seconds"))
    }


def by_charger(
    user: Any, energy: Energy, hours: int
) -> tuple[list[datetime], dict[int, list[Decimal]]]:
    """The last hours, and of each charge point that charged the Wh in each of them."""
    now = energy.now
    last = hour_of(now.astimezone(UTC))
    span = [last - HOUR * back for back in range(hours - 1, -1, -1)]
    place = {hour: at for at, hour in enumerate(span)}
    found: dict[int, list[Decimal]] = {}
    rows = _counted(user, span[0], now).order_by().values("charge_point", "hour")
    for charger, hour, wh in rows.values_list("charge_point", "hour", Sum("wh")):
        if hour in place:
            found.setdefault(charger, [ZERO] * hours)[place[hour]] += wh
    for charger, wh in energy.running.items():
        found.setdefault(charger, [ZERO] * hours)[-1] += wh
    return span, found


def first_of_month(day: date, months: int = 0) -> date:
    """The first day of this month, or of one so many months from it."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def how_many_changed() -> OverRows:
    """How many sessions wait to be counted; one more than `FEW` if there are more."""
    return how_many(ChangedSession.objects.all(), FEW + 1)


def _counted(user: Any, since: datetime, now: datetime) -> Any:
    rows = SessionHour.objects.filter(IN_TOTALS, hour__gte=since, hour__lte=now)
    return visible(rows, user)


def _since_counted(user: Any) -> dict[int, Decimal]:
    """By charge point the Wh of running sessions that are in no hour yet."""
    counted = (
        SessionHour.objects.filter(transaction=OuterRef("pk"))
        .order_by()
        .values("transaction")
        .annotate(sum=Sum("wh"))
        .values("sum")
    )
    running = Transaction.objects.filter(
        IN_TOTALS, PLAUSIBLE, state=Transaction.State.ACTIVE, energy__isnull=False
    )
    rows = visible(running, user).annotate(more=F("energy") - Coalesce(Subquery(counted), ZERO))
    found: dict[int, Decimal] = defaultdict(Decimal)
    for charger, more in rows.order_by().values_list("charge_point", "more"):
        found[charger] += more
    return found
