"""The page of alerts: what went wrong, since when, and who was notified."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action, display

from levity.mailing import has_server
from levity.monitoring.alerts.acknowledging import (
    CHANGE,
    acknowledge,
    withdraw_acknowledgement,
)
from levity.monitoring.alerts.recipients import routes
from levity.monitoring.alerts.webhook import shown_host
from levity.monitoring.kinds import KINDS, Severity
from levity.monitoring.models import Alert, AlertDelivery
from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import is_limited
from levity.pages.chargers.csv_export import CHUNK, cell, local_cell, streamed_csv, utc_cell
from levity.pages.chargers.filters import DayRangeFilter, OpenFilter, RowFilter
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import (
    NOTHING,
    and_more,
    badge,
    change_link,
    duration,
    excerpt,
    shown_time,
    site_zone,
)
from levity.pages.kit.many import ask_if_many
from levity.pages.kit.words import NO_SERVER
from levity.pages.site import site

__all__ = ["AlertAdmin"]

TONES = {Severity.WARNING: "warn", Severity.CRITICAL: "bad"}
State = AlertDelivery.State
# How many notices the page of an alert lists.
TOLD = 200
DELIVERY_TONES = {State.SENT: "good", State.FAILED: "bad", State.QUEUED: "busy"}


class NotOverFilter(OpenFilter):
    """Open alerts."""

    options = (("yes", _("open")), ("no", _("over")))
    closed_field = "ended_at"


class AcknowledgedFilter(OpenFilter):
    """Acknowledged alerts."""

    title = _("acknowledged")
    parameter_name = "acknowledged"
    options = (("no", _("no")), ("yes", _("yes")))
    closed_field = "acknowledged_at"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        if chosen is None:
            return queryset
        return queryset.filter(acknowledged_at__isnull=chosen == "no")


@admin.register(Alert, site=site)
class AlertAdmin(ReadOnlyAdmin):
    """The newest first, each with what to do."""

    list_display = ("raised", "how_bad", "what", "where", "state", "acknowledged")
    list_filter = (
        NotOverFilter,
        AcknowledgedFilter,
        ("severity", ChoicesCheckboxFilter),
        ("kind", ChoicesCheckboxFilter),
        ("site", RowFilter),
        ("charge_point", RowFilter),
        ("raised_at", DayRangeFilter),
    )
    list_select_related = ("charge_point__site", "site")
    actions = ("acknowledge", "take_back", "export_selected")
    list_before_template = "monitoring/alerts_help.html"
    search_fields = ("summary",)
    search_help_text = "Text in the summary"
    sortable_by = ()
    fields = (
        "summary",
        "how_bad",
        "what_to_do",
        "detail_shown",
        "where",
        "state",
        "acknowledged",
        "raised",
        "told",
    )
    readonly_fields = fields
    change_form_outer_after_template = "monitoring/alert_now.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        """With everything that the page of one alert names."""
        return super().get_queryset(request).select_related("charge_point__site", "site")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Addresses are shown to users who may see the rules, not to those of one site."""
        if request.user.has_perm("operation.view_alertrule") and not is_limited(request.user):
            return self.fields
        return [name for name in self.fields if name != "told"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with a warning if nobody would be notified."""
        return super().changelist_view(
            request,
            {
                **(extra_context or {}),
                "advice": "" if is_limited(request.user) else _advice(),
                "is_empty": not self.get_queryset(request).exists(),
            },
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
        """The charger and its site, if the alert is about one."""
        parts = []
        if alert.charge_point is not None:
            parts.append((change_link(ChargePoint, alert.charge_point_id, alert.charge_point),))
        # The charger's current site: users who see it there need not know its previous one.
        site = alert.site if alert.charge_point is None else alert.charge_point.site
        if site is not None:
            parts.append((str(site),))
        return format_html_join(", ", "{}", parts) or NOTHING

    @display(description="state")
    def state(self, alert: Alert) -> str:
        """Open, or how long it was open."""
        kind = KINDS.get(alert.kind)
        if alert.ended_at is None:
            return badge("open", TONES.get(Severity(alert.severity), ""))
        if kind is not None and kind.recovers_after is None:
            return badge("happened", "plain")
        lasted = duration(alert.ended_at - alert.raised_at)
        return format_html("{} after {}", badge("over", "good"), lasted)

    @display(description="acknowledged")
    def acknowledged(self, alert: Alert) -> str:
        """Who acknowledged it, and when."""
        if alert.acknowledged_at is None:
            return NOTHING
        return format_html(
            "{} {}", alert.acknowledged_by or "somebody", shown_time(alert.acknowledged_at)
        )

    @display(description="told")
    def told(self, alert: Alert) -> str:
        """Each notice and its result. Of a webhook only the host is shown: the rest may contain a
        token."""
        lines = [
            (
                item.get_notice_display(),
                item.get_channel_display(),
                _address(item),
                badge(item.get_state_display(), DELIVERY_TONES.get(State(item.state), "plain")),
                shown_time(item.sent_at) if item.sent_at else item.error,
            )
            for item in alert.deliveries.order_by("pk")[:TOLD]
        ]
        shown = format_html_join("", "<div>{}: {} to {} {} {}</div>", lines) or "nobody"
        more = and_more(alert.deliveries.count() - TOLD) if len(lines) == TOLD else ""
        return format_html("{}{}", shown, more)

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        """Operators and admins."""
        return bool(request.user.has_perm(CHANGE))

    @action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> Any:
        """Acknowledge these; earlier acknowledgements stay."""
        if asked := ask_if_many(request, self, queryset, "acknowledge", "Acknowledge"):
            return asked
        self._acknowledge(request, queryset, is_taken=True)
        return None

    @action(description="Withdraw acknowledgement", permissions=["acknowledge"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Alert]) -> Any:
        """Withdraw the acknowledgement of these."""
        title = "Withdraw acknowledgement"
        if asked := ask_if_many(request, self, queryset, "take_back", title):
            return asked
        self._acknowledge(request, queryset, is_taken=False)
        return None

    def _acknowledge(
        self, request: HttpRequest, queryset: QuerySet[Alert], *, is_taken: bool
    ) -> None:
        rows = self.get_queryset(request).filter(pk__in=queryset.values("pk"))
        decide = acknowledge if is_taken else withdraw_acknowledgement
        count = decide(rows, request.user).count
        done = "acknowledged" if is_taken else "acknowledgement withdrawn"
        if count:
            messages.success(request, f"{count:,} alert{'s'[: count != 1]}: {done}.")
        else:
            messages.info(request, "Nothing to change.")

    def get_urls(self) -> list[URLPattern]:
        """With the list as CSV, and the button of one alert."""
        view = self.admin_site.admin_view
        return [
            path("export/", view(self.export_view), name="operation_alert_export"),
            path(
                "<int:alert_id>/acknowledge/",
                view(require_POST(self.acknowledge_view)),
                name="operation_alert_acknowledge",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The alert, with the button for users who may press it."""
        extra = {
            **(extra_context or {}),
            "may_acknowledge": self.has_acknowledge_permission(request),
        }
        return super().change_view(request, object_id, form_url, extra)

    def acknowledge_view(self, request: HttpRequest, alert_id: int) -> HttpResponse:
        """The button of one alert: acknowledge it, or withdraw that."""
        if not self.has_acknowledge_permission(request):
            raise PermissionDenied
        alert = get_object_or_404(self.get_queryset(request), pk=alert_id)
        chosen = Alert.objects.filter(pk=alert.pk)
        self._acknowledge(request, chosen, is_taken="take_back" not in request.POST)
        return redirect("levity:operation_alert_change", alert.pk)

    @action(description="Export as CSV", permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> Any:
        """The selected alerts, or all that match the filters."""
        return streamed_csv(_rows_of(queryset), "alerts")

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """All that match the filters in the address, or all."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect("levity:operation_alert_changelist")
        return streamed_csv(_rows_of(found), "alerts")


def _rows_of(alerts: QuerySet[Alert]) -> Iterator[list[str]]:
    """The header, then a row for each alert."""
    yield [
        *("alert", "kind", "severity", "charge point", "site", "summary", "detail"),
        *("raised (UTC)", "raised (local)", "last seen (UTC)", "ended (UTC)"),
        *("acknowledged (UTC)", "acknowledged by"),
    ]
    for item in alerts.select_related("charge_point__site", "site").iterator(chunk_size=CHUNK):
        yield [
            str(item.pk),
            cell(item.get_kind_display()),
            cell(item.severity),
            cell(item.charge_point.identity if item.charge_point else ""),
            cell(item.site.name if item.site else ""),
            cell(item.summary),
            cell(item.detail),
            utc_cell(item.raised_at),
            local_cell(item.raised_at, site_zone(item)),
            utc_cell(item.last_at),
            utc_cell(item.ended_at),
            utc_cell(item.acknowledged_at),
            cell(item.acknowledged_by),
        ]


def _address(item: AlertDelivery) -> str:
    if item.channel == AlertDelivery.Channel.EMAIL:
        return item.target
    return shown_host(item.target)


def _advice() -> str:
    """What keeps alerts from being sent; empty if nothing does."""
    try:
        ways = routes()
    except ValueError as error:
        return str(error)
    if not any(True for way in ways for _ in way.targets()):
        return (
            "No one is notified of alerts yet: they are only shown here. Add an alert rule, or set "
            "LEVITY_ALERT_EMAIL and EMAIL_URL."
        )
    if lost := [way.name for way in ways if way.is_secret_lost]:
        return (
            "SECRET_KEY has changed, so the webhook's secret can no longer be decrypted: enter "
            f"it again in the alert rule “{lost[0]}”. Nothing is sent unsigned."
        )
    if any(way.emails for way in ways) and not has_server():
        return f"{NO_SERVER[:1].upper()}{NO_SERVER[1:]}: alerts can't be sent by e-mail."
    return ""
