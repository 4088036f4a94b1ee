"""Charge points: what they are doing now, and the buttons to talk to them."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesRadioFilter
from unfold.decorators import display

from levity.ocpp.decisions import charge_points as decisions
from levity.ocpp.models import (
    ChargePoint,
    Connector,
    SecurityProfile,
)
from levity.ocpp.visibility import is_limited
from levity.pages.calls.limit import limit_urls, limits_now
from levity.pages.calls.menu import menu_now
from levity.pages.calls.tags import NAME as TAGS
from levity.pages.calls.tags import tags_view
from levity.pages.chargers.accepting import NAME as ACCEPT_WAITING
from levity.pages.chargers.accepting import accept_waiting_view, waiting
from levity.pages.chargers.bulk import BulkCommands
from levity.pages.chargers.charge_point_actions import ChargePointActions
from levity.pages.chargers.charge_point_forms import ChargePointForm
from levity.pages.chargers.charge_point_now import (
    connector_lines,
    power_of,
    silence,
    whats_on,
)
from levity.pages.chargers.charge_points_csv import ChargePointFiles
from levity.pages.chargers.charger_tabs import DETAILS, asked_for, tabs_of
from levity.pages.chargers.command_state import next_look
from levity.pages.chargers.connecting import connect_to
from levity.pages.chargers.conversations import (
    NAME,
    conversation_view,
    fitting_quirks,
)
from levity.pages.chargers.filters import (
    ConnectorStatusFilter,
    FaultFilter,
    InUseFilter,
    OnlineFilter,
    RowFilter,
)
from levity.pages.chargers.lines import said_of_line
from levity.pages.chargers.onboarding import NAME as ONBOARDING
from levity.pages.chargers.onboarding import banner, onboarding_view
from levity.pages.chargers.replacing import Replacing
from levity.pages.chargers.retiring import Retiring, retired_badge
from levity.pages.chargers.security import security_urls
from levity.pages.chargers.send_command import send_view
from levity.pages.chargers.setting_many import SettingMany
from levity.pages.kit.formats import (
    NOTHING,
    ago,
    badge,
    excerpt,
    said,
    shown_time,
    site_zone,
    watts,
    words,
)
from levity.pages.kit.live import EVERY
from levity.pages.site import site

__all__ = ["ChargePointAdmin"]

SAID_BY_CHARGER = (
    "vendor",
    "model",
    "serial_number",
    "charge_box_serial_number",
    "firmware_version",
    "firmware_status",
    "diagnostics_status",
    "meter_type",
    "meter_serial_number",
    "iccid",
    "imsi",
)
CONNECTORS = Prefetch(
    "connectors",
    Connector.objects.select_related("transaction").order_by("evse", "number"),
)


@admin.register(ChargePoint, site=site)
class ChargePointAdmin(
    SettingMany, Replacing, Retiring, BulkCommands, ChargePointActions, ChargePointFiles
):
    """The list is the site at a glance; it renews itself every ten seconds."""

    by_decisions = True
    form = ChargePointForm
    actions = (
        *SettingMany.actions,
        *ChargePointActions.actions,
        *BulkCommands.actions,
        *Retiring.actions,
    )
    list_display = ("who", "state", "connectors_now", "power_now", "last_seen", "make")
    list_filter = (
        OnlineFilter,
        ConnectorStatusFilter,
        FaultFilter,
        ("registration", ChoicesRadioFilter),
        ("site", RowFilter),
        InUseFilter,
    )
    autocomplete_fields = ("site",)
    list_before_template = "levity/charge_points_help.html"
    search_fields = ("identity", "name", "serial_number", "charge_box_serial_number")
    search_help_text = _("Identity, name or serial number")
    ordering = (Lower("identity"),)
    list_per_page = 100
    readonly_fields = (*SAID_BY_CHARGER, "created", "quirks", "line", "security")
    change_form_template = "levity/charge_point.html"
    live_parts = {
        "lv-facts": "levity/charge_point_facts.html",
        "lv-now": "levity/charge_point_live.html",
        "lv-limit": "levity/calls/limit_live.html",
        "lv-menu": "levity/calls/menu_live.html",
    }
    empty_template = "levity/empty_charge_points.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "identity",
                    "name",
                    "site",
                    "registration",
                    "authorization",
                    "security",
                    "notes",
                )
            },
        ),
        (
            "How Levity treats it",
            {
                "fields": (
                    "quirks",
                    "quirk_profile",
                    "quirk_overrides",
                    "time_zone",
                    "max_power",
                    "line",
                    "heartbeat_interval",
                    "ping_interval",
                    "call_timeout",
                    "certificate_name",
                )
            },
        ),
        ("Reported by the charger", {"fields": (*SAID_BY_CHARGER, "created")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChargePoint]:
        """Charge points with their connectors and what charges there: three queries in all."""
        return super().get_queryset(request).select_related("site").prefetch_related(CONNECTORS)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The identity is the charger's address: it is chosen once."""
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, "identity") if obj else fixed

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new charge point has said nothing yet."""
        sets = super().get_fieldsets(request, obj)
        return sets if obj else sets[:2]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; while it is empty, the address that a charger needs."""
        # Asked for by the template, if at all.
        extra = {**(extra_context or {}), "connect_to": partial(connect_to, request)}
        extra["onboarding"] = banner(request)
        extra["waiting"] = partial(waiting, request)
        extra["may_import"] = self.has_change_permission(request)
        return super().changelist_view(request, extra)

    @display(description=_("charge point"), ordering=Lower("identity"))
    def who(self, charge_point: ChargePoint) -> str:
        """The name, and the identity under it."""
        retired = retired_badge(charge_point)
        if not charge_point.name:
            return format_html("{} {}", words(charge_point.identity), retired)
        return format_html(
            '{} {}<br><span class="lv-soft">{}</span>',
            charge_point.name,
            retired,
            words(charge_point.identity),
        )

    @display(description=_("connection"))
    def state(self, charge_point: ChargePoint) -> str:
        """The dot, and since when."""
        online = charge_point.online
        since = charge_point.connected_at if online else charge_point.disconnected_at
        word = gettext("online") if online else gettext("offline")
        refused = charge_point.registration
        note = "" if refused == ChargePoint.Registration.ACCEPTED else badge(said(refused), "warn")
        return format_html(
            '<span class="lv-dot lv-{}"></span>{} {}<br><span class="lv-soft">{}</span>',
            ("warn" if charge_point.silent else "good") if online else "plain",
            word,
            note,
            silence(charge_point)
            or (
                format_html("{} {}", gettext("since"), shown_time(since, site_zone(charge_point)))
                if since
                else gettext("never connected")
            ),
        )

    @display(description=_("connectors"))
    def connectors_now(self, charge_point: ChargePoint) -> str:
        """Each connector with its status, its error and what charges there."""
        lines = format_html_join("", "<div>{}</div>", connector_lines(charge_point))
        return lines or NOTHING

    @display(description=_("power"))
    def power_now(self, charge_point: ChargePoint) -> str:
        """What all its connectors draw together, as last reported; unknown while offline."""
        return watts(power_of(charge_point))

    @display(description=_("last seen"), ordering="last_seen_at")
    def last_seen(self, charge_point: ChargePoint) -> str:
        """How long ago the last frame came, and when that was."""
        if charge_point.last_seen_at is None:
            return gettext("never")
        return format_html(
            '{}<br><span class="lv-soft">{}</span>',
            ago(charge_point.last_seen_at, timezone.now()),
            shown_time(charge_point.last_seen_at, site_zone(charge_point)),
        )

    @display(description=_("vendor, model, firmware"), ordering="vendor")
    def make(self, charge_point: ChargePoint) -> str:
        """What kind of charger it is."""
        kind = f"{charge_point.vendor} {charge_point.model}".strip()
        return format_html(
            '{}<br><span class="lv-soft">{}</span>',
            words(excerpt(kind, 60)) or NOTHING,
            words(excerpt(charge_point.firmware_version, 40)),
        )

    @display(description="quirks")
    def quirks(self, charge_point: ChargePoint) -> str:
        """Which profile fits, why, and what it changes."""
        return fitting_quirks(charge_point)

    @display(description="activity")
    def line(self, charge_point: ChargePoint) -> str:
        """How often it is to give one, who says so, and what was learned about its line."""
        return said_of_line(charge_point)

    @display(description="security profile")
    def security(self, charge_point: ChargePoint) -> str:
        """How it proves who it is; the page “Security” changes it."""
        if charge_point._state.adding:  # noqa: SLF001  # documented by Django
            return "the site's or the default setting"
        chosen = SecurityProfile(charge_point.security_profile)
        return badge(chosen.label, "warn" if chosen == SecurityProfile.OPEN else "good")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Who sees some sites only would not see a charge point without a site any more."""
        if db_field.name == "site" and is_limited(request.user):
            kwargs["required"] = True
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new one begins with the security profile of its site."""
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            decisions.change(obj, changed, request.user)
            return
        decisions.add(obj, request.user)
        if decisions.needs_key(obj):
            messages.info(request, "It needs a key to connect: generate one under “Security”.")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One at which nothing was ever charged."""
        decisions.delete_charge_point(obj, request.user)

    @display(description="first seen")
    def created(self, charge_point: ChargePoint) -> str:
        """When it appeared here."""
        return shown_time(charge_point.created_at, site_zone(charge_point))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page with what goes on there now, and what can be done about it; or its form."""
        charge_point = self.get_object(request, object_id)
        extra, tab = dict(extra_context or {}), asked_for(request)
        if charge_point is not None and self.has_view_permission(request, charge_point):
            extra |= tabs_of(request, charge_point, tab) | {"charger_tab": tab}
            if tab != DETAILS:
                extra |= whats_on(request, charge_point) | limits_now(request, charge_point)
                extra |= menu_now(request, charge_point)
        return super().change_view(request, object_id, form_url, extra)

    def parts_of(self, request: HttpRequest) -> dict[str, str]:
        """The form has none."""
        return {} if asked_for(request) == DETAILS else self.live_parts

    def page_every(self, request: HttpRequest, row: Any) -> float:
        """Often while a command is under way: somebody waits for the answer."""
        newest = row.commands.only("state", "created_at", "sent_at").order_by("-id").first()
        return (next_look(newest) if newest else 0) or EVERY

    def get_urls(self) -> list[URLPattern]:
        """The pages for commands stand beside the usual ones."""
        send = path(
            "<int:charge_point_id>/send/<slug:kind>/",
            self.admin_site.admin_view(send_view),
            name="ocpp_chargepoint_send",
        )
        tags = path("tags/", self.admin_site.admin_view(tags_view), name=TAGS)
        conversation = path(
            "<int:charge_point_id>/conversation/",
            self.admin_site.admin_view(conversation_view),
            name=NAME,
        )
        onboarding = path(
            "onboarding/",
            self.admin_site.admin_view(lambda request: onboarding_view(request, self.admin_site)),
            name=ONBOARDING,
        )
        accept_waiting = path(
            "accept/",
            self.admin_site.admin_view(
                lambda request: accept_waiting_view(request, self.admin_site)
            ),
            name=ACCEPT_WAITING,
        )
        pages = [send, tags, conversation, onboarding, accept_waiting]
        return [
            *pages,
            *limit_urls(self.admin_site),
            *security_urls(self.admin_site),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a charge point at which nothing was ever charged: the records keep the others."""
        if not super().has_delete_permission(request, obj):
            return False
        return not isinstance(obj, ChargePoint) or not obj.transactions.exists()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with it, in words: its log may have a million rows."""
        names = [f"{item} with its log and commands" for item in objs]
        return names, {"charge points": len(names)}, set(), []
