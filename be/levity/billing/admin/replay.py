"""The page “What would last year have cost”: a month at a time, or as much of one as is reckoned in
a moment, so that it answers at once."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from time import process_time
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext

from levity.billing.models import Tariff, TariffVersion
from levity.billing.replay import MOST, Replayed, replay
from levity.billing.saying import summary
from levity.days import midnight
from levity.ocpp.visibility import visible
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import kwh, month_of

__all__ = ["ReplayPages"]

MONTHS = 12
ENOUGH = 0.15
"""Seconds of CPU after which a request answers with what it has, and asks for the rest."""
SUMS = ("sessions", "failed", "wh", "net", "gross")


class ReplayPages(LevityAdmin):
    """For the admin of tariffs."""

    def replay_urls(self) -> list[URLPattern]:
        """The page, and each of its months."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/replay/", view(self.replay_view), name="billing_tariff_replay"),
            path(
                "<int:pk>/replay/month/",
                view(self.replay_month),
                name="billing_tariff_replay_month",
            ),
        ]

    def replay_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin with the month a year ago."""
        row, version = self._version(request, pk)
        first = _months_ago(timezone.localdate(), MONTHS)
        context = {
            **self.admin_site.each_context(request),
            "opts": Tariff._meta,
            "title": gettext("What would last year have cost by %(tariff)s?") % {"tariff": row},
            "tariff": row,
            "version": version,
            "says": summary(version.document),
            "next": urlencode({"version": str(version.number), "month": first.isoformat()}),
            "has_fee": bool(version.document.get("monthly_fee")),
            "most": MOST,
        }
        return TemplateResponse(request, "levity/tariff_replay.html", context)

    def replay_month(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One month, and what asks for the next; the last one has the sum."""
        _, version = self._version(request, pk)
        try:
            first = date.fromisoformat(request.GET.get("month", "")).replace(day=1)
            so_far = {name: Decimal(request.GET.get(name, "0")) for name in SUMS}
            usable = all(value.is_finite() for value in so_far.values())
        except (ValueError, InvalidOperation):
            usable = False
        if not usable or not 1971 <= first.year <= 9000:
            raise Http404
        # Pydantic is loaded when a document is read (ADR 37).
        from levity.billing.documents import TariffDocument

        tariff = TariffDocument.model_validate(version.document).tariff()
        following = _months_ago(first, -1)
        begun = process_time()
        found = replay(
            tariff,
            midnight(first, tariff.zone),
            midnight(following, tariff.zone),
            request.user,
            so_far=_resumed(request, tariff),
            is_enough=lambda: process_time() - begun > ENOUGH,
        )
        if found.at is not None:
            return self._goes_on(request, pk, version, first, found)
        so_far["sessions"] += found.sessions
        so_far["failed"] += found.without_price
        so_far["wh"] += found.wh
        so_far["net"] += found.net
        so_far["gross"] += found.gross
        is_last = following >= timezone.localdate().replace(day=1)
        asked = {name: str(value) for name, value in so_far.items()}
        asked |= {"version": str(version.number), "month": following.isoformat()}
        context = {
            "month": month_of(first),
            "found": found,
            "kwh": kwh(found.wh),
            "currency": tariff.currency,
            "total": so_far,
            "total_kwh": kwh(so_far["wh"]),
            "is_last": is_last,
            "next": urlencode(asked),
            "tariff_pk": pk,
        }
        return TemplateResponse(request, "levity/tariff_replay_month.html", context)

    def _goes_on(
        self, request: HttpRequest, pk: int, version: TariffVersion, first: date, found: Replayed
    ) -> HttpResponse:
        """What there is of a month so far, and what asks for more of it."""
        assert found.at is not None
        asked = {name: request.GET[name] for name in SUMS if name in request.GET}
        began, number = found.at
        asked |= {"version": str(version.number), "month": first.isoformat()}
        asked |= {"at": f"{began.isoformat()},{number}", "count": str(found.sessions)}
        asked |= {"used": str(found.wh), "without": str(found.without_price)}
        asked |= {"amounts": ",".join(f"{vat}:{amount}" for vat, amount in found.amounts)}
        context = {
            "month": month_of(first),
            "found": found,
            "next": urlencode(asked),
            "tariff_pk": pk,
            "goes_on": True,
        }
        return TemplateResponse(request, "levity/tariff_replay_month.html", context)

    def _version(self, request: HttpRequest, pk: int) -> tuple[Tariff, TariffVersion]:
        row = get_object_or_404(visible(Tariff.objects.filter(pk=pk), request.user))
        may: Any = request.user
        if not (self.has_view_permission(request) and may.has_perm("ocpp.view_transaction")):
            raise PermissionDenied
        number = request.GET.get("version", "")
        versions = row.versions.order_by("-number")
        if number.isdecimal():
            versions = versions.filter(number=int(number[:9]))
        version = versions.first()
        if version is None:
            raise Http404
        return row, version


def _resumed(request: HttpRequest, tariff: Any) -> Replayed | None:
    """What was reckoned of this month before, as the address says; 404 for what is none."""
    asked = request.GET
    if "at" not in asked:
        return None
    try:
        began, _, number = asked["at"].partition(",")
        parts = [part.partition(":") for part in asked.get("amounts", "").split(",") if part]
        found = Replayed(
            tariff.currency,
            tariff.gross,
            int(asked["count"]),
            Decimal(asked["used"]),
            tuple((Decimal(vat), Decimal(amount)) for vat, _, amount in parts),
            int(asked["without"]),
            (datetime.fromisoformat(began), int(number)),
        )
    except (KeyError, ValueError, InvalidOperation):
        raise Http404 from None
    numbers = [found.wh, *(number for pair in found.amounts for number in pair)]
    is_whole = found.at is not None and found.at[0].tzinfo is not None
    if not is_whole or not all(number.is_finite() for number in numbers) or found.sessions < 0:
        raise Http404
    return found


def _months_ago(day: date, count: int) -> date:
    months = day.year * 12 + day.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)
