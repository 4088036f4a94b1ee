"""Websockets that opened, closed or were refused, the edges, and how connectors fared."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from levity.ocpp.models import ChargePoint, ConnectionEvent, Edge, StatusEvent
from levity.ocpp.rules.intervals import SHORTEST_SILENCE
from levity.pages.chargers.filters import DayRangeFilter, RowFilter
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import (
    NOTHING,
    ago,
    badge,
    change_link,
    excerpt,
    local_time,
    shown_time,
    site_zone,
)
from levity.pages.site import site

__all__ = ["ConnectionEventAdmin", "EdgeAdmin", "StatusEventAdmin"]

TONES = {"connected": "good", "disconnected": "plain", "refused": "bad", "silent": "warn"}


@admin.register(ConnectionEvent, site=site)
class ConnectionEventAdmin(ReadOnlyAdmin):
    """Why a charger is not there: the refused ones come with their reason."""

    list_display = ("when", "who", "what", "why", "remote_address", "agent", "edge")
    list_filter = (
        ("kind", ChoicesCheckboxFilter),
        ("charge_point", RowFilter),
        ("at", DayRangeFilter),
    )
    list_select_related = ("charge_point__site",)
    sortable_by = ()
    fields = (
        "when",
        "who",
        "what",
        "why",
        "edge",
        "remote_address",
        "user_agent",
        "subprotocol",
        "connection",
    )
    readonly_fields = fields

    def get_ordering(self, request: HttpRequest) -> Any:
        """Newest first, by the index that answers the filter."""
        if any(request.GET.get(name) for name in ("at_from", "at_to")):
            return ("-at", "-id")
        return ("-id",)

    @display(description="time")
    def when(self, item: ConnectionEvent) -> str:
        """When it happened at the edge."""
        return shown_time(item.at, site_zone(item))

    @display(description="charge point")
    def who(self, item: ConnectionEvent) -> str:
        """The charge point; for one that is not known, what its URL said."""
        if item.charge_point is None:
            return f"“{item.identity}”"
        return change_link(ChargePoint, item.charge_point_id, item.charge_point)

    @display(description="event")
    def what(self, item: ConnectionEvent) -> str:
        """Connected, disconnected or refused."""
        return badge(item.kind, TONES.get(item.kind, ""))

    @display(description="reason")
    def why(self, item: ConnectionEvent) -> str:
        """The code and the reason."""
        code = "" if item.code is None else str(item.code)
        idle = item.silent_for is not None and item.silent_for >= SHORTEST_SILENCE
        silence = f"after {item.silent_for} s of silence" if idle else ""
        said = " ".join(part for part in (code, item.reason, silence) if part)
        return excerpt(said, 200) or NOTHING

    @display(description="user agent")
    def agent(self, item: ConnectionEvent) -> str:
        """What the charger's websocket library calls itself."""
        return excerpt(item.user_agent, 40) or NOTHING


@admin.register(Edge, site=site)
class EdgeAdmin(ReadOnlyAdmin):
    """The running `ws` processes."""

    list_display = ("id", "connections", "seen", "since")
    ordering = ("id",)
    fields = ("id", "connections", "seen", "since", "reply_to")
    readonly_fields = fields

    @display(description="last seen", ordering="last_seen_at")
    def seen(self, edge: Edge) -> str:
        """When it last gave a sign of life."""
        seen = ago(edge.last_seen_at, timezone.now())
        return format_html("{} ({})", seen, local_time(edge.last_seen_at))

    @display(description="running since", ordering="started_at")
    def since(self, edge: Edge) -> str:
        """When it was started."""
        return shown_time(edge.started_at)


@admin.register(StatusEvent, site=site)
class StatusEventAdmin(ReadOnlyAdmin):
    """The history of a connector: when it failed, and for how long."""

    list_display = ("received", "where", "status_shown", "error", "info", "reported")
    list_filter = (
        ("charge_point", RowFilter),
        ("received_at", DayRangeFilter),
    )
    list_select_related = ("charge_point__site",)
    sortable_by = ()
    fields = ("received", "reported", "where", "status_shown", "error", "info")
    readonly_fields = fields

    def get_ordering(self, request: HttpRequest) -> Any:
        """Newest first, by the index that answers the filter."""
        if any(request.GET.get(name) for name in ("received_at_from", "received_at_to")):
            return ("-received_at", "-id")
        return ("-id",)

    @display(description="time")
    def received(self, item: StatusEvent) -> str:
        """By our clock."""
        return shown_time(item.received_at, site_zone(item))

    @display(description="by the charger")
    def reported(self, item: StatusEvent) -> str:
        """By the charger's clock, if it said."""
        return shown_time(item.reported_at, site_zone(item))

    @display(description="charge point · connector")
    def where(self, item: StatusEvent) -> str:
        """The charger and its connector."""
        charger = change_link(ChargePoint, item.charge_point_id, item.charge_point)
        return format_html("{} · {}", charger, item.connector)

    @display(description="status")
    def status_shown(self, item: StatusEvent) -> str:
        """What it became."""
        return badge(item.status or "unknown")

    @display(description="error")
    def error(self, item: StatusEvent) -> str:
        """The error of the standard, and the vendor's own."""
        codes = (item.error_code, item.vendor_error_code)
        said = " ".join(code for code in codes if code not in ("", "NoError"))
        return excerpt(said, 80) or NOTHING
