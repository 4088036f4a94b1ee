"""Prices of sessions: what each costs and who pays, or why it waits; and the form to decide it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from levity.billing.admin.reports import ReportPages
from levity.billing.deciding import CHANGE, decide, take_back
from levity.billing.models import Household, SessionPrice, Tariff
from levity.billing.rules.treatment import BILL, DECISIONS, REASONS
from levity.billing.saying import OF_ANOTHER_SITE
from levity.billing.statements.texts import money
from levity.ocpp.deciding import Refused
from levity.ocpp.models import Transaction
from levity.ocpp.rules.flags import explained
from levity.ocpp.visibility import is_limited, visible
from levity.pages.chargers.filters import RowFilter
from levity.pages.kit.base import NamesAfterwards, ReadOnlyAdmin, all_of
from levity.pages.kit.formats import (
    NOTHING,
    badge,
    change_link,
    kwh,
    local_time,
    refusal,
    shown_time,
    site_zone,
    words,
)
from levity.pages.kit.lookups import few_words
from levity.pages.site import site
from levity.writing import language_or_english, with_signs

__all__ = ["SessionPriceAdmin", "cost_shown", "lines_shown", "said", "sum_text"]

TONES = {"priced": "ok", "waits": "warn", "common": None, "excluded": None}
MOST = 2_000
KINDS = {
    "energy": gettext_noop("energy"),
    "free-energy": gettext_noop("energy within the free quota"),
    "spot": gettext_noop("energy at the spot price"),
    "time": gettext_noop("time"),
    "idle": gettext_noop("idle fee"),
    "session": gettext_noop("per session"),
    "monthly-fee": gettext_noop("monthly fee"),
    "minimum": gettext_noop("up to the minimum"),
    "maximum": gettext_noop("down to the maximum"),
}


NEVER = datetime(9999, 1, 1, tzinfo=UTC)
PAYERS = ("household", "decided_household")
NAMES = ("transaction__charge_point__site", "household", "version__tariff", "decided_household")


class DecideForm(forms.Form):
    """What becomes of a session."""

    what = forms.ChoiceField(
        choices=[(key, _(text)) for key, text in DECISIONS.items()],
        initial=BILL,
        label=_("Decision"),
        widget=UnfoldAdminRadioSelectWidget,
    )
    household = forms.ModelChoiceField(
        Household.objects.none(),
        label=_("Household"),
        required=False,
        empty_label=_("as the rules say"),
        help_text=_("Who pays, if it is to be billed."),
        widget=UnfoldAdminSelectWidget,
    )
    why = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=200,
        help_text=_("For those who ask later; needed if nobody is to pay."),
        widget=UnfoldAdminTextInputWidget,
    )


class PriceList(NamesAfterwards):
    """With the session, the household and the tariff of each."""

    names = NAMES


@admin.register(SessionPrice, site=site)
class SessionPriceAdmin(ReportPages, ReadOnlyAdmin):
    """What each session costs, and who pays."""

    list_display = ("ended", "session", "state_shown", "household_shown", "energy", "cost", "why")
    list_filter = ("state", "reason", ("household", RowFilter))
    list_before_template = "levity/prices_before.html"
    search_fields = ("household__name", "transaction__id_tag")
    search_help_text = _("Household or id tag")
    ordering = ("-ended_at", "-pk")
    fields = (
        *("session", "state_shown", "household_shown", "rule", "version_shown", "energy", "cost"),
        *("why", "decided"),
    )
    readonly_fields = fields
    change_form_outer_before_template = "levity/price_now.html"

    def get_urls(self) -> list[URLPattern]:
        """With the form that decides."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/decide/", view(self.decide_view), name="billing_sessionprice_decide"),
            path("reports/", view(self.reports_view), name="billing_reports"),
            path("reports/csv/", view(self.report_csv_view), name="billing_report_csv"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SessionPrice]:
        """With what they name."""
        # SQLite reads the list by the index of its order only where a range is asked for.
        rows = super().get_queryset(request).filter(ended_at__lt=NEVER)
        return _with_who_is_seen(rows.select_related(*NAMES), request.user)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """One that is read in the order of its ends."""
        return PriceList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SessionPrice], search_term: str
    ) -> tuple[QuerySet[SessionPrice], bool]:
        """Each word in the name of the household or in the id tag; these are asked for first, for
        within a join each price would be read."""
        for word in few_words(search_term).split():
            known = visible(Household.objects.all(), request.user)
            homes = known.filter(name__icontains=word).values_list("pk", flat=True)
            sessions = Transaction.objects.filter(id_tag__icontains=word)
            among = all_of(sessions.order_by().values_list("pk", flat=True))
            queryset = queryset.filter(Q(household__in=all_of(homes)) | Q(pk__in=among))
        return queryset, False

    @display(description=_("tariff"))
    def version_shown(self, row: SessionPrice) -> str:
        """Which prices it has, as a link to them."""
        if row.version is None:
            return NOTHING
        return change_link(Tariff, row.version.tariff_id, str(row.version))

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and do it."""
        user: Any = request.user
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not user.has_perm(CHANGE):
            raise PermissionDenied
        back = _back(request, pk)
        form = DecideForm(request.POST or None, initial=_decided(row))
        households = visible(Household.objects.all(), user)[:MOST]
        form.fields["household"].queryset = visible(Household.objects.all(), user)  # type: ignore[attr-defined]  # a choice of rows
        if request.method == "POST" and "take_back" in request.POST:
            take_back(row, user)
            messages.success(
                request,
                gettext("The rules decide about session %(number)s again.") % {"number": pk},
            )
            return redirect(back)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                decide(row, given["what"], user, household=given["household"], why=given["why"])
                messages.success(
                    request, gettext("Decided about session %(number)s.") % {"number": pk}
                )
                return redirect(back)
            except Refused as error:
                form.add_error(None, refusal(error))
        session = row.transaction
        context = {
            **self.admin_site.each_context(request),
            "opts": SessionPrice._meta,
            "title": gettext("Session %(number)s: who pays?") % {"number": pk},
            "form": form,
            "media": form.media,
            "row": row,
            "household_count": len(households),
            "session": session,
            "session_link": change_link(
                Transaction, pk, gettext("Session %(number)s") % {"number": pk}
            ),
            "started": local_time(session.started_at, site_zone(session)),
            "ended": local_time(row.ended_at, site_zone(session)),
            "energy": kwh(session.energy),
            "flags": [
                (name, gettext(flag.meaning)) for name, flag in explained(session.flags) if flag
            ],
            "why": said(row.reason),
            "confidence": gettext(session.confidence) if session.confidence else "",
            "back": back,
            "next": request.GET.get("next", ""),
        }
        return TemplateResponse(request, "levity/price_decide.html", context)

    def beside(self, request: HttpRequest, row: SessionPrice) -> dict[str, Any]:
        """Its lines."""
        user: Any = request.user
        return {
            "lines": lines_shown(row.lines),
            "currency": row.version.document["currency"] if row.version else "",
            "may_decide": user.has_perm(CHANGE),
        }

    @display(description=_("ended"), ordering="ended_at")
    def ended(self, row: SessionPrice) -> str:
        """At the site's clock."""
        return shown_time(row.ended_at, site_zone(row.transaction))

    @display(description=_("session"))
    def session(self, row: SessionPrice) -> str:
        """The way to it."""
        name = f"#{row.pk} {row.transaction.charge_point}"
        return change_link(Transaction, row.pk, name)

    @display(description=_("state"), ordering="state")
    def state_shown(self, row: SessionPrice) -> str:
        """What is known of it."""
        return badge(gettext(row.get_state_display()), TONES.get(row.state))

    @display(description=_("household"), ordering="household__name")
    def household_shown(self, row: SessionPrice) -> str:
        """Who pays."""
        return words(_payer(row, "household")) or NOTHING

    @display(description=_("energy"), ordering="wh")
    def energy(self, row: SessionPrice) -> str:
        """In kWh."""
        return kwh(row.wh)

    @display(description=_("costs"), ordering="amount")
    def cost(self, row: SessionPrice) -> str:
        """The sum of its lines."""
        return cost_shown(row)

    @display(description=_("why"))
    def why(self, row: SessionPrice) -> str:
        """Why it waits, or nobody pays; and what to do."""
        text = " ".join(filter(None, (said(row.reason), row.detail)))
        return words(text) or NOTHING

    @display(description=_("decided"))
    def decided(self, row: SessionPrice) -> str:
        """By whom."""
        if not row.decision:
            return gettext("by the rules")
        by = row.decided_by or gettext("the command line")
        what = gettext(DECISIONS.get(row.decision, row.decision))
        payer = _payer(row, "decided_household")
        whose = f" ({payer})" if payer else ""
        text = gettext("%(what)s, by %(by)s.") % {"what": f"{what}{whose}", "by": by}
        return words(f"{text} {row.decided_note}".strip())


def _with_who_is_seen(rows: QuerySet[SessionPrice], user: Any) -> QuerySet[SessionPrice]:
    """Somebody who is limited learns of each payer whether they may read the name."""
    if not is_limited(user):
        return rows
    seen = visible(Household.objects.all(), user)
    return rows.annotate(
        **{f"sees_{name}": Exists(seen.filter(pk=OuterRef(name))) for name in PAYERS}
    )


def _payer(row: SessionPrice, name: str) -> str:
    household = getattr(row, name)
    if household is None:
        return ""
    is_seen = getattr(row, f"sees_{name}", True)
    return str(household) if is_seen else gettext(OF_ANOTHER_SITE)


def said(reason: str) -> str:
    """Why a session waits, or nobody pays for it; empty without a reason."""
    return gettext(REASONS[reason]) if reason in REASONS else reason


def cost_shown(row: SessionPrice) -> str:
    """Without or with tax, as the prices of its tariff are."""
    if row.amount is None or row.version is None:
        return NOTHING
    total = money(sum_text(row.lines), language_or_english(get_language()))
    return f"{total} {row.version.document['currency']}"


def sum_text(lines: list[Mapping[str, str]]) -> str:
    """The sum of amounts, with their decimals."""
    return str(sum((Decimal(line["amount"]) for line in lines), Decimal()))


def lines_shown(lines: list[dict[str, str]]) -> list[dict[str, str]]:
    """The lines of a price, for people."""
    return [
        {
            **line,
            "what": " ".join(filter(None, (_kind(line["kind"]), line["name"]))),
            "price": written_plainly(line["price"]),
            "amount": money(line["amount"], language_or_english(get_language())),
            "quantity": _quantity(line["quantity"], line["unit"]),
        }
        for line in lines
    ]


def _kind(kind: str) -> str:
    return gettext(KINDS[kind]) if kind in KINDS else ""


def written_plainly(value: str) -> str:
    """A price or a quantity with the decimals that it has."""
    return with_signs(f"{Decimal(value):f}", language_or_english(get_language()))


def _quantity(quantity: str, unit: str) -> str:
    """Energy to the Wh; what else there is, such as 0.5 months, to a hundredth."""
    is_energy = unit == "kWh"
    return written_plainly(
        quantity if is_energy else f"{Decimal(quantity):.2f}".rstrip("0").rstrip(".")
    )


def _decided(row: SessionPrice) -> dict[str, Any]:
    return {
        "what": row.decision or BILL,
        "household": row.decided_household_id,
        "why": row.decided_note,
    }


def _back(request: HttpRequest, pk: int) -> str:
    """To the check page from which somebody came, or to the price."""
    asked = request.GET.get("next", "")
    check = reverse("levity:billing_sessionprice_changelist")
    inside = asked.startswith("/admin/billing/") and "//" not in asked and "\\" not in asked
    return asked if inside else f"{check}{pk}/change/"
