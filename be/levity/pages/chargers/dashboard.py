"""The first page: is everything there, who charges, what went wrong. Fixed number of queries."""

import os
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import segno
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode

from levity.addresses import charger_addresses
from levity.installation import ws_port
from levity.ocpp.chargers.faults import FAULT
from levity.ocpp.decisions import onboarding
from levity.ocpp.models import (
    IN_TOTALS,
    PLAUSIBLE,
    ChargePoint,
    ChargePointCertificate,
    Command,
    Connector,
    FailedMessage,
    QuarantinedMessage,
    RefusedHandshake,
    Transaction,
    UnassignedEnergy,
)
from levity.ocpp.visibility import visible
from levity.pages.chargers.filters import started_within
from levity.pages.chargers.onboarding import banner
from levity.pages.chargers.restored import restored_tile
from levity.pages.kit import hooks
from levity.pages.kit.base import newest
from levity.pages.kit.formats import (
    NOTHING,
    badge,
    change_link,
    kwh,
    list_url,
    local_time,
    payer,
    shown_time,
    site_zone,
    watts,
    words,
)
from levity.pages.kit.hooks import Tile

__all__ = ["Tile", "connect_to", "summary"]

RECENT = 8
# A number beyond this is shown as "more than": the page never counts a big table.
COUNTED = 999
PENDING = ChargePoint.Registration.PENDING
# The newest commands and connection events among which failures of the last day are looked for.
LOOK_BACK = 5_000
DAY = timedelta(days=1)


def summary(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold's index page gets; each part only for those who may see its list."""
    now = timezone.now()
    may = request.user.has_perm
    tiles: list[Tile] = []
    trouble: list[Tile] = []
    outside: Decimal | None = None
    seen = onboarding.state()
    if may("ocpp.view_chargepoint"):
        counts = _charge_points(request.user, f"{timezone.localtime(now):%Y-%m}")
        outside = counts["outside"]
        context["is_empty"] = counts["total"] == 0
        context["connect_to"] = connect_to(request) if context["is_empty"] else []
        context["onboarding"] = banner(request, seen)
        tiles += _charge_point_tiles(counts)
        trouble.append(_pending_tile(counts["pending"]))
    if may("ocpp.view_transaction"):
        tiles += _energy_tiles(now, request.user)
        trouble += restored_tile(now, seen)
        context["recent"] = _recent(request.user)
    if may("ocpp.view_unassignedenergy"):
        tiles += _outside_tiles(outside, f"{timezone.localtime(now):%Y-%m}")
    context["tiles"] = [*tiles, *hooks.tiles(request, hooks.TILES)]
    trouble += _trouble(now, request.user)
    context["trouble"] = [
        *hooks.tiles(request, hooks.TROUBLE),
        *(tile for tile in trouble if tile["count"]),
    ]
    context["shown_at"] = local_time(now)
    return context


def connect_to(request: HttpRequest) -> list[dict[str, str]]:
    """Where chargers connect: each address, and its picture for a phone."""
    found = charger_addresses(
        request.get_host(),
        os.environ,
        port=ws_port(),
        secure=request.is_secure(),
        # Only a proxy that the site named gets that far with this header.
        same_port="HTTP_X_FORWARDED_FOR" in request.META,
    )
    return [
        {
            "scheme": address.scheme,
            "url": address.url,
            "bare": address.bare,
            "note": address.note,
            "picture": _picture(address.url),
        }
        for address in found
    ]


@lru_cache(maxsize=32)  # by the names of this machine, which a request may choose
def _picture(text: str) -> str:
    return segno.make(text, error="m").svg_data_uri(scale=4, light="#fff")


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
    )


def _charge_point_tiles(counts: dict[str, Any]) -> list[Tile]:
    offline = counts["total"] - counts["online"]
    return [
        _tile("Online", counts["online"], list_url(ChargePoint, online="yes"), "good"),
        _tile("Offline", offline, list_url(ChargePoint, online="no"), "warn" if offline else ""),
        _tile(
            "With a fault",
            counts["faulted"],
            list_url(ChargePoint, fault="yes"),
            "bad" if counts["faulted"] else "",
        ),
    ]


def _energy_tiles(now: datetime, user: Any) -> list[Tile]:
    transactions = visible(Transaction.objects.all(), user)
    active = transactions.filter(state=Transaction.State.ACTIVE)
    charging = active.aggregate(
        count=Count("pk"),
        # What a charger draws that is offline or silent is not known.
        power=Sum(
            "power",
            filter=Q(
                charge_point__connection__isnull=False, charge_point__silent_since__isnull=True
            ),
        ),
    )
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    # Not beyond tomorrow: a clock that runs ahead by years is not this month's energy.
    since_today = started_within(today, None)
    energy = transactions.filter(IN_TOTALS, started_within(month, now + DAY)).aggregate(
        month=Sum("energy", filter=PLAUSIBLE),
        today=Sum("energy", filter=since_today & PLAUSIBLE),
        left_out=Count("pk", filter=~PLAUSIBLE),
        left_out_today=Count("pk", filter=since_today & ~PLAUSIBLE),
    )
    running = list_url(Transaction, state__exact=Transaction.State.ACTIVE)
    first = f"{month:%Y-%m-%d}"
    return [
        _tile("Charging now", charging["count"], running, note=watts(charging["power"])),
        _tile(
            "Energy today",
            kwh(energy["today"] or Decimal(0)),
            list_url(Transaction, started_at_from=f"{today:%Y-%m-%d}"),
            note=f"sessions started today{_left_out(energy['left_out_today'])}",
        ),
        _tile(
            "Energy this month",
            kwh(energy["month"] or Decimal(0)),
            list_url(Transaction, started_at_from=first),
            note=format_html("sessions since {}{}", words(first), _left_out(energy["left_out"])),
        ),
    ]


def _outside_tiles(wh: Decimal | None, month: str) -> list[Tile]:
    """What meters recorded outside sessions this month; nothing where they did not."""
    if not wh:
        return []
    address = list_url(UnassignedEnergy, month=month)
    return [_tile("Outside sessions", kwh(wh), address, "warn", "this month, not billed to anyone")]


def _left_out(count: int) -> str:
    """What a total does not count, in words."""
    if not count:
        return ""
    if count == 1:
        return "; 1 session with an implausible figure is not counted"
    return f"; {count} sessions with implausible figures are not counted"


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
            "state": badge(item.state, "busy" if item.state == "active" else ""),
        }
        for item in rows
    ]


def _trouble(now: datetime, user: Any) -> list[Tile]:
    may = user.has_perm
    yesterday = now - DAY
    tiles: list[Tile] = []
    if may("ocpp.view_quarantinedmessage"):
        rows = visible(QuarantinedMessage.objects.all(), user).filter(resolved_at__isnull=True)
        tiles.append(
            _trouble_tile(("in quarantine",), rows, list_url(QuarantinedMessage, open="yes"))
        )
    if may("ocpp.view_failedmessage"):
        failed = visible(FailedMessage.objects.all(), user).filter(replayed_at__isnull=True)
        names = ("failed messages", "failed message")
        tiles.append(_trouble_tile(names, failed, list_url(FailedMessage, open="yes")))
    if may("ocpp.view_refusedhandshake"):
        refused = visible(RefusedHandshake.objects.filter(last_at__gte=yesterday), user)
        names = ("kinds of refused connections (24 h)", "kind of refused connection (24 h)")
        tiles.append(_trouble_tile(names, refused, list_url(RefusedHandshake)))
    if may("ocpp.view_command"):
        states = [
            Command.State.REFUSED,
            Command.State.TIMED_OUT,
            Command.State.EXPIRED,
            Command.State.FAILED,
        ]
        unanswered = newest(visible(Command.objects.all(), user), LOOK_BACK).filter(
            state__in=states, finished_at__gte=yesterday
        )
        query = urlencode([("state__exact", str(state)) for state in states])
        address = f"{list_url(Command)}?{query}"
        names = ("commands that failed (24 h)", "command that failed (24 h)")
        tiles.append(_trouble_tile(names, unanswered, address))
    if may("ocpp.view_chargepointcertificate"):
        waiting = ChargePointCertificate.State.WAITING
        asked = visible(ChargePointCertificate.objects.filter(state=waiting), user)
        names = (
            "certificate requests await a decision",
            "certificate request awaits a decision",
        )
        address = list_url(ChargePointCertificate, state__exact=waiting)
        tiles.append(_trouble_tile(names, asked, address))
    return tiles


def _trouble_tile(names: tuple[str, ...], rows: QuerySet[Any], url: str) -> Tile:
    """`names`: of many and, last, of one."""
    count = rows.order_by()[: COUNTED + 1].count()
    shown = f"more than {COUNTED}" if count > COUNTED else str(count)
    title = names[-1] if count == 1 else names[0]
    return {**_tile(title, shown, url, "bad"), "count": count}


def _pending_tile(count: int) -> Tile:
    title = "charge point awaits acceptance" if count == 1 else "charge points await acceptance"
    address = list_url(ChargePoint, registration__exact=PENDING)
    return {**_tile(title, count, address, "warn"), "count": count}


def _tile(title: str, value: Any, url: str, tone: str = "", note: str = "") -> Tile:
    return {"title": title, "value": value, "url": url, "tone": tone, "note": note}
