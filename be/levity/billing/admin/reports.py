"""The page "Reports": sums of a span of days as a plot, as a table and as CSV."""

from datetime import date, timedelta, tzinfo
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_noop

from levity.billing.reports.making import NAMES, make_report, may_see, title_of
from levity.billing.reports.said import (
    cell_said,
    drawn_said,
    figure_said,
    head_said,
    note_said,
)
from levity.billing.reports.span import BadSpan, Span, span_of
from levity.billing.reports.table import csv_of
from levity.days import month_before
from levity.ocpp.models import Transaction
from levity.pages.chargers.csv_export import streamed_csv
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import list_url, refusal, said
from levity.pages.overview.energy import zone_of_sites

__all__ = ["ReportPages"]

MOST_ROWS = 500
"""On the page; the file has them all."""
DAY = timedelta(days=1)


class ReportPages(LevityAdmin):
    """For an admin to have among its addresses."""

    def reports_view(self, request: HttpRequest) -> HttpResponse:
        """The report and the days of the address, or this month by charge point."""
        seen = _seen(request)
        zone = zone_of_sites(request.user)
        today = timezone.localtime(timezone.now(), zone).date()
        error = ""
        try:
            span = _span(request, zone, today)
            report = make_report(_name(request, seen), span, request.user)
        except BadSpan as wrong:
            error = refusal(wrong)
            span = span_of(None, None, zone, today)
            report = make_report(_name(request, seen), span, request.user)
        days = span.first, span.last
        head = tuple(map(head_said, report.head))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Reports"),
            "error": error,
            "report": report,
            "title_shown": said(report.title),
            "note": note_said(report),
            "head": head,
            "rows": [_cells(head, row, report.names) for row in report.rows[:MOST_ROWS]],
            "more": max(0, len(report.rows) - MOST_ROWS),
            "total": _cells(head, report.total, report.names),
            "names": report.names,
            "drawn": drawn_said(report),
            "span": span,
            "zone": getattr(zone, "key", str(zone)),
            "choices": [(name, said(title_of(name))) for name in seen],
            "spans": [
                (said(title), _address(report.name, *other)) for title, other in _spans(today, span)
            ],
            "csv": f"{reverse('levity:billing_report_csv')}{_address(report.name, *days)}",
            "sessions": list_url(
                Transaction, started_at_from=str(span.first), started_at_to=str(span.last)
            ),
        }
        return TemplateResponse(request, "levity/reports.html", context)

    def report_csv_view(self, request: HttpRequest) -> HttpResponseBase:
        """The same as a file; days that make no sense lead back to the page, which says why."""
        seen = _seen(request)
        zone = zone_of_sites(request.user)
        today = timezone.localtime(timezone.now(), zone).date()
        try:
            span = _span(request, zone, today)
            report = make_report(_name(request, seen), span, request.user)
        except BadSpan:
            return redirect(f"{reverse('levity:billing_reports')}?{request.GET.urlencode()}")
        return streamed_csv(csv_of(report), f"{report.name}-{span.first}-to-{span.last}")


def _seen(request: HttpRequest) -> list[str]:
    """Of which this person may see what they are made of; 403 without the first of them."""
    user: Any = request.user
    seen = [name for name in NAMES if may_see(name, user)]
    if not (seen and user.has_perm("ocpp.view_transaction")):
        raise PermissionDenied
    return seen


def _name(request: HttpRequest, seen: list[str]) -> str:
    asked = request.GET.get("report", "")
    return asked if asked in seen else seen[0]


def _span(request: HttpRequest, zone: tzinfo, today: date) -> Span:
    return span_of(request.GET.get("first"), request.GET.get("last"), zone, today)


def _spans(today: date, span: Span) -> list[tuple[str, tuple[date, date]]]:
    """What is asked for most; and the same number of days before those that are shown."""
    month = today.replace(day=1)
    length = span.last - span.first + DAY
    whole = span.first.day == 1 and (span.last + DAY).day == 1 and length < timedelta(days=32)
    before = month_before(span.first) if whole else (span.first - length, span.first - DAY)
    year = date(today.year, 1, 1)
    return [
        (gettext_noop("Earlier"), before),
        (gettext_noop("This month"), (month, today)),
        (gettext_noop("Last month"), month_before(today)),
        (gettext_noop("This year"), (year, today)),
        (gettext_noop("Last year"), (date(today.year - 1, 1, 1), year - DAY)),
    ]


def _query(name: str, first: date, last: date) -> str:
    return urlencode({"report": name, "first": first.isoformat(), "last": last.isoformat()})


def _address(name: str, first: date, last: date) -> str:
    return f"?{_query(name, first, last)}"


def _cells(head: tuple[str, ...], row: tuple[str, ...], names: int) -> list[tuple[str, str]]:
    """(what the column is called, what stands in it), for a table that folds up on a phone."""
    if not row:
        return []
    shown = (*map(cell_said, row[:names]), *map(figure_said, row[names:]))
    return list(zip(head, shown, strict=True))
