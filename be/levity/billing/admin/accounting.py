"""The pages of accounting data, and the files of a closed run for accountants."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.billing.accounting.parties import (
    CHANGE_CREDITOR,
    CHANGE_DEBTOR,
    CREDITOR,
    DEBTOR,
    creditor_of,
    debtor_of,
    set_creditor,
    set_debtor,
)
from levity.billing.accounting.run_files import COLLECT, collected, datev_of, invoices_zip
from levity.billing.models import DirectDebit, Household, Issuer, StatementRun
from levity.billing.statements.downloads import as_download
from levity.billing.statements.files import DamagedFile, NoFile
from levity.ocpp.deciding import Refused
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import refusal, shown_time, written
from levity.pages.kit.forms import LevityForm

__all__ = ["HouseholdAccounting", "IssuerAccounting", "RunAccounting"]


class _Day(UnfoldAdminTextInputWidget):
    """The browser's own picker of a day."""

    input_type = "date"


def _form(model: type[Any], names: tuple[str, ...]) -> type[forms.ModelForm]:
    made: type[forms.ModelForm] = forms.modelform_factory(
        model, LevityForm, fields=names, formfield_callback=_field
    )
    return made


def _field(column: Any, **kwargs: Any) -> Any:
    widgets = {
        "DateField": _Day,
        "EmailField": UnfoldAdminEmailInputWidget,
        "PositiveSmallIntegerField": UnfoldAdminIntegerFieldWidget,
    }
    kind = column.get_internal_type()
    kind = "EmailField" if column.name == "email" else kind
    return column.formfield(**kwargs, widget=widgets.get(kind, UnfoldAdminTextInputWidget))


class CollectForm(forms.Form):
    """When the bank is to collect."""

    day = forms.DateField(label=_("Day of collection"), widget=_Day)
    again = forms.BooleanField(
        required=False,
        label=_("Once more: the file that was made before never went to the bank"),
        widget=UnfoldBooleanWidget,
    )


class _AccountingPage(LevityAdmin):
    """With a page of what accountants need of a row."""

    def accounting_page(
        self, request: HttpRequest, row: Any, about: Any, names: tuple[str, ...], change: Any
    ) -> HttpResponse:
        """The form, or, for those who may only look, the values with a masked account."""
        user: Any = request.user
        permission, save = change
        may_change = user.has_perm(permission) and self.has_change_permission(request, row)
        if request.method == "POST" and not may_change:
            raise PermissionDenied
        form = _form(type(about), names)(request.POST or None, instance=about)
        if request.method == "POST" and form.is_valid():
            try:
                save(row, {name: form.cleaned_data[name] for name in names}, user)
                saved = gettext("The accounting data of %(row)s were saved.")
                messages.success(request, saved % {"row": row})
                return redirect(self._back(row))
            except ValidationError as error:
                form.add_error(None, error)
            except Refused as error:
                form.add_error(None, refusal(error))
        values = [
            (field.label, about.iban_masked if name == "iban" else getattr(about, name))
            for name, field in form.fields.items()
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": gettext("Accounting data of %(row)s") % {"row": row},
            "form": form,
            "may_change": may_change,
            "values": values,
            "back": self._back(row),
        }
        return TemplateResponse(request, "levity/accounting_form.html", context)

    def _back(self, row: Any) -> str:
        name = self.model._meta.model_name
        return reverse(f"levity:billing_{name}_change", args=[row.pk])

    def _row(self, request: HttpRequest, pk: int, kind: str) -> Any:
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        user: Any = request.user
        if not (self.has_view_permission(request, row) and user.has_perm(f"billing.view_{kind}")):
            raise PermissionDenied
        return row


class HouseholdAccounting(_AccountingPage):
    """Mandate, account and address of a household."""

    def accounting_urls(self) -> list[URLPattern]:
        """For `get_urls`."""
        view = self.admin_site.admin_view(self.accounting_view)
        return [path("<int:pk>/accounting/", view, name="billing_household_accounting")]

    def accounting_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form."""
        row: Household = self._row(request, pk, "debtor")
        change = (CHANGE_DEBTOR, set_debtor)
        return self.accounting_page(request, row, debtor_of(row), DEBTOR, change)


class IssuerAccounting(_AccountingPage):
    """Creditor identifier, account and address of an issuer."""

    def accounting_urls(self) -> list[URLPattern]:
        """For `get_urls`."""
        view = self.admin_site.admin_view(self.accounting_view)
        return [path("<int:pk>/accounting/", view, name="billing_issuer_accounting")]

    def accounting_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form."""
        row: Issuer = self._row(request, pk, "creditor")
        change = (CHANGE_CREDITOR, set_creditor)
        return self.accounting_page(request, row, creditor_of(row), CREDITOR, change)


class RunAccounting(LevityAdmin):
    """What accountants get of a closed run."""

    def accounting_urls(self) -> list[URLPattern]:
        """For `get_urls`."""
        view = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/accounting/collect/",
                view(require_POST(self.collect_view)),
                name="billing_statementrun_collect",
            ),
            path(
                "<int:pk>/accounting/debit-<int:number>.xml",
                view(self.debit_view),
                name="billing_statementrun_debit",
            ),
            path(
                "<int:pk>/accounting/<str:kind>",
                view(self.accounting_view),
                name="billing_statementrun_accounting",
            ),
        ]

    def accounting_of(self, request: HttpRequest, row: StatementRun) -> dict[str, Any]:
        """For the run's page."""
        user: Any = request.user
        made = DirectDebit.objects.filter(run=row).defer("content").order_by("pk")
        return {
            "debits": [(each, shown_time(each.made_at)) for each in made],
            "may_collect": user.has_perm(COLLECT),
            "collect_form": CollectForm(initial={"day": None}),
            "today": timezone.localdate(),
        }

    def accounting_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """A file: `xrechnung.zip`, `facturx.zip`, `datev.csv`."""
        row = self._run(request, pk)
        name = f"{kind.partition('.')[0]}-{row.first_day}-{row.last_day}"
        try:
            if kind in ("xrechnung.zip", "facturx.zip"):
                return as_download(invoices_zip(row, kind[:-4], request.user), name, "zip")
            if kind == "datev.csv":
                return as_download(datev_of(row, request.user), name, "datev")
        except (Refused, NoFile, DamagedFile) as error:
            messages.error(request, refusal(error))
            return redirect("levity:billing_statementrun_change", pk)
        raise Http404

    def collect_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make the file for the bank."""
        row = self._run(request, pk)
        form = CollectForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose the day on which the bank is to collect."))
            return redirect("levity:billing_statementrun_change", pk)
        try:
            given = form.cleaned_data
            made = collected(row, given["day"], request.user, again=given["again"])
        except Refused as error:
            messages.error(request, refusal(error))
        else:
            done = ngettext(
                "%(count)s direct debit of %(sum)s EUR: download the file and upload it at your "
                "bank, once.",
                "%(count)s direct debits of together %(sum)s EUR: download the file and upload it "
                "at your bank, once.",
                made.payments,
            )
            sums = {"count": made.payments, "sum": written(made.total, 2)}
            messages.success(request, done % sums)
        return redirect("levity:billing_statementrun_change", pk)

    def debit_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """The file for the bank, as it was made."""
        row = self._run(request, pk)
        user: Any = request.user
        if not user.has_perm(COLLECT):
            raise PermissionDenied
        made = get_object_or_404(DirectDebit, run=row, pk=number)
        name = f"direct-debits-{row.first_day}-{made.pk}"
        return as_download(bytes(made.content), name, "xml")

    def _run(self, request: HttpRequest, pk: int) -> StatementRun:
        row: StatementRun = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row
