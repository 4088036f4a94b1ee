"""How much each household used in a month: a table, a bar for each, and the same as CSV."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from levity.billing.models import Household
from levity.billing.used import Use, used
from levity.ocpp.models import Transaction
from levity.ocpp.visibility import visible
from levity.pages.chargers.csv_export import cell, streamed_csv
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import UNKNOWN_PAYER, change_link, kwh, list_url, month_of
from levity.pages.kit.periods import Period, period_of

__all__ = ["EnergyPages"]

BAR = 120
# Cards that belong to nobody, listed one by one up to here.
SHOWN = 50


class EnergyPages(LevityAdmin):
    """For the admin of households."""

    def energy_view(self, request: HttpRequest) -> HttpResponse:
        """The month of the address, or this one."""
        self._check(request)
        period = _period(request)
        before = used(period.before.since, period.before.until, request.user).households
        uses = used(period.since, period.until, request.user)
        found = uses.households
        most = max((use.wh for use in found.values()), default=Decimal())
        households = visible(Household.objects.all(), request.user)
        rows = [
            _row(change_link(Household, item.pk, item.name), item, found, before, most)
            for item in households
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": Household._meta,
            "title": gettext("Energy by household, %(month)s") % {"month": month_of(period.first)},
            "period": period,
            "month": month_of(period.first),
            "rows": rows,
            "nobody": _row(gettext("Nobody's"), None, found, before, most)
            if None in found
            else None,
            "cards": _cards(uses.cards),
            "total": _total(found, before),
            "any_household": households.exists(),
            "earlier": f"?{period.before.query}",
            "later": f"?{period.after.query}" if period.until <= timezone.now() else "",
            "csv": f"{reverse('levity:billing_household_energy_csv')}?{period.query}",
            "sessions_url": _sessions(period),
        }
        return TemplateResponse(request, "levity/household_energy.html", context)

    def energy_csv(self, request: HttpRequest) -> HttpResponseBase:
        """The same table."""
        self._check(request)
        period = _period(request)
        found = used(period.since, period.until, request.user).households
        households = visible(Household.objects.all(), request.user)
        return streamed_csv(
            _lines(period, households, found), f"energy-by-household-{period.first:%Y-%m}"
        )

    def _check(self, request: HttpRequest) -> None:
        if not (
            self.has_view_permission(request) and request.user.has_perm("ocpp.view_transaction")
        ):
            raise PermissionDenied


def _period(request: HttpRequest) -> Period:
    asked = request.GET.copy()
    asked["period"] = "month"
    return period_of(asked, None, timezone.now())


def _row(
    name: Any,
    item: Household | None,
    found: Mapping[int | None, Use],
    before: Mapping[int | None, Use],
    most: Decimal,
) -> dict[str, Any]:
    key = item.pk if item else None
    use, was = found.get(key, Use()), before.get(key, Use())
    return {
        "name": name,
        "flat": (item.flat or item.parking) if item else "",
        "sessions": use.sessions,
        "energy": kwh(use.wh),
        "before": kwh(was.wh),
        "to_check": use.to_check,
        "bar": int(BAR * use.wh / most) if most else 0,
    }


def _total(found: Mapping[int | None, Use], before: Mapping[int | None, Use]) -> dict[str, Any]:
    return {
        "sessions": sum(use.sessions for use in found.values()),
        "energy": kwh(sum((use.wh for use in found.values()), Decimal())),
        "before": kwh(sum((use.wh for use in before.values()), Decimal())),
        "to_check": sum(use.to_check for use in found.values()),
    }


def _cards(by_card: Mapping[str, Use]) -> dict[str, Any]:
    """The cards whose sessions are nobody's, those with most energy first."""
    ranked = sorted(by_card.items(), key=lambda found: (-found[1].wh, found[0]))
    return {
        "shown": [
            {"id_tag": tag or UNKNOWN_PAYER, "sessions": use.sessions, "energy": kwh(use.wh)}
            for tag, use in ranked[:SHOWN]
        ],
        "more": max(0, len(ranked) - SHOWN),
    }


def _sessions(period: Period) -> str:
    return list_url(
        Transaction,
        started_at_from=period.first.isoformat(),
        started_at_to=period.last.isoformat(),
    )


def _lines(period: Period, households: Any, found: Mapping[int | None, Use]) -> Iterator[list[str]]:
    yield [
        "month",
        "household",
        "flat",
        "parking space",
        "site",
        "sessions",
        "energy (kWh)",
        "sessions to check",
    ]
    month = f"{period.first:%Y-%m}"
    for item in households.select_related("site"):
        use = found.get(item.pk, Use())
        yield [
            month,
            cell(item.name),
            cell(item.flat),
            cell(item.parking),
            cell(item.site.name if item.site else ""),
            *_figures(use),
        ]
    yield [month, "(nobody's)", "", "", "", *_figures(found.get(None, Use()))]


def _figures(use: Use) -> list[str]:
    return [str(use.sessions), f"{use.wh / 1000:.3f}", str(use.to_check)]
