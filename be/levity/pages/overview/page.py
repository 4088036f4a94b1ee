"""The overview's parts, each for those who may see what it is made of."""

from datetime import datetime, tzinfo
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.translation import gettext

from levity.ocpp.models import RefusedHandshake, Transaction
from levity.ocpp.visibility import visible
from levity.pages.chargers.connecting import MAKES
from levity.pages.chargers.csv_export import streamed_csv
from levity.pages.kit import live
from levity.pages.kit.formats import kwh, list_url, month_of, words
from levity.pages.kit.hooks import Tile
from levity.pages.overview import dashboard
from levity.pages.overview.bays import bays, cells, counts
from levity.pages.overview.energy import (
    FEW,
    Energy,
    energy_of,
    first_of_month,
    zone_among,
    zone_of_sites,
)
from levity.pages.overview.plots import csv_of, plots, titles, to_draw
from levity.pages.overview.tiles import tile

__all__ = ["csv_view", "plots_view", "summary"]

REFUSALS = 5


def summary(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold's index page gets, without the plots: those come after it (`plots_view`)."""
    now = timezone.now()
    user: Any = request.user
    counted = dashboard.summary(request, context)
    context["is_wall"] = bool(request.GET.get("wall"))
    if user.has_perm("ocpp.view_chargepoint"):
        found = bays(user)
        context["bays"] = bool(found)
        context["bay_cells"] = cells(found)
        context["bay_counts"] = counts(found)
        zone = zone_among((counted["first_zone"], counted["last_zone"]))
    else:
        zone = zone_of_sites(user)
    if context.get("is_empty"):
        context["makes"] = MAKES
        if user.has_perm("ocpp.view_refusedhandshake"):
            rows = visible(RefusedHandshake.objects.all(), user).order_by("-last_at")
            context["refused"] = [dashboard.refusal(row) for row in rows[:REFUSALS]]
    energy = _energy(user, now, zone)
    if energy is not None:
        context["tiles"] = _with_energy(context["tiles"], energy, counted)
        context["plots_to_draw"] = to_draw(energy)
    context["plot_titles"] = titles(user)
    return context


def plots_view(request: HttpRequest) -> HttpResponse:
    """The plots as they are now, for a page that is there."""
    now = timezone.now()
    user: Any = request.user
    zone = zone_of_sites(user)
    context = {
        "plots": plots(user, now, zone, _energy(user, now, zone), titles(user)),
        "plotted_at": dashboard.clock(now, zone),
    }
    return HttpResponse(live.rendered("levity/overview/plots.html", context, request))


def csv_view(request: HttpRequest, name: str) -> HttpResponse:
    """One plot as a file; 404 if this person may not see it. Programs read it: it is English."""
    user: Any = request.user
    if name in titles(user):
        now, zone = timezone.now(), zone_of_sites(user)
        energy = None if name == "trouble" else _energy(user, now, zone)
        with translation.override("en"):
            [plot] = plots(user, now, zone, energy, [name])
        answer: Any = streamed_csv(csv_of(plot), f"overview-{name}")
        return answer
    raise Http404("there is no such plot, or you may not see it")


def _energy(user: Any, now: datetime, zone: tzinfo) -> Energy | None:
    return energy_of(user, now, zone) if user.has_perm("ocpp.view_transaction") else None


def _with_energy(tiles: list[Tile], energy: Energy, counted: dict[str, int]) -> list[Tile]:
    """The energy of days and months, behind the tile of who charges now."""
    today, month = energy.today, first_of_month(energy.today)
    before = first_of_month(energy.today, -1)
    sums = (
        (
            gettext("Energy today"),
            energy.since(today),
            today,
            gettext("since 00:00"),
            counted["left_out_today"],
        ),
        (
            gettext("Energy this month"),
            energy.since(month),
            month,
            format_html("{} {}", gettext("since"), words(str(month))),
            counted["left_out"],
        ),
        (
            gettext("Energy last month"),
            energy.since(before) - energy.since(month),
            before,
            month_of(before),
            0,
        ),
    )
    counting = gettext("sessions are still being counted")
    behind = f"; {counting}" if counted["changed"] > FEW else ""
    made = []
    for title, wh, first, note, count in sums:
        filters = {"started_at_from": f"{first:%Y-%m-%d}"}
        if first == before:
            last = dashboard.day_before(month)
            filters["started_at_to"] = f"{last:%Y-%m-%d}"
        said = format_html("{}{}{}", note, dashboard.not_counted(count), behind)
        made.append(tile(title, kwh(wh), list_url(Transaction, **filters), note=said))
    at = next(
        (place for place, each in enumerate(tiles, 1) if each["title"] == gettext("Charging now")),
        0,
    )
    return [*tiles[:at], *made, *tiles[at:]]
