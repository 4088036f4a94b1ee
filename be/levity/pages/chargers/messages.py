"""The log of frames: what was said and what was answered, side by side."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from levity.ocpp.models import ChargePoint, Message, Transaction
from levity.pages.chargers.filters import (
    ActionFilter,
    DayRangeFilter,
    ErrorFilter,
    RowFilter,
    SenderFilter,
)
from levity.pages.chargers.frame_text import frame_excerpt, pretty_frame
from levity.pages.kit.base import ReadOnlyAdmin, all_of, newest
from levity.pages.kit.formats import NOTHING, badge, change_link, excerpt, shown_time, site_zone
from levity.pages.site import site

__all__ = ["MessageAdmin"]

# No index knows the text of a frame, so a search reads frames one by one: these many.
SEARCHED = 20_000
# Enough of a frame for a list; whole ones may have 128 KiB each.
SHOWN = 400


@admin.register(Message, site=site)
class MessageAdmin(ReadOnlyAdmin):
    """One row is one exchange. A search never reads more than the newest frames."""

    list_display = (
        "received",
        "charger",
        "said_about",
        "asked",
        "answered",
        "error",
    )
    list_filter = (
        ActionFilter,
        ErrorFilter,
        SenderFilter,
        ("charge_point", RowFilter),
        ("received_at", DayRangeFilter),
    )
    list_select_related = ("charge_point__site",)
    sortable_by = ()
    search_fields = ("unique_id",)
    search_help_text = "Charge point or text of a frame"
    list_before_template = "levity/messages_help.html"
    fields = (
        "received",
        "answered_at_shown",
        "latency",
        "charger",
        "said",
        "unique_id",
        "transaction_link",
        "error",
        "request_shown",
        "response_shown",
        "connection",
        "seq",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Lists carry the beginning of each frame only."""
        rows = super().get_queryset(request).select_related("charge_point__site")
        match = request.resolver_match
        if match is None or not str(match.url_name).endswith("_changelist"):
            return rows
        return rows.defer("request", "response").annotate(
            request_start=Substr("request", 1, SHOWN), response_start=Substr("response", 1, SHOWN)
        )

    def get_ordering(self, request: HttpRequest) -> Any:
        """Newest first, by the index that answers the filter."""
        if any(request.GET.get(name) for name in ("received_at_from", "received_at_to")):
            return ("-received_at", "-id")
        return ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """All frames of a charge point, if that is its name; else those that hold this text."""
        term = search_term.strip()
        if not term:
            return queryset, False
        chargers = ChargePoint.objects.filter(Q(identity__iexact=term) | Q(name__iexact=term))
        found = all_of(chargers.values_list("pk", flat=True))
        if not isinstance(found, list) or found:
            return queryset.filter(charge_point__in=found), False
        rows = Message.objects.all()
        charger = request.GET.get("charge_point__id__exact", "")
        if charger.isascii() and charger.isdigit():
            rows = rows.filter(charge_point=int(charger))
        recent = newest(rows, SEARCHED)
        wanted = Q(unique_id=term) | Q(request__icontains=term) | Q(response__icontains=term)
        if term.isascii() and term.isdigit() and len(term) <= 10:
            wanted = Q(unique_id=term) | Q(transaction=int(term)) | Q(request__icontains=term)
        return queryset.filter(pk__in=recent.filter(wanted).values("pk")), False

    @display(description="time")
    def received(self, item: Message) -> str:
        """When the request passed the edge."""
        return shown_time(item.received_at, site_zone(item))

    @display(description="answered")
    def answered_at_shown(self, item: Message) -> str:
        """When the answer was known."""
        return shown_time(item.answered_at, site_zone(item))

    @display(description="charge point")
    def charger(self, item: Message) -> str:
        """Who it is about."""
        return change_link(ChargePoint, item.charge_point_id, item.charge_point)

    @display(description="action")
    def said(self, item: Message) -> str:
        """The action, and who began."""
        arrow = "→" if item.sender == Message.Sender.CHARGE_POINT else "←"
        who = item.get_sender_display()
        return format_html(
            '<span title="{} spoke first">{}</span> {}', who, arrow, item.action or "(no Call)"
        )

    @display(description="action")
    def said_about(self, item: Message) -> str:
        """The action, and the transaction under it."""
        if item.transaction is None:
            return self.said(item)
        return format_html("{}<br>{}", self.said(item), self.transaction_link(item))

    @display(description="request")
    def asked(self, item: Any) -> str:
        """The beginning of the frame."""
        return format_html('<code class="lv-frame">{}</code>', frame_excerpt(item.request_start))

    @display(description="response")
    def answered(self, item: Any) -> str:
        """The beginning of the frame that answered it."""
        if not item.response_start:
            return NOTHING
        return format_html(
            '<code class="lv-frame">{}</code><br><span class="lv-soft">after {}</span>',
            frame_excerpt(item.response_start),
            self.latency(item),
        )

    @display(description="transaction")
    def transaction_link(self, item: Message) -> str:
        """The transaction it is about, as far as known."""
        if item.transaction is None:
            return NOTHING
        return change_link(Transaction, item.transaction, f"#{item.transaction}")

    @display(description="answered after")
    def latency(self, item: Message) -> str:
        """From the request to its answer."""
        if item.answered_at is None:
            return NOTHING
        return f"{(item.answered_at - item.received_at).total_seconds() * 1000:.0f} ms"

    @display(description="error")
    def error(self, item: Message) -> str:
        """The error code, and the reason."""
        reason = excerpt(item.error_description, 120)
        if not item.error_code:
            return reason or NOTHING
        return format_html("{} {}", badge(item.error_code, "bad"), reason)

    @display(description="request")
    def request_shown(self, item: Message) -> str:
        """The whole frame."""
        return pretty_frame(item.request)

    @display(description="response")
    def response_shown(self, item: Message) -> str:
        """The whole frame."""
        return pretty_frame(item.response)
