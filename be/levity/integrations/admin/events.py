"""The events of the outbox, as the feed has them."""

from typing import Any

import orjson
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AllValuesCheckboxFilter
from unfold.decorators import display

from levity.integrations.feed import SEES_TAGS
from levity.integrations.models import Event
from levity.integrations.rendering import as_json, public_id, site_names
from levity.ocpp.visibility import is_limited
from levity.pages.chargers.filters import DayRangeFilter
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, excerpt, shown_time
from levity.pages.site import site

__all__ = ["EventAdmin"]


@admin.register(Event, site=site)
class EventAdmin(ReadOnlyAdmin):
    """The newest first."""

    list_display = ("happened", "type", "charger", "said")
    list_filter = (("type", AllValuesCheckboxFilter), ("at", DayRangeFilter))
    search_fields = ("identity",)
    search_help_text = "Charge point"
    sortable_by = ()
    list_before_template = "integrations/events_help.html"
    fields = ("public", "type", "happened", "charger", "tag", "whole")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those of the sites that this person sees."""
        rows: QuerySet[Any] = admin.ModelAdmin.get_queryset(self, request)
        if not is_limited(request.user):
            return rows
        user: Any = request.user
        return rows.filter(site__in=list(user.account.sites.values_list("pk", flat=True)))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The id tag, for those who may see id tags."""
        user: Any = request.user
        seeing = user.has_perm(SEES_TAGS)
        return [name for name in self.fields if seeing or name != "tag"]

    @display(description="happened")
    def happened(self, row: Event) -> str:
        """When."""
        return shown_time(row.at)

    @display(description="charge point")
    def charger(self, row: Event) -> str:
        """Which, as it was called then."""
        return row.identity or NOTHING

    @display(description="data")
    def said(self, row: Event) -> str:
        """The beginning of it."""
        return excerpt(orjson.dumps(row.data).decode(), 120)

    @display(description="id")
    def public(self, row: Event) -> str:
        """As receivers get it."""
        return public_id(row)

    @display(description="id tag")
    def tag(self, row: Event) -> str:
        """Of the driver."""
        return row.id_tag or NOTHING

    @display(description="as it is sent")
    def whole(self, row: Event) -> str:
        """Without the id tag."""
        said = as_json(row, site_names(), with_tags=False)
        return orjson.dumps(said, option=orjson.OPT_INDENT_2).decode()
