"""The onboarding doctor: who was refused, why, and what to do; and the way in for a charger."""

import csv
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display

from levity.ocpp.chargers.security.reasons import REASONS, reason
from levity.ocpp.decisions.adoption import is_adoptable
from levity.ocpp.decisions.onboarding import may_close, state
from levity.ocpp.decisions.spreadsheet_cells import safe_cell
from levity.ocpp.models import ChargePoint, RefusedHandshake
from levity.pages.chargers.adopting import NAME as ADOPT
from levity.pages.chargers.adopting import adopt_view
from levity.pages.chargers.connecting import connect_to
from levity.pages.chargers.onboarding import banner
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, badge, change_link, excerpt, shown_time
from levity.pages.site import site

__all__ = ["RefusedHandshakeAdmin"]


class ReasonFilter(admin.SimpleListFilter):
    """By what was wrong."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All reasons there can be."""
        return [(word, item.title) for word, item in REASONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those refused for this reason."""
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(RefusedHandshake, site=site)
class RefusedHandshakeAdmin(ReadOnlyAdmin):
    """Each identity, address, path and reason once, the newest first."""

    list_display = ("when", "who", "what_helps", "how_often", "agent", "act")
    list_filter = (ReasonFilter,)
    search_fields = ("identity", "address")
    search_help_text = "Identity or address"
    sortable_by = ()
    ordering = ("-last_at", "-pk")
    list_before_template = "levity/doctor_help.html"
    actions = ("as_csv",)
    fields = (
        "when",
        "first",
        "who",
        "what_helps",
        "how_often",
        "agent",
        "path",
        "subprotocols",
        "line",
        "edge",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefusedHandshake]:
        """With the charge point of that identity, and when it connected last."""
        known = ChargePoint.objects.annotate(key=Lower("identity")).filter(
            key=Lower(OuterRef("identity"))
        )
        rows: QuerySet[RefusedHandshake] = super().get_queryset(request)
        return rows.annotate(
            known_as=Subquery(known.values("pk")[:1]),
            connected_at=Subquery(known.values("connected_at")[:1]),
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, under the address that chargers should have."""
        extra = dict(extra_context or {})
        extra["title"] = "Onboarding doctor"
        extra["connect_to"] = connect_to(request)
        extra["onboarding"] = banner(request)
        extra["is_closed"] = may_close(request.user) and state().closed_at is not None
        extra["is_healthy"] = not RefusedHandshake.objects.exists()
        return super().changelist_view(request, extra)

    @display(description="last time")
    def when(self, item: RefusedHandshake) -> str:
        """By the edge's clock."""
        return shown_time(item.last_at)

    @display(description="first time")
    def first(self, item: RefusedHandshake) -> str:
        """By the edge's clock."""
        return shown_time(item.first_at)

    @display(description="charger, address")
    def who(self, item: RefusedHandshake) -> str:
        """The charge point, or what the URL said; and the address."""
        known = getattr(item, "known_as", None)
        if known is not None:
            name = change_link(ChargePoint, known, item.identity)
        elif item.identity:
            name = format_html("“{}”", item.identity)
        else:
            name = NOTHING
        # The path as it came: of many chargers behind one router it tells which one it is.
        came_to = format_html("{}<br>", excerpt(item.path, 80)) if item.path else ""
        return format_html(
            '{}<br><span class="lv-soft">{}{}</span>', name, came_to, item.address or NOTHING
        )

    @display(description="reason, and what to do")
    def what_helps(self, item: RefusedHandshake) -> str:
        """The reason and the hint."""
        found = reason(item.reason)
        detail = format_html(" ({})", excerpt(item.detail, 120)) if item.detail else ""
        return format_html(
            '{}{} {}<br><span class="lv-hint">{}</span>',
            badge(found.title, "bad"),
            detail,
            _since(item),
            found.hint,
        )

    @display(description="times")
    def how_often(self, item: RefusedHandshake) -> str:
        """Since it first came."""
        return str(item.count)

    @display(description="user agent")
    def agent(self, item: RefusedHandshake) -> str:
        """What its websocket library calls itself."""
        return excerpt(item.user_agent, 40) or NOTHING

    @display(description="TLS")
    def line(self, item: RefusedHandshake) -> str:
        """Whether it came encrypted."""
        return "yes" if item.secure else "no"

    @display(description="next step")
    def act(self, item: RefusedHandshake) -> str:
        """The way in, for what can be a charger of ours."""
        if not is_adoptable(item):
            return ""
        known = getattr(item, "known_as", None)
        text = "Set this key" if known and item.key_digest else "Adopt this charger"
        if known and not item.key_digest:
            text = "Let it in"
        address = reverse(f"levity:{ADOPT}", args=[item.pk])
        return format_html('<a class="lv-button" href="{}">{}</a>', address, text)

    @action(description="Download as CSV")
    def as_csv(self, request: HttpRequest, queryset: QuerySet[RefusedHandshake]) -> HttpResponse:
        """Those that are ticked, safe to open in a spreadsheet; times in UTC."""
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        name = f"refused-handshakes-{timezone.localtime():%Y%m%d-%H%M}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        writer = csv.writer(response)
        columns = (
            *("identity", "address", "reason", "detail", "status", "count", "first_at", "last_at"),
            *("path", "user_agent", "subprotocols", "secure", "edge"),
        )
        writer.writerow([*columns, "what to do"])
        for item in queryset.order_by("-last_at"):
            values = [getattr(item, column) for column in columns]
            cells = [
                value.astimezone(UTC).isoformat("T", "seconds")
                if isinstance(value, datetime)
                else str(value)
                for value in values
            ]
            writer.writerow([safe_cell(cell) for cell in (*cells, reason(item.reason).hint)])
        return response

    def get_urls(self) -> list[URLPattern]:
        """Adopting has its page."""
        page = path(
            "<int:pk>/adopt/",
            self.admin_site.admin_view(adopt_view),
            name=ADOPT,
        )
        return [page, *super().get_urls()]


def _since(item: RefusedHandshake) -> str:
    connected_at = getattr(item, "connected_at", None)
    return badge("in since", "good") if connected_at and connected_at > item.last_at else ""
