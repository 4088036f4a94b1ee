"""What went wrong, since when, and who was told."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from levity.ocpp.admin.base import ReadOnlyAdmin
from levity.ocpp.admin.filters import DayRangeFilter, OpenFilter, RowFilter
from levity.ocpp.admin.formats import NOTHING, badge, change_link, duration, excerpt, shown_time
from levity.ocpp.models import ChargePoint
from levity.operation.kinds import KINDS, Severity
from levity.operation.models import Alert, AlertDelivery
from levity.operation.routes import routes

__all__ = ["AlertAdmin"]

TONES = {Severity.WARNING: "warn", Severity.CRITICAL: "bad"}
State = AlertDelivery.State
DELIVERY_TONES = {State.SENT: "good", State.FAILED: "bad", State.QUEUED: "busy"}


class NotOverFilter(OpenFilter):
    """Alerts that are still so."""

    options = (("yes", "open"), ("no", "over"))
    closed_field = "ended_at"


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """The newest first; each with what to do."""

    list_display = ("raised", "how_bad", "what", "where", "state")
    list_filter = (
        NotOverFilter,
        ("kind", ChoicesCheckboxFilter),
        ("charge_point", RowFilter),
        ("raised_at", DayRangeFilter),
    )
    list_select_related = ("charge_point", "site")
    list_before_template = "operation/admin/alerts_help.html"
    search_fields = ("summary",)
    search_help_text = "Words of the summary"
    sortable_by = ()
    fields = (
        "summary",
        "how_bad",
        "what_to_do",
        "detail_shown",
        "where",
        "state",
        "raised",
        "told",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        """With what the page of one names."""
        return super().get_queryset(request).select_related("charge_point", "site")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, which says so where nobody would be told."""
        return super().changelist_view(
            request,
            {**(extra_context or {}), "advice": _advice(), "is_empty": not Alert.objects.exists()},
        )

    @display(description="raised")
    def raised(self, alert: Alert) -> str:
        """When it was found, or happened."""
        return shown_time(alert.raised_at)

    @display(description="severity")
    def how_bad(self, alert: Alert) -> str:
        """Warning or critical."""
        return badge(alert.severity, TONES.get(Severity(alert.severity), ""))

    @display(description="alert")
    def what(self, alert: Alert) -> str:
        """What is wrong."""
        return format_html("<strong>{}</strong><br>{}", alert.get_kind_display(), alert.summary)

    @display(description="what to do")
    def what_to_do(self, alert: Alert) -> str:
        """The first thing to try."""
        kind = KINDS.get(alert.kind)
        return kind.what_to_do if kind else NOTHING

    @display(description="detail")
    def detail_shown(self, alert: Alert) -> str:
        """More about it; a charger may have written it."""
        return excerpt(alert.detail, 1000) or NOTHING

    @display(description="where")
    def where(self, alert: Alert) -> str:
        """The charger and its site, if it is about one."""
        parts = []
        if alert.charge_point is not None:
            parts.append((change_link(ChargePoint, alert.charge_point_id, alert.charge_point),))
        if alert.site is not None:
            parts.append((str(alert.site),))
        return format_html_join(", ", "{}", parts) or NOTHING

    @display(description="state")
    def state(self, alert: Alert) -> str:
        """Open, or for how long it was so."""
        kind = KINDS.get(alert.kind)
        if alert.ended_at is None:
            return badge("open", TONES.get(Severity(alert.severity), ""))
        if kind is not None and kind.recovers_after is None:
            return badge("happened", "plain")
        lasted = duration(alert.ended_at - alert.raised_at)
        return format_html("{} after {}", badge("over", "good"), lasted)

    @display(description="told")
    def told(self, alert: Alert) -> str:
        """Each notice and what became of it. Of a webhook only its host: a token may be in it."""
        lines = [
            (
                item.get_notice_display(),
                item.get_channel_display(),
                _address(item),
                badge(item.get_state_display(), DELIVERY_TONES.get(State(item.state), "plain")),
                shown_time(item.sent_at) if item.sent_at else item.error,
            )
            for item in alert.deliveries.order_by("pk")[:200]
        ]
        return format_html_join("", "<div>{}: {} to {} {} {}</div>", lines) or "nobody"


def _address(item: AlertDelivery) -> str:
    if item.channel == AlertDelivery.Channel.EMAIL:
        return item.target
    return item.target.partition("//")[2].partition("/")[0]


def _advice() -> str:
    """What keeps alerts from reaching anybody; empty if nothing does."""
    try:
        ways = routes()
    except ValueError as error:
        return str(error)
    if not any(True for way in ways for _ in way.targets()):
        return (
            "Nobody is told of alerts yet: they only stand here. Add an alert rule, or set "
            "LEVITY_ALERT_EMAIL and EMAIL_URL."
        )
    if any(way.emails for way in ways) and not settings.EMAIL_HOST:
        return "EMAIL_URL is not set: alerts can't be sent by e-mail."
    return ""
