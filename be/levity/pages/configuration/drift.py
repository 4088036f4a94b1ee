"""Which chargers are as their templates say, which are not, and why."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import configuration_templates as decisions
from levity.ocpp.decisions.wanted_state import (
    Assignments,
    differences_of,
    keys_now,
    template_fits,
)
from levity.ocpp.models import ChargePoint, ConfigurationState, ConfigurationTemplate
from levity.ocpp.rules.desired import Difference, KeyNow, Wanted
from levity.ocpp.visibility import visible
from levity.pages.chargers.csv_export import cell, streamed_csv, utc_cell
from levity.pages.configuration.rows import PAGE
from levity.pages.kit.formats import and_more, excerpt, shown_time, site_zone
from levity.pages.kit.once import sent_once
from levity.pages.site import site
from levity_ws.frozen import frozen

__all__ = ["Drift", "drift_of", "drift_urls", "drifts", "offers_for"]

SHOWN = 1000
"""Chargers on the page; the file has all."""


@frozen
class Drift:
    """A charger that has templates, and how it stands to them."""

    row: ChargePoint
    wanted: dict[str, Wanted]
    differences: list[Difference]
    state: ConfigurationState | None

    @property
    def tone(self) -> str:
        """The colour of its badge."""
        if self.is_busy:
            return "busy"
        return "warn" if self.differences else "good"

    @property
    def is_busy(self) -> bool:
        """Levity works on it."""
        return self.state is not None and self.state.next_at is not None and self.row.online

    @property
    def word(self) -> str:
        """How it stands, in a word."""
        if self.is_busy and self.state is not None:
            return {"reading": "being read", "changing": "being changed"}.get(
                self.state.step, "waits for its turn"
            )
        if not self.differences:
            return "as wanted"
        count = len(self.differences)
        return f"{count} key{'' if count == 1 else 's'} differ{'s' if count == 1 else ''}"

    @property
    def why(self) -> str:
        """Why it is left as it is."""
        return self.state.gave_up if self.state is not None else "not looked at yet"

    @property
    def templates(self) -> str:
        """Their names."""
        return ", ".join(sorted({item.template for item in self.wanted.values()}))


def drift_urls() -> list[URLPattern]:
    """The list over all chargers, and what its buttons do."""
    view = site.admin_view
    return [
        path("drift/", view(drift_view), name=f"{PAGE}_drift"),
        path("drift/csv/", view(csv_view), name=f"{PAGE}_drift_csv"),
        path("drift/apply/", view(apply_view), name=f"{PAGE}_apply_all"),
        path("charger/<int:charge_point_id>/apply/", view(apply_view), name=f"{PAGE}_apply"),
    ]


def drifts(user: Any) -> list[Drift]:
    """All chargers with templates that this person may see; those that differ first."""
    assignments = Assignments.load()
    if assignments.is_empty:
        return []
    rows = visible(ChargePoint.objects.filter(assignments.concerned(), retired_at=None), user)
    found = list(rows.select_related("site", "configuration_state").order_by("identity"))
    with_some = [(row, wanted) for row in found if (wanted := assignments.wanted(row))]
    known = keys_now(row for row, _ in with_some)
    made = [_drift(row, wanted, known[row.pk]) for row, wanted in with_some]
    return sorted(made, key=lambda item: not item.differences)


def drift_of(row: ChargePoint) -> Drift | None:
    """Of this charger; None if it has no template."""
    wanted = Assignments.load().wanted(row)
    return _drift(row, wanted, keys_now([row])[row.pk]) if wanted else None


def offers_for(row: ChargePoint) -> list[ConfigurationTemplate]:
    """Templates that were made for such a charger, and that it does not have."""
    have = {item.template for item in Assignments.load().wanted(row).values()}
    return [
        item
        for item in ConfigurationTemplate.objects.order_by("name")
        if item.name not in have and template_fits(item, row)
    ]


def drift_view(request: HttpRequest) -> HttpResponse:
    """The list."""
    _check(request)
    found = drifts(request.user)
    context = {
        **site.each_context(request),
        "opts": ConfigurationTemplate._meta,
        "title": "Configuration drift",
        "page": PAGE,
        "count": len(found),
        "differing": sum(1 for item in found if item.differences),
        "left_out": max(0, len(found) - SHOWN),
        "rows": [_shown(item) for item in found[:SHOWN]],
        "may_apply": _may(request),
    }
    return TemplateResponse(request, "levity/configuration_drift.html", context)


def csv_view(request: HttpRequest) -> HttpResponseBase:
    """A line for each key that differs, and one for each charger where none does."""
    _check(request)
    return streamed_csv(_csv(drifts(request.user)), "configuration-drift")


@sent_once
def apply_view(request: HttpRequest, charge_point_id: int | None = None) -> HttpResponse:
    """Try again now: one charger, or all that differ."""
    if request.method != "POST" or not _may(request):
        raise PermissionDenied
    rows = visible(ChargePoint.objects.all(), request.user)
    if charge_point_id is not None:
        get_object_or_404(rows, pk=charge_point_id)
        mine = rows.filter(pk=charge_point_id)
    else:
        mine = rows.filter(
            pk__in=[item.row.pk for item in drifts(request.user) if item.differences]
        )
    try:
        done = decisions.apply_now(mine, request.user)
    except Refused as error:
        messages.error(request, error.sentence)
    else:
        plural = "charger is" if done.count == 1 else "chargers are"
        messages.success(request, f"{done.count} {plural} being looked at.")
    if charge_point_id is not None:
        return redirect(f"levity:{PAGE}", charge_point_id)
    return redirect(f"levity:{PAGE}_drift")


def _drift(row: ChargePoint, wanted: dict[str, Wanted], known: dict[str, KeyNow]) -> Drift:
    state = getattr(row, "configuration_state", None)
    return Drift(row, wanted, differences_of(row, wanted, known), state)


def _shown(item: Drift) -> dict[str, Any]:
    names = [each.wanted.key for each in item.differences]
    seen: datetime | None = item.state.in_step_at if item.state is not None else None
    return {
        "pk": item.row.pk,
        "name": str(item.row),
        "url": reverse(f"levity:{PAGE}", args=[item.row.pk]),
        "online": item.row.online,
        "templates": item.templates,
        "tone": item.tone,
        "word": item.word,
        "keys": ", ".join(names[:5]) + and_more(len(names) - 5),
        "why": excerpt(item.why, 250) if item.differences else "",
        "seen": shown_time(seen, site_zone(item.row)) if seen else "never",
    }


def _csv(found: list[Drift]) -> Iterator[list[str]]:
    yield [
        *("charge point", "online", "templates", "key", "value", "wanted", "why not changed"),
        "last looked at (UTC)",
    ]
    for item in found:
        seen = utc_cell(item.state.in_step_at if item.state is not None else None)
        base = [cell(item.row.identity), str(item.row.online).lower(), cell(item.templates)]
        if not item.differences:
            yield [*base, "", "", "", "", seen]
        for each in item.differences:
            yield [
                *base,
                cell(each.wanted.key),
                cell(each.now or ""),
                cell(each.wanted.value),
                cell(each.why_not or item.why),
                seen,
            ]


def _check(request: HttpRequest) -> None:
    user: Any = request.user
    if not user.has_perm("ocpp.view_configurationkey"):
        raise PermissionDenied


def _may(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm(decisions.CHANGE))
