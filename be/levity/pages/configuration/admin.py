"""Configuration keys and their changes of all chargers, as lists; and where the pages are."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesRadioFilter
from unfold.decorators import display

from levity.ocpp.models import ChargePoint, ConfigurationChange, ConfigurationKey
from levity.ocpp.versions import version_of
from levity.pages.chargers.filters import RowFilter
from levity.pages.chargers.list_as_csv import ListAsCsv
from levity.pages.configuration.charger import charger_urls
from levity.pages.configuration.compare import compare_urls
from levity.pages.configuration.drift import drift_urls
from levity.pages.configuration.many import many_urls
from levity.pages.configuration.rows import PAGE, shown_value
from levity.pages.configuration.templates import ConfigurationTemplateAdmin
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, change_link, excerpt, link, shown_time, site_zone
from levity.pages.site import site

__all__ = ["ConfigurationChangeAdmin", "ConfigurationKeyAdmin", "ConfigurationTemplateAdmin"]


@admin.register(ConfigurationKey, site=site)
class ConfigurationKeyAdmin(ListAsCsv, ReadOnlyAdmin):
    """Which charger has which value: search for a key or a value over all chargers."""

    list_display = ("key", "value_now", "where", "access", "read", "changed")
    list_display_links = None
    list_filter = (
        ("charge_point", RowFilter),
        ("charge_point__site", RowFilter),
        ("readonly", ChoicesRadioFilter),
    )
    search_fields = ("name", "value")
    search_help_text = "Key or value"
    list_select_related = ("charge_point__site",)
    ordering = ("name", "charge_point")
    sortable_by = ("key", "where")
    fields = ("key", "value_now", "where", "access", "read", "changed", "note")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConfigurationKey]:
        """With the charge point and its site, also on the page of one."""
        return super().get_queryset(request).select_related("charge_point__site")

    def get_urls(self) -> list[URLPattern]:
        """The pages stand beside the list."""
        return [*charger_urls(), *drift_urls(), *compare_urls(), *many_urls(), *super().get_urls()]

    @display(description="value")
    def value_now(self, row: ConfigurationKey) -> str:
        """In effect, with its unit."""
        if row.is_unknown:
            return "unknown to the charger"
        info = version_of(row.charge_point.subprotocol).configuration.about(row.key)
        value = row.value_now(row.charge_point.booted_at)
        shown = excerpt(shown_value(value, info.unit if info else ""), 100)
        waits = row.is_pending(row.charge_point.booted_at)
        if not waits:
            return shown
        return f"{shown} (after a reboot: {excerpt(row.pending_value or '', 100)})"

    @display(description="charge point", ordering="charge_point")
    def where(self, row: ConfigurationKey) -> str:
        """The page with all of its keys."""
        page = reverse(f"levity:{PAGE}", args=[row.charge_point_id])
        return link(page, str(row.charge_point))

    @display(description="access")
    def access(self, row: ConfigurationKey) -> str:
        """Whether it can be changed, as the charger says."""
        return {True: "read-only", False: "can be changed", None: NOTHING}[row.readonly]

    @display(description="read")
    def read(self, row: ConfigurationKey) -> str:
        """When its value was read last."""
        return shown_time(row.read_at, site_zone(row))

    @display(description="changed")
    def changed(self, row: ConfigurationKey) -> str:
        """When it was changed last, by whom."""
        if row.changed_at is None:
            return NOTHING
        at, who = (
            shown_time(row.changed_at, site_zone(row)),
            row.changed_by_name or "at the charger",
        )
        return format_html('{}<br><span class="lv-soft">{}</span>', at, who)


@admin.register(ConfigurationChange, site=site)
class ConfigurationChangeAdmin(ListAsCsv, ReadOnlyAdmin):
    """Who changed which key, from what to what; and what readings have found."""

    list_display = ("when", "where", "key", "old", "new", "how", "by")
    list_display_links = None
    list_filter = (
        ("charge_point", RowFilter),
        ("charge_point__site", RowFilter),
    )
    search_fields = ("key", "who_name")
    search_help_text = "Key or user name"
    list_select_related = ("charge_point__site",)
    ordering = ("-id",)
    sortable_by = ()
    fields = list_display
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConfigurationChange]:
        """With the charge point and its site, also on the page of one."""
        return super().get_queryset(request).select_related("charge_point__site")

    @display(description="time")
    def when(self, row: ConfigurationChange) -> str:
        """When the charger answered."""
        return shown_time(row.at, site_zone(row))

    @display(description="charge point")
    def where(self, row: ConfigurationChange) -> str:
        """The charger."""
        return change_link(ChargePoint, row.charge_point_id, row.charge_point)

    @display(description="from")
    def old(self, row: ConfigurationChange) -> Any:
        """What it was."""
        return "unknown" if row.old_value is None else excerpt(shown_value(row.old_value), 200)

    @display(description="to")
    def new(self, row: ConfigurationChange) -> Any:
        """What it is."""
        return "no value" if row.new_value is None else excerpt(shown_value(row.new_value), 200)

    @display(description="by")
    def by(self, row: ConfigurationChange) -> str:
        """Who changed it."""
        return row.who_name or "at the charger"
