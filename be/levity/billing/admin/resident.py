"""The page of a household that is made for looking: contact, cards, sums, sessions, statements and
open questions. Its form is a second tab."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from levity.billing.admin.held import days_shown as held_days
from levity.billing.admin.held import thing_shown
from levity.billing.admin.prices import cost_shown, said
from levity.billing.admin.statement_rows import days_shown, money_shown
from levity.billing.models import Assignment, Household, SessionPrice, Statement
from levity.billing.resident import Month, clock_of, months_of, prices_of, questions_of
from levity.ocpp.models import IdTag, Transaction
from levity.ocpp.visibility import visible
from levity.pages.chargers.charger_tabs import DETAILS, asked_for
from levity.pages.chargers.csv_export import streamed_csv
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import (
    NOTHING,
    change_link,
    kwh,
    list_url,
    local_time,
    month_of,
)

__all__ = ["ResidentPage"]

SHOWN = 20
QUESTIONS = {
    "waits": gettext_noop("sessions wait for a decision"),
    "nothing": gettext_noop("It has nothing to charge with today: no card and no charge point."),
    "no-site": gettext_noop("It has no site: its monthly fee would be on no statement."),
    "no-email": gettext_noop("It has no e-mail address: its statements are printed."),
}


class ResidentPage(LevityAdmin):
    """For the admin of households."""

    def resident_urls(self) -> list[URLPattern]:
        """Its months as a file."""
        view = self.admin_site.admin_view
        page = path("<int:pk>/months.csv", view(self.months_csv), name="billing_household_months")
        return [page]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """What is known of it; or, as a second tab, its form."""
        home = self.get_object(request, object_id)
        extra, tab = dict(extra_context or {}), asked_for(request)
        if home is not None and self.has_view_permission(request, home):
            extra |= {"resident_tab": tab, "resident_tabs": _tabs(home, tab)}
            if tab != DETAILS:
                extra |= _known(request, home)
        return super().change_view(request, object_id, form_url, extra)

    def months_csv(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Energy and amount of each month."""
        home = self.get_object(request, str(pk))
        if home is None:
            raise Http404("there is no such household")
        if not self.has_view_permission(request, home) or not _sees_sessions(request.user):
            raise PermissionDenied
        months = months_of(home, request.user, timezone.now())
        return streamed_csv(_lines(months), f"household-{home.pk}-months")


def _tabs(home: Household, current: str) -> list[tuple[str, str, bool]]:
    page = reverse("levity:billing_household_change", args=[home.pk])
    return [
        (gettext("Overview"), page, current != DETAILS),
        (gettext("Change"), f"{page}?tab={DETAILS}", current == DETAILS),
    ]


def _known(request: HttpRequest, home: Household) -> dict[str, Any]:
    user: Any = request.user
    now = timezone.now()
    found: dict[str, Any] = {
        "home": home,
        "facts": list(_facts(home)),
        "holds": [_held(each, user) for each in home.assignments.all()],
        "questions": [
            {
                "text": gettext(QUESTIONS[each.name]),
                "count": each.count if each.name == "waits" else "",
                "url": _prices(home, state__exact="waits") if each.name == "waits" else "",
            }
            for each in questions_of(home, user, timezone.localdate(now, clock_of(home)))
        ],
    }
    if _sees_sessions(user):
        months = months_of(home, user, now)
        found |= {
            "months": [_month_row(each) for each in reversed(months)],
            "plot": _plot(months),
            "sessions": _sessions(home, user),
            "all_sessions": _prices(home),
        }
    if user.has_perm("billing.view_statement"):
        found["statements"] = _statements(home, user)
        found["all_statements"] = list_url(Statement, household__id__exact=home.pk)
    return found


def _sees_sessions(user: Any) -> bool:
    return bool(
        user.has_perm("billing.view_sessionprice") and user.has_perm("ocpp.view_transaction")
    )


def _prices(home: Household, **more: Any) -> str:
    return list_url(SessionPrice, household__id__exact=home.pk, **more)


def _facts(home: Household) -> Iterator[tuple[str, str]]:
    yield gettext("Flat"), home.flat or NOTHING
    yield gettext("Parking space"), home.parking or NOTHING
    yield gettext("Site"), str(home.site or NOTHING)
    yield gettext("Language"), gettext(home.get_language_display())
    if home.members.strip():
        yield gettext("Members"), ", ".join(filter(None, map(str.strip, home.members.splitlines())))
    if home.notes.strip():
        yield gettext("Notes"), home.notes


def _held(row: Assignment, user: Any) -> dict[str, Any]:
    url = ""
    if row.charge_point is not None:
        if user.has_perm("ocpp.view_chargepoint"):
            url = reverse("levity:ocpp_chargepoint_change", args=[row.charge_point_id])
    elif user.has_perm("ocpp.view_idtag"):
        url = list_url(IdTag, q=row.id_tag)
    return {"text": thing_shown(row), "days": held_days(row), "url": url}


def _month_row(month: Month) -> dict[str, Any]:
    amounts = sorted(month.amounts.items())
    return {
        "month": month_of(month.first),
        "sessions": month.sessions,
        "kwh": kwh(month.wh),
        "amount": ", ".join(money_shown(total, currency) for currency, total in amounts) or NOTHING,
    }


def _plot(months: list[Month]) -> str:
    """What the script draws; empty where there is nothing."""
    if not any(month.sessions for month in months):
        return ""
    currencies = sorted({currency for month in months for currency in month.amounts})
    series: list[dict[str, Any]] = [
        {"name": gettext("Energy"), "values": [float(month.wh) / 1000 for month in months]}
    ]
    # With two currencies a second axis would have two units.
    if len(currencies) == 1:
        values = [float(month.amounts.get(currencies[0], 0)) for month in months]
        series.append({"name": gettext("Amount"), "values": values, "axis": "y1"})
    data = {
        "kind": "bar",
        "unit": "kWh",
        "unit2": currencies[0] if len(currencies) == 1 else None,
        "labels": [f"{month.first:%Y-%m}" for month in months],
        "series": series,
    }
    return json.dumps(data)


def _sessions(home: Household, user: Any) -> list[dict[str, Any]]:
    rows = prices_of(home, user).select_related("transaction__charge_point", "version")
    zone = clock_of(home)
    return [
        {
            "link": change_link(Transaction, row.pk, f"#{row.pk}"),
            "start": local_time(row.started_at, zone),
            "charger": str(row.transaction.charge_point),
            "kwh": kwh(row.wh),
            "cost": cost_shown(row),
            "state": gettext(row.get_state_display()),
            "why": said(row.reason),
            "price_url": reverse("levity:billing_sessionprice_change", args=[row.pk]),
        }
        for row in rows.order_by("-ended_at")[:SHOWN]
    ]


def _statements(home: Household, user: Any) -> list[dict[str, Any]]:
    rows = visible(Statement.objects.filter(household=home), user).select_related("run")
    return [
        {
            "pk": row.pk,
            "link": change_link(Statement, row.pk, row.label),
            "period": days_shown(row.run),
            "kwh": kwh(row.wh),
            "gross": money_shown(row.gross, row.currency),
        }
        for row in rows.defer("document").order_by("-pk")[:SHOWN]
    ]


def _lines(months: list[Month]) -> Iterator[list[str]]:
    yield ["month", "sessions", "energy (kWh)", "amount", "currency"]
    for month in months:
        first = [f"{month.first:%Y-%m}", str(month.sessions), f"{month.wh / 1000:.3f}"]
        if not month.amounts:
            yield [*first, "", ""]
        for currency, amount in sorted(month.amounts.items()):
            yield [*first, str(amount), currency]
