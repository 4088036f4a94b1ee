"""Campaigns: begun from the list of charge points, watched live, paused, resumed, cancelled."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, When
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.files import campaigns
from levity.files.models import Campaign, CampaignTarget, Firmware
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint, FileJob
from levity.ocpp.visibility import visible
from levity.pages.calls.fields import MomentField
from levity.pages.chargers.list_as_csv import ListAsCsv
from levity.pages.files.asking import asked_by
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import badge, change_link, excerpt, shown_time, site_zone
from levity.pages.kit.going_on import keys_in
from levity.pages.kit.live import EVERY
from levity.pages.kit.once import sent_once
from levity.pages.site import site

__all__ = ["CampaignAdmin"]

SHOWN, NAMED = 500, 50
LONGEST_KEY = 18
TONES = {"running": "good", "done": "good", "stopped": "bad", "failed": "bad", "paused": "warn"}
DO = {"pause": campaigns.pause, "resume": campaigns.resume, "cancel": campaigns.cancel}
AUTOMATIC = "chosen for each charger"


class CampaignForm(forms.Form):
    """What is sent, and how carefully."""

    firmware = forms.ModelChoiceField(Firmware.objects.none(), widget=UnfoldAdminSelectWidget)
    name = forms.CharField(max_length=100, required=False, widget=UnfoldAdminTextInputWidget)
    wave_size = forms.IntegerField(
        label="Charge points in a wave",
        initial=5,
        min_value=1,
        max_value=500,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    pause_minutes = forms.IntegerField(
        label="Pause between waves, minutes",
        initial=10,
        min_value=0,
        max_value=100_000,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    stop_after = forms.IntegerField(
        label="Stop after so many failures",
        initial=1,
        min_value=1,
        max_value=5_000,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    patience_minutes = forms.IntegerField(
        label="Failed if there is no result within, minutes",
        initial=120,
        min_value=1,
        max_value=100_000,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    only_idle = forms.BooleanField(
        label="Leave chargers that are charging until they are idle",
        initial=True,
        required=False,
        widget=UnfoldBooleanWidget,
    )
    protocol = forms.ChoiceField(
        required=False,
        choices=(("", AUTOMATIC), ("http", "HTTP"), ("https", "HTTPS"), ("ftp", "FTP")),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone()  # chargers of several sites may be in it
        self.fields["starts_at"] = MomentField(
            zone=zone, label="Start", required=False, help_text=f"Time in {zone}. Empty: at once."
        )


@admin.register(Campaign, site=site)
class CampaignAdmin(ListAsCsv, ReadOnlyAdmin):
    """The page of one shows how far each charger is."""

    list_display = ("name", "firmware", "state_now", "progress", "created")
    fields = ("name", "firmware", "plan", "created")
    readonly_fields = fields
    list_select_related = ("firmware", "created_by")
    change_form_outer_before_template = "levity/files/campaign_now.html"
    live_parts = {"lv-campaign": "levity/files/campaign_live.html"}

    def get_urls(self) -> list[URLPattern]:
        """Beginning one, and the buttons."""
        view = self.admin_site.admin_view
        return [
            path("begin/", view(begin_view), name="files_campaign_begin"),
            path("<int:pk>/do/<slug:what>/", view(require_POST(do_view)), name="files_campaign_do"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        """With how far each is."""
        return campaigns.with_counts(super().get_queryset(request))

    def page_every(self, request: HttpRequest, row: Any) -> float:
        """Often while it runs."""
        return 2.0 if row.state in ("running", "scheduled", "paused") else EVERY

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With its charge points."""
        if (row := kwargs.get("obj")) is not None:
            context |= _shown(request, row)
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="state")
    def state_now(self, campaign: Campaign) -> str:
        """As a badge."""
        return badge(campaign.get_state_display().lower(), TONES.get(campaign.state, "plain"))

    @display(description="progress")
    def progress(self, campaign: Campaign) -> str:
        """How many are done."""
        return _progress(campaign)

    @display(description="plan")
    def plan(self, campaign: Campaign) -> str:
        """In a sentence."""
        idle = ", chargers that are charging wait" if campaign.only_idle else ""
        return (
            f"{campaign.wave_size} at a time, {campaign.pause_minutes} min between waves, stops "
            f"after {campaign.stop_after} failure{'s' * (campaign.stop_after != 1)}, failed if "
            f"there is no result within {campaign.patience_minutes} min{idle}"
        )

    @display(description="begun", ordering="id")
    def created(self, campaign: Campaign) -> str:
        """When and by whom."""
        who = f" by {campaign.created_by}" if campaign.created_by else ""
        return format_html("{}{}", shown_time(campaign.created_at), who)


def _progress(campaign: Campaign) -> str:
    found = {name: count for name, count in campaigns.counted(campaign).items() if count}
    words = dict(CampaignTarget.State.choices)
    return ", ".join(f"{count} {words[name].lower()}" for name, count in found.items()) or "none"


def _shown(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    states = CampaignTarget.State
    all_rows = campaign.targets.select_related("charge_point__site", "job")
    count = sum(campaigns.counted(campaign).values())
    # Of very many, those that need somebody are among those that are shown.
    failed, running = When(state=states.FAILED, then=0), When(state=states.RUNNING, then=1)
    first = [Case(failed, running, default=2)] if count > SHOWN else []
    rows = all_rows.order_by(*first, "pk")[:SHOWN]
    may = request.user.has_perm(campaigns.MANAGE)
    buttons = {
        "scheduled": ("pause", "cancel"),
        "running": ("pause", "cancel"),
        "paused": ("resume", "cancel"),
        "stopped": ("resume", "cancel"),
    }.get(campaign.state, ())
    return {
        "campaign": campaign,
        "campaign_state": badge(
            campaign.get_state_display().lower(), TONES.get(campaign.state, "plain")
        ),
        "campaign_progress": _progress(campaign),
        "campaign_next": shown_time(campaign.next_wave_at),
        "campaign_starts": shown_time(campaign.starts_at),
        "campaign_may": may,
        "campaign_buttons": [
            {"what": name, "url": reverse("levity:files_campaign_do", args=[campaign.pk, name])}
            for name in DO
        ],
        "campaign_more": max(0, count - SHOWN),
        "campaign_open": buttons if may else (),
        "campaign_targets": [
            {
                "pk": row.pk,
                "to": change_link(ChargePoint, row.charge_point_id, row.charge_point),
                "state": badge(row.get_state_display().lower(), TONES.get(row.state, "plain")),
                "wave": row.wave or "",
                "why": excerpt(row.why, 160)
                or (row.job.status if row.job and row.state == states.RUNNING else ""),
                "job": change_link(FileJob, row.job_id, "job") if row.job_id else "",
                "at": shown_time(row.finished_at or row.started_at, site_zone(row)),
            }
            for row in rows
        ],
    }


@sent_once
def begin_view(request: HttpRequest) -> HttpResponse:
    """The form; what speaks against it is shown before it begins."""
    given = request.POST if "ids" in request.POST else request.GET
    keys = keys_in(",".join(given.getlist("ids"))) or []
    if not request.user.has_perm(campaigns.MANAGE):
        raise PermissionDenied
    rows = visible(ChargePoint.objects.filter(pk__in=keys), request.user)
    chosen_firmware = _firmware_of(request)
    if not rows.exists():
        if chosen_firmware is not None:
            return _choose_view(request, chosen_firmware)
        messages.info(
            request,
            "Select charge points in this list, then “Update firmware in waves…” among the "
            "actions.",
        )
        return redirect("levity:ocpp_chargepoint_changelist")
    is_sent = "wave_size" in request.POST
    form = CampaignForm(request.POST if is_sent else None, initial={"firmware": chosen_firmware})
    field: Any = form.fields["firmware"]
    field.queryset = known = visible(Firmware.objects.all(), request.user)
    found: list[str] = []
    if is_sent and form.is_valid():
        chosen = dict(form.cleaned_data)
        firmware = chosen.pop("firmware")
        found = campaigns.doubts(firmware, list(rows))
        if "sure" in request.POST:
            try:
                plan = campaigns.Plan(**chosen)
                row = campaigns.begin(firmware, rows, request.user, plan, asked_by(request))
            except Refused as refused:
                form.add_error(None, refused.sentence)
            else:
                return redirect("levity:files_campaign_change", row.pk)
    context = {
        **site.each_context(request),
        "opts": Campaign._meta,
        "title": "Update firmware in waves",
        "form": form,
        "charge_points": rows[:NAMED],
        "count": (count := rows.count()),
        "more": max(0, count - NAMED),
        "ids": ",".join(map(str, keys)),
        "address": reverse("levity:files_campaign_begin"),
        "doubts": found,
        "has_any": known.exists(),
        "add_firmware": reverse("levity:files_firmware_add"),
        "back": reverse("levity:ocpp_chargepoint_changelist"),
    }
    return TemplateResponse(request, "levity/files/campaign_begin.html", context)


def _firmware_of(request: HttpRequest) -> Firmware | None:
    """The one whose page somebody came from."""
    word = request.POST.get("firmware") or request.GET.get("firmware", "")
    key = int(word) if word.isdecimal() and len(word) <= LONGEST_KEY else 0
    return visible(Firmware.objects.filter(pk=key), request.user).first()


def _choose_view(request: HttpRequest, firmware: Firmware) -> HttpResponse:
    """Which charge points: those that it is meant for, and that do not have it, are ticked."""
    known = visible(ChargePoint.objects.filter(retired_at=None), request.user)
    rows = list(known.select_related("site").order_by(Lower("identity"))[:SHOWN])
    context = {
        **site.each_context(request),
        "opts": Campaign._meta,
        "title": f"Send {firmware} in waves",
        "firmware": firmware,
        "charge_points": [(row, campaigns.is_meant_for(firmware, row)) for row in rows],
        "most": SHOWN if len(rows) == SHOWN else 0,
        "back": reverse("levity:files_firmware_change", args=[firmware.pk]),
    }
    return TemplateResponse(request, "levity/files/campaign_choose.html", context)


@sent_once
def do_view(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Pause, resume, cancel."""
    rows: QuerySet[Campaign] = visible(Campaign.objects.all(), request.user)
    row = get_object_or_404(rows, pk=pk)
    try:
        DO[what](row, request.user)
    except KeyError:
        messages.error(request, "A campaign can be paused, resumed and cancelled.")
    except Refused as refused:
        messages.error(request, refused.sentence)
    return redirect("levity:files_campaign_change", pk)
