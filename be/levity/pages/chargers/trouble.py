"""What did not fit what is recorded, and what may be an attack."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from levity.ocpp.decisions.quarantine import note_resolution
from levity.ocpp.models import (
    ChargePoint,
    QuarantinedMessage,
    SecurityEvent,
    Transaction,
)
from levity.pages.chargers.filters import OpenFilter, RowFilter
from levity.pages.chargers.frame_text import pretty_frame
from levity.pages.chargers.quarantine import QuarantineDecisions
from levity.pages.kit.base import LevityAdmin, ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, badge, change_link, excerpt, shown_time, site_zone
from levity.pages.site import site

__all__ = ["QuarantinedMessageAdmin", "SecurityEventAdmin"]


def _charger(item: Any) -> str:
    if item.charge_point is None:
        return NOTHING
    return change_link(ChargePoint, item.charge_point_id, item.charge_point)


@admin.register(QuarantinedMessage, site=site)
class QuarantinedMessageAdmin(QuarantineDecisions, LevityAdmin):
    """A person decides, and writes down what was decided."""

    by_decisions = True
    list_display = ("received", "charger", "action", "why", "given", "repeated", "state")
    list_filter = (OpenFilter, ("charge_point", RowFilter))
    list_select_related = ("charge_point__site",)
    sortable_by = ()
    fields = (
        "received",
        "charger",
        "action",
        "unique_id",
        "why",
        "payload_shown",
        "given",
        "repeated",
        "came_last",
        "state",
        "resolution",
    )
    readonly_fields = tuple(name for name in fields if name != "resolution")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: messages come from chargers."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: it is dealt with, not removed."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuarantinedMessage]:
        """With the charge point, also on the page of one."""
        return super().get_queryset(request).select_related("charge_point__site")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A resolution closes it; to take the text away opens it again."""
        if "resolution" in form.changed_data:
            note_resolution(obj, obj.resolution, request.user)

    @display(description="received")
    def received(self, item: QuarantinedMessage) -> str:
        """When it came first."""
        return shown_time(item.received_at, site_zone(item))

    @display(description="came last")
    def came_last(self, item: QuarantinedMessage) -> str:
        """When the same came again."""
        return shown_time(item.last_received_at, site_zone(item)) if item.repeated else NOTHING

    @display(description="charge point")
    def charger(self, item: QuarantinedMessage) -> str:
        """Who sent it."""
        return _charger(item)

    @display(description="reason")
    def why(self, item: QuarantinedMessage) -> str:
        """Why it could not be recorded."""
        return item.reason

    @display(description="transaction")
    def given(self, item: QuarantinedMessage) -> str:
        """The transactionId that was given in the answer."""
        if item.transaction is None:
            return NOTHING
        return change_link(Transaction, item.transaction, f"#{item.transaction}")

    @display(description="state")
    def state(self, item: QuarantinedMessage) -> str:
        """Open, or since when not."""
        if item.resolved_at is None:
            return badge("open", "warn")
        return format_html(
            "{} {}: {}",
            badge("resolved", "good"),
            shown_time(item.resolved_at, site_zone(item)),
            excerpt(item.resolution, 80),
        )

    @display(description="payload")
    def payload_shown(self, item: QuarantinedMessage) -> str:
        """What the charger sent."""
        return pretty_frame(item.payload)


@admin.register(SecurityEvent, site=site)
class SecurityEventAdmin(ReadOnlyAdmin):
    """Something that may be an attack."""

    list_display = ("happened", "charger", "kind", "detail_shown", "received")
    list_filter = (("charge_point", RowFilter),)
    list_select_related = ("charge_point__site",)
    sortable_by = ()
    fields = ("happened", "received", "charger", "kind", "detail")
    readonly_fields = fields

    @display(description="time")
    def happened(self, item: SecurityEvent) -> str:
        """By the charger's clock, or ours."""
        return shown_time(item.at, site_zone(item))

    @display(description="received")
    def received(self, item: SecurityEvent) -> str:
        """By our clock."""
        return shown_time(item.received_at, site_zone(item))

    @display(description="charge point")
    def charger(self, item: SecurityEvent) -> str:
        """Who said it, or whom it concerns."""
        return _charger(item)

    @display(description="type")
    def kind(self, item: SecurityEvent) -> str:
        """What it is (OCPP 1.6 security whitepaper, 6)."""
        return item.type or NOTHING

    @display(description="detail")
    def detail_shown(self, item: SecurityEvent) -> str:
        """More about it."""
        return excerpt(item.detail, 120) or NOTHING
