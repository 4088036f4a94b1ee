"""Statements: look at what is to be checked, at what would be closed, close it, and the files."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.billing.admin.accounting import RunAccounting
from levity.billing.admin.prices import said
from levity.billing.admin.run_sums import RunList, sums_of
from levity.billing.admin.statement_mails import RunMails
from levity.billing.admin.statement_rows import (
    balance_rows,
    days_shown,
    draft_row,
    house_row,
    money_shown,
    waiting_row,
)
from levity.billing.models import Issuer, Statement, StatementRun
from levity.billing.statements.balancing import as_json, balance_of
from levity.billing.statements.checking import SHOWN, how_many_wait, waiting
from levity.billing.statements.closing import CLOSE, close, prepare
from levity.billing.statements.downloads import as_download
from levity.billing.statements.drafting import Draft, fingerprint
from levity.billing.statements.fees import without_site
from levity.billing.statements.files import DamagedFile, NoFile, make_missing, missing, zip_of
from levity.billing.statements.fonts import unprintable
from levity.billing.statements.numbers import confirm, label, must_confirm, number_of
from levity.billing.statements.periods import RunPeriod, next_period
from levity.ocpp.deciding import Refused
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import change_link, kwh, refusal, shown_time, words
from levity.pages.site import site

__all__ = ["StatementRunAdmin"]

MOST, AT_ONCE = 1_000, 40


class _Day(UnfoldAdminTextInputWidget):
    """The browser's own picker of a day."""

    input_type = "date"


class PeriodForm(forms.Form):
    """For which days, and whose sessions."""

    issuer = forms.ModelChoiceField(
        Issuer.objects.none(), empty_label=None, widget=UnfoldAdminSelectWidget
    )
    first = forms.DateField(label=_("first day"), widget=_Day)
    last = forms.DateField(label=_("last day"), widget=_Day)


class _Reading(forms.DecimalField):
    """Of a meter, kWh; 2700,5 is 2700.5."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            min_value=0,
            max_digits=14,
            decimal_places=3,
            error_messages={"invalid": _("Write it in digits, like 2700.5.")},
            widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
            **kwargs,
        )

    def to_python(self, value: Any) -> Any:
        """With a decimal comma or point; both may be thousands, and are refused."""
        text = str(value or "")
        is_comma = text.count(",") == 1 and "." not in text
        return super().to_python(text.replace(",", ".") if is_comma else value)


class CloseForm(PeriodForm):
    """And that it is meant."""

    house_from = _Reading(
        label=_("House meter at the beginning (kWh)"),
        help_text=_("If a meter of the house counts all chargers: the difference is shown."),
    )
    house_to = _Reading(label=_("House meter at the end (kWh)"))
    expected = forms.CharField(widget=forms.HiddenInput, max_length=64)
    sure = forms.BooleanField(
        error_messages={"required": _("Tick this box if you mean it.")},
        label=_("Close these statements: they get their numbers and are never changed again"),
        widget=UnfoldBooleanWidget,
    )


@admin.register(StatementRun, site=site)
class StatementRunAdmin(RunMails, RunAccounting):
    """Closed periods, and the way to close the next."""

    list_display = ("period", "issuer_shown", "statements_count", "total", "closed")
    list_before_template = "levity/runs_before.html"
    ordering = ("-last_day", "-pk")
    fields = ("period", "issuer_shown", "total", "closed", "closed_by")
    readonly_fields = fields
    change_form_outer_before_template = "levity/run_now.html"

    def get_urls(self) -> list[URLPattern]:
        """With the page that closes a period."""
        view = self.admin_site.admin_view
        return [
            path("check/", view(self.check_view), name="billing_statementrun_check"),
            path(
                "numbers/",
                view(require_POST(self.numbers_view)),
                name="billing_statementrun_numbers",
            ),
            path("<int:pk>/files.zip", view(self.zip_view), name="billing_statementrun_zip"),
            *self.mail_urls(),
            *self.accounting_urls(),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StatementRun]:
        """With how many statements each has."""
        rows = super().get_queryset(request).select_related("issuer__site")
        return rows.annotate(statements_count_=Count("statements"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """With their sums."""
        return RunList

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """What is to be looked at, what would be closed; POST closes it."""
        user: Any = request.user
        if not (self.has_view_permission(request) and user.has_perm("billing.view_sessionprice")):
            raise PermissionDenied
        issuers = visible(Issuer.objects.select_related("site"), user)
        form = self._form(request, issuers)
        context = {
            **self.admin_site.each_context(request),
            "opts": StatementRun._meta,
            "title": _("Statements: check, preview, close"),
            "form": form,
            "issuers": issuers.count(),
            "may_close": user.has_perm(CLOSE),
        }
        if form.is_valid():
            given = form.cleaned_data
            try:
                if request.method == "POST" and "sure" in given:
                    run = _close(given, user)
                    messages.success(
                        request,
                        gettext("Closed: the statements for %(run)s.") % {"run": days_shown(run)},
                    )
                    _make_first_files(request, run)
                    return redirect("levity:billing_statementrun_change", run.pk)
                looked_at = prepare(given["issuer"], given["first"], given["last"])
                context |= _looked_at(*looked_at, user, request.POST)
            except Refused as error:
                context["problem"] = refusal(error)
        return TemplateResponse(request, "levity/run_check.html", context)

    def numbers_view(self, request: HttpRequest) -> HttpResponse:
        """Which number was posted last, after a restore."""
        user: Any = request.user
        form = PeriodForm(request.POST)
        form.fields["issuer"].queryset = visible(Issuer.objects.all(), user)  # type: ignore[attr-defined]  # a choice of rows
        here = reverse("levity:billing_statementrun_check")
        if not form.is_valid():
            messages.error(request, _("Choose issuer and period again."))
            return redirect(here)
        issuer = form.cleaned_data["issuer"]
        try:
            confirm(issuer, number_of(issuer, request.POST.get("number", "")), user)
            messages.success(request, _("Confirmed. Now the statements can be closed."))
        except Refused as error:
            messages.error(request, refusal(error))
        asked = {
            "issuer": issuer.pk,
            **{name: form.cleaned_data[name].isoformat() for name in ("first", "last")},
        }
        return redirect(f"{here}?{urlencode(asked)}")

    def beside(self, request: HttpRequest, row: StatementRun) -> dict[str, Any]:
        """Its statements."""
        statements = row.statements.select_related("household").order_by("pk")[:MOST]
        return {
            "accounting": self.accounting_of(request, row),
            "statements": [_statement_row(each) for each in statements.defer("document")],
            "statements_more": max(0, row.statements.count() - MOST),
            "balance": balance_rows(row.balance),
            "house": house_row(row.balance, row.house_from, row.house_to),
        }

    def zip_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All files of a run."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        try:
            return as_download(zip_of(row), f"statements-{row.first_day}-{row.last_day}", "zip")
        except (NoFile, DamagedFile) as error:
            messages.error(request, refusal(error))
            return redirect("levity:billing_statementrun_change", pk)

    def _form(self, request: HttpRequest, issuers: QuerySet[Issuer]) -> forms.Form:
        issuer = issuers.first()
        closed = self.get_queryset(request).filter(issuer=issuer).aggregate(until=Max("last_day"))
        first, last = next_period(timezone.localdate(), closed["until"])
        usual = {"issuer": issuer, "first": first, "last": last}
        if request.method == "POST":
            form: forms.Form = CloseForm(request.POST)
            form.fields["issuer"].queryset = issuers  # type: ignore[attr-defined]  # a choice of rows
            if not form.is_valid():
                for name, errors in form.errors.items():
                    label = form.fields[name].label or name
                    messages.error(request, f"{label}: {' '.join(map(str, errors))}")
                # The preview once more.
                form = PeriodForm(request.POST)
        elif "issuer" in request.GET:
            form = PeriodForm(request.GET)
        else:
            form = PeriodForm(initial=usual)
        form.fields["issuer"].queryset = issuers  # type: ignore[attr-defined]  # a choice of rows
        return form

    @display(description=_("period"), ordering="last_day")
    def period(self, row: StatementRun) -> str:
        """Its days."""
        return words(days_shown(row))

    @display(description=_("issuer"), ordering="issuer__name")
    def issuer_shown(self, row: StatementRun) -> str:
        """Who bills."""
        return words(str(row.issuer))

    @display(description=_("statements"))
    def statements_count(self, row: Any) -> int:
        """How many."""
        return int(row.statements_count_)

    @display(description=_("sum with tax"))
    def total(self, row: Any) -> str:
        """Of all statements; by currency there would be one sum each."""
        found = row.sums if hasattr(row, "sums") else sums_of([row])[row.pk]
        return ", ".join(money_shown(total, currency) for currency, total in found)

    @display(description=_("closed"), ordering="closed_at")
    def closed(self, row: StatementRun) -> str:
        """When."""
        return shown_time(row.closed_at)


def _looked_at(
    period: RunPeriod, drafts: list[Draft], user: Any, given: Mapping[str, Any]
) -> dict[str, Any]:
    """What the page shows; `given`: what was in the form that was not accepted."""
    asked = {
        "issuer": period.issuer.pk,
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
    }
    here = f"{reverse('levity:billing_statementrun_check')}?{urlencode(asked)}"
    readings = {name: given.get(name, "") for name in ("house_from", "house_to")}
    rows = waiting(period, user)
    by_reason = how_many_wait(rows)
    return {
        "period": period,
        "is_running": period.until > timezone.now(),
        "not_over": period.until > timezone.now(),
        "waits": [waiting_row(each, here) for each in rows[:SHOWN]],
        "reasons": [(count, said(reason)) for reason, count in by_reason.items()],
        "waits_count": sum(by_reason.values()),
        "waits_more": max(0, sum(by_reason.values()) - SHOWN),
        "drafts": [draft_row(each) for each in drafts[:MOST]],
        "drafts_more": max(0, len(drafts) - MOST),
        "drafts_count": len(drafts),
        "totals": _totals(drafts),
        "balance": balance_rows(as_json(balance_of(period))),
        "close_form": CloseForm(initial=asked | readings),
        "fingerprint": fingerprint(drafts),
        "asked": asked,
        "without_site": without_site(period),
        "ask_numbers": _ask_numbers(period.issuer),
        "unprintable": [
            str(each.household)
            for each in drafts
            if unprintable(each.household.name, each.household.flat, each.household.parking)
        ],
    }


def _ask_numbers(issuer: Issuer) -> dict[str, str] | None:
    restored = must_confirm(issuer)
    if restored is None:
        return None
    last = label(issuer, issuer.next_number - 1) if issuer.next_number > 1 else ""
    return {"restored": shown_time(restored), "last": last}


def _totals(drafts: list[Draft]) -> list[str]:
    by_currency: dict[str, Decimal] = {}
    for draft in drafts:
        known = by_currency.get(draft.currency, Decimal())
        by_currency[draft.currency] = known + draft.sums.gross
    return [money_shown(total, currency) for currency, total in by_currency.items()]


def _close(given: dict[str, Any], user: Any) -> StatementRun:
    first: date = given["first"]
    return close(
        given["issuer"],
        first,
        given["last"],
        user,
        expected=given["expected"],
        house=(given["house_from"], given["house_to"]),
    )


def _make_first_files(request: HttpRequest, run: StatementRun) -> None:
    """Those of a small house at once; the others follow in the background."""
    try:
        make_missing(missing(run).order_by("pk")[:AT_ONCE])
    except NoFile as error:
        messages.warning(request, refusal(error))


def _statement_row(row: Statement) -> dict[str, Any]:
    return {
        "number": change_link(Statement, row.pk, row.label),
        "household": str(row.household),
        "kwh": kwh(row.wh),
        "gross": money_shown(row.gross, row.currency),
        "pk": row.pk,
    }
