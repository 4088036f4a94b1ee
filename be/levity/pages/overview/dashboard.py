"""The overview in numbers: is everything there, who charges, what went wrong. Fixed number of
queries."""

from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from levity.ocpp.chargers.faults import FAULT
from levity.ocpp.chargers.security.reasons import reason
from levity.ocpp.decisions import onboarding
from levity.ocpp.models import (
    IMPLAUSIBLE,
    IN_TOTALS,
    ChargePoint,
    Connector,
    RefusedHandshake,
    Transaction,
    UnassignedEnergy,
)
from levity.ocpp.visibility import visible
from levity.pages.chargers.connecting import connect_to
from levity.pages.chargers.filters import started_within
from levity.pages.chargers.onboarding import banner
from levity.pages.chargers.restored import restored_tile
from levity.pages.kit import hooks, live
from levity.pages.kit.at_once import answers, how_many, sum_of
from levity.pages.kit.formats import (
    NOTHING,
    ago,
    badge,
    change_link,
    excerpt,
    kwh,
    list_url,
    local_time,
    payer,
    said,
    session_state,
    shown_time,
    site_zone,
    watts,
)
from levity.pages.kit.hooks import Tile
from levity.pages.overview.energy import how_many_changed
from levity.pages.overview.tiles import tile
from levity.pages.overview.trouble import questions, to_check, trouble

__all__ = ["clock", "day_before", "not_counted", "refusal", "summary"]

RECENT = 8
PENDING = ChargePoint.Registration.PENDING
DAY = timedelta(days=1)


def summary(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold's index page gets; each part only for those who may see its list.

    Returns what was counted, by name, for the tiles that others add.
    """
    now = timezone.now()
    user: Any = request.user
    tiles: list[Tile] = []
    lines: list[Tile] = []
    seen = onboarding.state()
    found = answers(user, {**_questions(now, user), **questions(now, user)})
    if user.has_perm("ocpp.view_chargepoint"):
        found |= _charge_points(user, f"{timezone.localtime(now):%Y-%m}")
        context["is_empty"] = found["total"] == 0
        context["connect_to"] = connect_to(request) if context["is_empty"] else []
        context["onboarding"] = banner(request, seen)
        tiles += _charge_point_tiles(found)
        if found["pending"]:
            lines.append(_pending_tile(found["pending"]))
    if user.has_perm("ocpp.view_transaction"):
        running = list_url(Transaction, state__exact=Transaction.State.ACTIVE)
        tiles.append(
            tile(gettext("Charging now"), found["charging"], running, note=watts(found["power"]))
        )
        lines += restored_tile(now, seen)
        lines += to_check(now, user)
        if not live.wants_changes(request):
            context["recent"] = _recent(user)
    if user.has_perm("ocpp.view_unassignedenergy"):
        tiles += _outside_tiles(found.get("outside"), f"{timezone.localtime(now):%Y-%m}")
    context["tiles"] = [*tiles, *hooks.tiles(request, hooks.TILES)]
    context["trouble"] = [*hooks.tiles(request, hooks.TROUBLE), *lines, *trouble(found)]
    context["shown_at"] = local_time(now)
    return found


def _questions(now: datetime, user: Any) -> dict[str, Subquery]:
    """Who charges now, and how many sessions of today and of this month have figures that can't be
    true."""
    if not user.has_perm("ocpp.view_transaction"):
        return {}
    active = visible(Transaction.objects.filter(state=Transaction.State.ACTIVE), user)
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    # Not beyond tomorrow: a clock that runs ahead by years is not this month's energy.
    since = started_within(today.replace(day=1), now + DAY)
    left_out = visible(Transaction.objects.filter(IN_TOTALS, IMPLAUSIBLE), user).filter(since)
    return {
        "charging": how_many(active),
        # What a charger draws that is offline or silent is not known.
        "power": sum_of(
            active.filter(charge_point__connection__isnull=False, charge_point__silent_since=None),
            "power",
        ),
        "left_out": how_many(left_out),
        "left_out_today": how_many(left_out.filter(started_within(today, None))),
        "changed": how_many_changed(),
    }


def _charge_points(user: Any, month: str) -> dict[str, Any]:
    faulty = Exists(Connector.objects.filter(FAULT, charge_point=OuterRef("pk")))
    in_use = ChargePoint.objects.filter(retired_at__isnull=True)
    of_month = visible(UnassignedEnergy.objects.filter(month=month), user).order_by()
    sums = of_month.values("month").annotate(sum=Sum("wh")).values("sum")
    return visible(in_use, user).aggregate(
        total=Count("pk"),
        online=Count("pk", filter=Q(connection__isnull=False)),
        faulted=Count("pk", filter=faulty),
        pending=Count("pk", filter=Q(registration=PENDING)),
        # Summed up once, and the same beside each charge point: no statement of its own.
        outside=Max(Subquery(sums)),
        # Where both are the same, all sites have that one.
        first_zone=Min(Coalesce("site__time_zone", Value(""))),
        last_zone=Max(Coalesce("site__time_zone", Value(""))),
    )


def _charge_point_tiles(counts: dict[str, Any]) -> list[Tile]:
    offline = counts["total"] - counts["online"]
    return [
        tile(gettext("Online"), counts["online"], list_url(ChargePoint, online="yes"), "good"),
        tile(
            gettext("Offline"),
            offline,
            list_url(ChargePoint, online="no"),
            "warn" if offline else "",
        ),
        tile(
            gettext("With a fault"),
            counts["faulted"],
            list_url(ChargePoint, fault="yes"),
            "bad" if counts["faulted"] else "",
        ),
    ]


def _outside_tiles(wh: Decimal | None, month: str) -> list[Tile]:
    """What meters recorded outside sessions this month; nothing where they did not."""
    if not wh:
        return []
    address = list_url(UnassignedEnergy, month=month)
    note = gettext("this month, not billed to anyone")
    return [tile(gettext("Outside sessions"), kwh(wh), address, "warn", note)]


def not_counted(count: int) -> str:
    """What a total does not count, in words."""
    if not count:
        return ""
    text = ngettext(
        "%(count)s session with an implausible figure is not counted",
        "%(count)s sessions with implausible figures are not counted",
        count,
    )
    return f"; {text % {'count': count}}"


def clock(now: datetime, zone: tzinfo) -> str:
    """The time of day, by this clock."""
    return f"{now.astimezone(zone):%H:%M:%S %Z}"


def day_before(day: date) -> date:
    """The day before."""
    return day - DAY


def refusal(row: RefusedHandshake) -> dict[str, Any]:
    """A refused connection in one line: what, who, when, and what to do."""
    found = reason(row.reason)
    who = " ".join(part for part in (row.identity, row.address) if part)
    return {
        "pk": row.pk,
        "title": said(found.title),
        "hint": said(found.hint),
        "who": excerpt(who, 80),
        "when": ago(row.last_at, timezone.now()),
    }


def _recent(user: Any) -> list[dict[str, Any]]:
    found = visible(Transaction.objects.select_related("charge_point__site"), user)
    rows = found.order_by("-id")[:RECENT]
    return [
        {
            "pk": item.pk,
            "link": change_link(Transaction, item.pk, f"#{item.pk}"),
            "where": f"{item.charge_point} · {item.connector or NOTHING}",
            "id_tag": payer(item.id_tag, 255),
            "started": shown_time(item.started_at, site_zone(item)),
            "energy": kwh(item.energy),
            "state": badge(session_state(item.state), "busy" if item.state == "active" else ""),
        }
        for item in rows
    ]


def _pending_tile(count: int) -> Tile:
    title = ngettext("charge point awaits acceptance", "charge points await acceptance", count)
    address = list_url(ChargePoint, registration__exact=PENDING)
    return tile(title, count, address, "warn")
