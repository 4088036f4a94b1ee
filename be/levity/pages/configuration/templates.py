"""Templates: how chargers are to be configured, and for which of them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import configuration_templates as decisions
from levity.ocpp.decisions.configuration import values_of
from levity.ocpp.models import (
    ChargePoint,
    ConfigurationTemplate,
    Site,
    TemplateAssignment,
)
from levity.ocpp.versions import V16
from levity.ocpp.visibility import visible
from levity.pages.configuration.rows import PAGE
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import shown_time
from levity.pages.site import site

__all__ = ["ConfigurationTemplateAdmin"]

NAME = "ocpp_configurationtemplate"
LONGEST = 20_000


class TemplateForm(forms.ModelForm):
    """The values as lines, which can be pasted from a manual or from another charger."""

    lines = forms.CharField(
        label="Keys and values",
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false"}),
        help_text="One key a line, such as HeartbeatInterval = 300.",
    )

    class Meta:
        model = ConfigurationTemplate
        fields = ("name", "lines", "vendor", "model", "firmware", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial.setdefault("lines", lines_of(self.instance.values))

    def clean_lines(self) -> dict[str, str]:
        """Key to value; what is wrong with one names its line."""
        values: dict[str, str] = {}
        for number, line in enumerate(self.cleaned_data["lines"].splitlines(), 1):
            if not line.strip():
                continue
            key, sign, value = line.partition("=")
            if not sign:
                raise forms.ValidationError(f"Line {number} has no “=”: {line.strip()[:60]}")
            if key.strip() in values:
                raise forms.ValidationError(f"Line {number}: {key.strip()[:60]} is there twice.")
            values[key.strip()] = value.strip()
        if wrong := decisions.wrong_with_values(values):
            raise forms.ValidationError(f"{wrong[:1].upper()}{wrong[1:]}.")
        return values


def lines_of(values: Any) -> str:
    """Values as the form shows them."""
    return "\n".join(f"{key} = {value}" for key, value in sorted(dict(values).items()))


@admin.register(ConfigurationTemplate, site=site)
class ConfigurationTemplateAdmin(LevityAdmin):
    """A template changes nothing until it is assigned on its page."""

    by_decisions = True
    form = TemplateForm
    list_display = ("name", "keys", "for_whom", "fits", "changed")
    search_fields = ("name", "vendor", "model")
    search_help_text = "Name, vendor or model"
    ordering = ("name",)
    sortable_by = ("name",)
    fields = ("name", "lines", "vendor", "model", "firmware", "notes")
    change_form_outer_after_template = "levity/configuration_template_now.html"
    empty_template = "levity/empty_templates.html"
    list_before_template = "levity/templates_help.html"
    actions = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConfigurationTemplate]:
        """With how often it is assigned."""
        return super().get_queryset(request).annotate(assigned=Count("assignments"))

    def get_urls(self) -> list[URLPattern]:
        """Assigning has its addresses."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/assign/", view(self.assign_view), name=f"{NAME}_assign"),
            path("assignment/<int:pk>/", view(self.unassign_view), name=f"{NAME}_unassign"),
            *super().get_urls(),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Of a charger (`from`), or what is recommended for all."""
        found = request.GET.get("from", "")
        if not found.isascii() or not found.isdigit() or len(found) > 18:
            return {"lines": lines_of(V16.configuration.recommended)}
        rows = visible(ChargePoint.objects.all(), request.user)
        row = get_object_or_404(rows, pk=int(found))
        values = {
            key: value
            for key, value in values_of(row, spelled=True).items()
            if value is not None and not decisions.wrong_with_values({key: value})
        }
        return {"name": f"As {row}"[:100], "lines": lines_of(values)}

    def beside(self, request: HttpRequest, row: ConfigurationTemplate) -> dict[str, Any]:
        """For which chargers it is."""
        assigned = row.assignments.select_related("charge_point", "site", "assigned_by")
        return {
            "assignments": [
                {
                    "whom": decisions.said_of(each),
                    "at": shown_time(each.assigned_at),
                    "by": str(each.assigned_by or ""),
                    "remove": reverse(f"levity:{NAME}_unassign", args=[each.pk]),
                }
                for each in assigned
            ],
            "sites": visible(Site.objects.all(), request.user),
            "assign": reverse(f"levity:{NAME}_assign", args=[row.pk]),
            "drift": reverse(f"levity:{PAGE}_drift"),
            "may_assign": self.has_change_permission(request, row),
        }

    def assign_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """To a charge point (its identity), a site (its key), or all."""
        template = get_object_or_404(ConfigurationTemplate, pk=pk)
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        target: dict[str, Any] = {}
        said = request.POST.get("site", "")
        if identity := request.POST.get("charge_point", "").strip():
            rows = visible(ChargePoint.objects.filter(identity__iexact=identity[:48]), request.user)
            target["charge_point"] = rows.first()
        elif said.isascii() and said.isdigit() and len(said) <= 18:
            sites = visible(Site.objects.filter(pk=int(said)), request.user)
            target["site"] = sites.first()
        back = request.POST.get("back", "")
        if None in target.values():
            messages.error(request, "There is no such charge point or site.")
        elif not target and not request.POST.get("everywhere"):
            messages.error(request, "Tick the box to assign it to all chargers that it fits.")
        else:
            try:
                is_new = decisions.assign(template, request.user, **target)
            except Refused as error:
                messages.error(request, error.sentence)
            else:
                said = "Chargers follow within some minutes." if is_new else "It was so already."
                messages.success(request, said)
        if back.isascii() and back.isdigit() and len(back) <= 18:
            return redirect(f"levity:{PAGE}", int(back))
        return redirect(f"levity:{NAME}_change", pk)

    def unassign_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """No longer."""
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        row = get_object_or_404(
            TemplateAssignment.objects.select_related("template", "charge_point", "site"), pk=pk
        )
        try:
            decisions.unassign(row, request.user)
        except Refused as error:
            messages.error(request, error.sentence)
        else:
            messages.success(request, "No longer assigned. Chargers keep the values they have.")
        return redirect(f"levity:{NAME}_change", row.template_id)

    @display(description="keys")
    def keys(self, template: ConfigurationTemplate) -> str:
        """Some of them."""
        names = sorted(template.values)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more

    @display(description="assigned")
    def for_whom(self, template: Any) -> str:
        """How often; without, it changes nothing."""
        return f"{template.assigned} times" if template.assigned else "not yet"

    @display(description="fits")
    def fits(self, template: ConfigurationTemplate) -> str:
        """Which makes."""
        said = " ".join(filter(None, (template.vendor, template.model, template.firmware)))
        return said or "all makes"

    @display(description="changed", ordering="changed_at")
    def changed(self, template: ConfigurationTemplate) -> str:
        """When it was changed last."""
        return shown_time(template.changed_at)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the decision, which checks it and leaves its entry."""
        decisions.save_template(obj, request.user, form.cleaned_data["lines"])

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Chargers keep what they have."""
        decisions.delete_template(obj, request.user)
