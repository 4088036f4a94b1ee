"""Public keys of meters: entered by people, for the signatures of meter values."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from unfold.decorators import display
from unfold.forms import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from levity.ocpp.decisions import meter_keys as decisions
from levity.ocpp.models import MeterKey
from levity.pages.chargers.filters import RowFilter
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import NOTHING, excerpt, shown_time, site_zone, words
from levity.pages.site import site

__all__ = ["MeterKeyAdmin"]


class MeterKeyForm(forms.ModelForm):
    """Refuses what is no public key."""

    class Meta:
        model = MeterKey
        fields = ("charge_point", "connector", "key", "since", "until", "note")
        widgets = {"key": UnfoldAdminTextareaWidget(attrs={"rows": 4})}

    def clean(self) -> dict[str, Any]:
        """Says so beside the field."""
        found: dict[str, Any] = super().clean() or {}
        if key := found.get("key"):
            try:
                decisions.check_key(key)
            except ValidationError as error:
                self.add_error("key", error)
        return found


@admin.register(MeterKey, site=site)
class MeterKeyAdmin(LevityAdmin):
    """Which key is whose, and for how long."""

    by_decisions = True
    form = MeterKeyForm
    list_display = ("charger", "connector_shown", "key_shown", "good", "note")
    list_filter = (("charge_point", RowFilter),)
    list_select_related = ("charge_point__site",)
    search_fields = ("charge_point__identity", "charge_point__name", "note")
    search_help_text = "Charge point or note"
    ordering = ("charge_point__identity", "connector", "pk")
    fields = ("charge_point", "connector", "key", "since", "until", "note")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The charge point whose keys somebody looked at when they chose to add one."""
        known = super().get_changeform_initial_data(request)
        filters = QueryDict(str(request.GET.get("_changelist_filters", "")))
        chosen = filters.get("charge_point__id__exact", "")
        is_one = chosen.isascii() and chosen.isdigit() and len(chosen) <= 18
        return {"charge_point": int(chosen), **known} if is_one else known

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """As the API does it."""
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            decisions.change_key(obj, changed, request.user)
        else:
            decisions.add_key(obj, request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One, from its page."""
        decisions.delete_key(obj, request.user)

    @display(description="charge point")
    def charger(self, item: MeterKey) -> str:
        """Where the meter is."""
        return words(str(item.charge_point))

    @display(description="connector")
    def connector_shown(self, item: MeterKey) -> str:
        """Of the charge point."""
        return str(item.connector) if item.connector else "all"

    @display(description="public key")
    def key_shown(self, item: MeterKey) -> str:
        """Its end, by which people tell keys apart."""
        dense = "".join(item.key.split())
        return f"…{dense[-16:]}" if len(dense) > 16 else excerpt(dense, 20)

    @display(description="good")
    def good(self, item: MeterKey) -> str:
        """From when until when."""
        zone = site_zone(item)
        since, until = (shown_time(at, zone) if at else "" for at in (item.since, item.until))
        if since and until:
            return f"{since} to {until}"
        return f"from {since}" if since else f"until {until}" if until else NOTHING
