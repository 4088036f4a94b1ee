"""Connectors that charge with no session, as far as the last day tells."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import Q

from levity.ocpp.models import ChargePoint, Connector, MeterValue, Transaction
from levity.ocpp.rules.chain.unassigned import Point, Unassigned, unassigned
from levity.ocpp.store.loose import power_of
from levity.ocpp.store.samples.outside import points_of
from levity.ocpp.store.samples.reading import rows_in_turn
from levity_ws.frozen import frozen

__all__ = ["WithoutSession", "without_session"]

# A StartTransaction may come after the status, and wait behind what the charger says first.
LASTING = timedelta(minutes=5)
# Samples that have come so lately are looked at, with those of the hours before: a charger that
# tells its register once in a while is not looked at all the time.
LATELY, HOURS = timedelta(minutes=5), timedelta(hours=6)
# So long it is told of what is known.
KEPT = timedelta(days=1)
# What began before that has ended, or its connector says that it runs.
SESSIONS = timedelta(days=4)
# Meter values among which those of no session are looked for, and charge points that have some.
NEWEST, AT_MOST = 20_000, 500
RUNS = datetime.max.replace(tzinfo=UTC)


class Outlet(NamedTuple):
    """A connector of a charge point, by numbers."""

    charge_point: int
    evse: int
    connector: int


@frozen
class WithoutSession:
    """A connector on which no session runs."""

    charge_point: ChargePoint
    """With its site."""
    evse: int
    connector: int
    stretches: tuple[Unassigned, ...]
    """What its register rose by since the last session, in samples of the last hours; of the last
    day where it is known."""
    charging_since: datetime | None
    """Since when it says that it charges; None if it does not, or only for a moment."""


def without_session(now: datetime, known: Collection[int] = ()) -> list[WithoutSession]:
    """Connectors with samples outside of sessions, or that say that they charge, while no session
    runs there.

    `known`: charge points (ids) to look at, whether or not something has come from them lately.
    """
    charging = _charging(now)
    wanted = {*_with_samples(now), *known, *(place.charge_point for place in charging)}
    if not wanted:
        return []
    lately = Q(sampled_at__gte=now - HOURS) | Q(
        sampled_at__gte=now - KEPT, charge_point__in=list(known)
    )
    rows = MeterValue.objects.filter(lately, charge_point__in=wanted, transaction=None)
    rising: dict[Outlet, list[Point]] = {}
    for elements in rows_in_turn(rows):
        for place, points in points_of(elements).items():
            rising[Outlet(elements[0].charge_point_id, *place)] = points
    ended = _ended(wanted, now)
    chargers = ChargePoint.objects.select_related("site").filter(retired_at=None).in_bulk(wanted)
    found = []
    for outlet in sorted({*rising, *charging}):
        charger, last = chargers.get(outlet.charge_point), ended.get(outlet)
        if charger is None or last == RUNS:
            continue
        points = [item for item in rising.get(outlet, ()) if last is None or item.at > last]
        stretches = tuple(unassigned((), points, power_of(charger)))
        since = charging.get(outlet)
        if since is not None and last is not None and last > since:
            # It says so since before the session ended.
            since = last if last < now - LASTING else None
        found.append(WithoutSession(charger, outlet.evse, outlet.connector, stretches, since))
    return found


def _with_samples(now: datetime) -> Iterable[int]:
    """Charge points of which some of the newest samples are of no session."""
    newest = MeterValue.objects.order_by("-pk").values_list("pk", flat=True)
    floor = newest[NEWEST : NEWEST + 1].first() or 0
    loose = MeterValue.objects.filter(pk__gt=floor, transaction=None, received_at__gte=now - LATELY)
    places = loose.exclude(evse=0, connector=0).order_by().values_list("charge_point", flat=True)
    return places.distinct()[:AT_MOST]


def _charging(now: datetime) -> dict[Outlet, datetime]:
    """Connectors that say for some minutes that they charge, and have no session that runs."""
    rows = Connector.objects.filter(
        status="Charging",
        status_since__lt=now - LASTING,
        number__gt=0,
        charge_point__connection__isnull=False,
        charge_point__retired_at=None,
    ).exclude(transaction__state=Transaction.State.ACTIVE)
    places = rows.order_by("pk").values_list("charge_point", "evse", "number", "status_since")
    return {
        Outlet(charger, evse, number): since
        for charger, evse, number, since in places[:AT_MOST]
        if since is not None
    }


def _ended(charge_points: Collection[int], now: datetime) -> dict[Outlet, datetime]:
    """When the last session of each connector ended; `RUNS` where one runs."""
    lately = Q(started_at__gte=now - SESSIONS) | Q(state=Transaction.State.ACTIVE)
    rows = Transaction.objects.filter(lately, charge_point__in=charge_points).order_by()
    found: dict[Outlet, datetime] = {}
    names = ("charge_point", "evse", "connector", "state", "started_at", "stopped_at")
    for charger, evse, number, state, started, stopped in rows.values_list(*names):
        place = Outlet(charger, evse, number or 0)
        last = RUNS if state == Transaction.State.ACTIVE else stopped or started
        found[place] = max(last, found.get(place, last))
    return found
