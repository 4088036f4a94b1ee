"""A closed statement: what it says, its files, and the way to the sessions behind it."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from levity.billing.admin.prices import lines_shown, written_plainly
from levity.billing.admin.statement_mails import StatementMails, mails_of
from levity.billing.admin.statement_rows import days_shown
from levity.billing.models import Household, SessionPrice, Statement, StatementRun
from levity.billing.statements.downloads import as_download
from levity.billing.statements.files import KINDS, DamagedFile, NoFile, content_of
from levity.billing.statements.signed import values_of
from levity.billing.statements.texts import energy, moments, money
from levity.ocpp.models import Transaction
from levity.pages.chargers.filters import RowFilter
from levity.pages.chargers.signed import xml_response
from levity.pages.kit.formats import NOTHING, change_link, kwh, refusal
from levity.pages.site import site
from levity.writing import language_or_english

__all__ = ["StatementAdmin"]

SIGNED = "billing_statement_signed"


@admin.register(Statement, site=site)
class StatementAdmin(StatementMails):
    """What a household pays."""

    list_display = ("label", "household_shown", "period", "energy_shown", "to_pay")
    list_filter = (("household", RowFilter),)
    search_fields = ("label", "household__name")
    search_help_text = _("Number or household")
    ordering = ("-pk",)
    fields = (
        "label",
        "household_shown",
        "period",
        "energy_shown",
        "net_shown",
        "to_pay",
        "digests",
    )
    readonly_fields = fields
    change_form_outer_before_template = "levity/statement_now.html"

    def get_urls(self) -> list[URLPattern]:
        """With its files."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/file.<str:kind>", view(self.file_view), name="billing_statement_file"),
            path("<int:pk>/signed-values.xml", view(self.signed_view), name=SIGNED),
            *self.mail_urls(),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        """With what they name."""
        return super().get_queryset(request).select_related("household", "run__issuer")

    def signed_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The signed meter values of all its sessions, for the transparency software."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, row):
            raise Http404
        return xml_response(values_of(row), f"signed-values-of-statement-{pk}")

    def file_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """The bytes that were stored."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if kind not in KINDS or not self.has_view_permission(request, row):
            raise Http404
        try:
            return as_download(content_of(row, kind), row.label, kind)
        except (NoFile, DamagedFile) as error:
            messages.error(request, refusal(error))
            return redirect("levity:billing_statement_change", pk)

    def beside(self, request: HttpRequest, row: Statement) -> dict[str, Any]:
        """What it says."""
        document = row.document
        lines = [*document["bands"], *document["fees"]]
        return {
            "document": document,
            "mails": mails_of(row),
            "sessions": [_session_row(each, document["currency"]) for each in document["sessions"]],
            "lines": lines_shown(lines),
            "taxes": _taxes(document),
            "gross": f"{money(document['gross'], _language())} {document['currency']}",
        }

    @display(description=_("household"), ordering="household__name")
    def household_shown(self, row: Statement) -> str:
        """Who pays."""
        return change_link(Household, row.household_id, str(row.household))

    @display(description=_("period"), ordering="run__last_day")
    def period(self, row: Statement) -> str:
        """Its run."""
        return change_link(StatementRun, row.run_id, days_shown(row.run))

    @display(description=_("energy"), ordering="wh")
    def energy_shown(self, row: Statement) -> str:
        """In kWh."""
        return kwh(row.wh)

    @display(description=_("without tax"))
    def net_shown(self, row: Statement) -> str:
        """And its currency."""
        return f"{money(row.document['net'], _language())} {row.currency}"

    @display(description=_("to pay"), ordering="gross")
    def to_pay(self, row: Statement) -> str:
        """With tax."""
        return f"{money(row.document['gross'], _language())} {row.currency}"

    @display(description=_("SHA-256 of its files"))
    def digests(self, row: Statement) -> str:
        """As they were stored."""
        found = row.files.order_by("kind").values_list("kind", "sha256")
        return ", ".join(f"{kind} {digest}" for kind, digest in found) or NOTHING


def _taxes(document: dict[str, Any]) -> list[dict[str, str]]:
    """Tax by rate, in the page's language."""
    return [
        {
            "vat": written_plainly(each["vat"]),
            "net": money(each["net"], _language()),
            "tax": money(each["tax"], _language()),
        }
        for each in document["taxes"]
    ]


def _session_row(each: dict[str, Any], currency: str) -> dict[str, Any]:
    language = _language()
    amount = f"{money(each['amount'], language)} {currency}"
    ends = (each.get("meter_start"), each.get("meter_stop"))
    start, end = moments(each.get("start", ""), each.get("end", ""), language)
    return {
        **each,
        "link": change_link(Transaction, each["session"], f"#{each['session']}"),
        "start_shown": start,
        "end_shown": end,
        "kwh": kwh_text(each["wh"]),
        # How it is made up; what was taken back is made up on another statement.
        "amount": amount
        if each["sign"] < 0
        else change_link(SessionPrice, each["session"], amount),
        "marks": [gettext(mark) for mark in each.get("marks", ())],
        "registers": " \u2013 ".join("?" if end is None else energy(end, language) for end in ends),
        "taken_back": each["sign"] < 0,
    }


def kwh_text(wh: str) -> str:
    """With its unit."""
    return f"{energy(wh, _language())} kWh"


def _language() -> str:
    return language_or_english(get_language())
