"""Households, what each charges with, and how much each used."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from levity.billing import households as decisions
from levity.billing.admin.accounting import HouseholdAccounting
from levity.billing.admin.energy import EnergyPages
from levity.billing.admin.held import days_shown, thing_shown
from levity.billing.admin.households_csv import HouseholdFiles
from levity.billing.admin.resident import ResidentPage
from levity.billing.assigned import seen_assignments, with_assignments
from levity.billing.models import Assignment, Household
from levity.ocpp.visibility import is_limited
from levity.pages.chargers.filters import RowFilter
from levity.pages.kit.formats import NOTHING, and_more, words
from levity.pages.site import site

__all__ = ["HouseholdAdmin"]

SHOWN = 3


class AssignmentInline(TabularInline):
    """What it charges with."""

    model = Assignment
    fields = ("id_tag", "charge_point", "connector", "first_day", "last_day")
    autocomplete_fields = ("charge_point",)
    extra = 1
    verbose_name = _("card or charge point")
    verbose_name_plural = _(
        "What it charges with: a card, a charge point or a connector on each line"
    )

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Named for those who hear the page: in a table only its heads are labels."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs.setdefault("aria-label", field.label)
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        """With the name of each charge point."""
        rows = super().get_queryset(request).select_related("charge_point")
        return seen_assignments(rows, request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the household."""
        return bool(request.user.has_perm("billing.change_household"))

    has_add_permission = has_delete_permission = has_change_permission

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the household."""
        return bool(request.user.has_perm("billing.view_household"))


@admin.register(Household, site=site)
class HouseholdAdmin(ResidentPage, EnergyPages, HouseholdFiles, HouseholdAccounting):
    """Who pays."""

    by_decisions = True
    list_display = ("name", "flat", "parking", "charges_with", "email")
    list_filter = (("site", RowFilter),)
    list_before_template = "levity/households_before.html"
    search_fields = ("name", "flat", "parking", "email", "members", "assignments__id_tag")
    search_help_text = _("Name, flat, parking space, e-mail, member or id tag")
    ordering = ("name", "flat", "pk")
    autocomplete_fields = ("site",)
    inlines = (AssignmentInline,)
    change_form_template = "levity/household.html"
    fields = ("name", "flat", "parking", "site", "email", "language", "members", "notes")

    def get_urls(self) -> list[URLPattern]:
        """The sums of a period, and the list as a file."""
        view = self.admin_site.admin_view
        return [
            path("energy/", view(self.energy_view), name="billing_household_energy"),
            path("energy/export/", view(self.energy_csv), name="billing_household_energy_csv"),
            *self.file_urls(),
            *self.resident_urls(),
            *self.accounting_urls(),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Household]:
        """With what each charges with."""
        rows = super().get_queryset(request)
        return with_assignments(rows.select_related("site"), request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not for users of some sites only: a card may be good at others as well."""
        return super().has_change_permission(request, obj) and not is_limited(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As above."""
        return super().has_delete_permission(request, obj) and not is_limited(request.user)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """As the API does it."""
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            decisions.change_household(obj, changed, request.user)
        else:
            decisions.add_household(obj, request.user)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """What it charges with: first what is taken away, so that it is free for what comes."""
        added = formset.save(commit=False)
        for row in formset.deleted_objects:
            decisions.unassign(row, request.user)
        for row, fields in formset.changed_objects:
            added.remove(row)
            if set(fields) <= {"first_day", "last_day"}:
                values = {name: getattr(row, name) for name in fields}
                decisions.change_assignment(row, values, request.user)
                continue
            # Another card in the line of the one before.
            decisions.unassign(Assignment.objects.get(pk=row.pk), request.user)
            row.pk = None
            added.append(row)
        for row in added:
            decisions.assign(row, request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One, from its page."""
        decisions.delete_household(obj, request.user)

    @display(description=_("charges with"))
    def charges_with(self, item: Household) -> str:
        """Its cards and places."""
        found = list(item.assignments.all())
        lines = [(words(f"{thing_shown(each)}, {days_shown(each)}"),) for each in found[:SHOWN]]
        if not lines:
            return NOTHING
        more = and_more(len(found) - SHOWN)
        return format_html_join("", "<div>{}</div>", [*lines, *([(more,)] if more else [])])
