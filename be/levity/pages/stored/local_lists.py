"""Local lists of chargers: in step with the id tags, or why not."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.local_lists import clear, send_full, send_now, switch
from levity.ocpp.models import ChargePoint, LocalList, Site
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import NOTHING, badge, shown_time, site_zone
from levity.pages.kit.many import ask_if_many
from levity.pages.site import site
from levity.pages.stored.deciding import SOURCE, Button, may_send
from levity.pages.stored.rows import StoredAdmin

__all__ = ["LocalListAdmin"]

State = LocalList.State
SWITCH_ON = "ocpp_locallist_switch_on"
TONES = {
    State.IN_STEP: "good",
    State.BEHIND: "warn",
    State.SENDING: "busy",
    State.NOT_SUPPORTED: "bad",
    State.FAILED: "bad",
}


def _now(row: LocalList, who: Any) -> str:
    send_now(row, who)
    return "It is looked at within some seconds."


def _full(row: LocalList, who: Any) -> str:
    send_full(row, who)
    return "The whole list is sent within some seconds."


def _clear(row: LocalList, who: Any) -> str:
    clear(row, who, source=SOURCE)
    return "The charger is asked to empty its list, which is no longer kept in step."


def _on(row: LocalList, who: Any) -> str:
    switch(ChargePoint.objects.filter(pk=row.charge_point_id), who, on=True)
    return "The list is kept in step from now on."


def _off(row: LocalList, who: Any) -> str:
    switch(ChargePoint.objects.filter(pk=row.charge_point_id), who, on=False)
    return "The list is no longer kept in step; the charger keeps what it has."


class SwitchOnForm(forms.Form):
    """For which chargers."""

    where = forms.ChoiceField(label="Charge points", widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        sites = visible(Site.objects.order_by("name"), user)[:200]
        rows = visible(ChargePoint.objects.filter(retired_at=None), user).order_by("identity")
        self.fields["where"].choices = [  # type: ignore[attr-defined]
            ("all", "all charge points"),
            ("Sites", [(f"site-{item.pk}", item.name) for item in sites]),
            ("One", [(f"one-{item.pk}", str(item)) for item in rows[:500]]),
        ]

    def chosen(self) -> QuerySet[ChargePoint]:
        """The charge points."""
        rows = visible(ChargePoint.objects.filter(retired_at=None), self.user)
        kind, _, key = self.cleaned_data["where"].partition("-")
        if kind == "site":
            return rows.filter(site=int(key))
        return rows.filter(pk=int(key)) if kind == "one" else rows


@admin.register(LocalList, site=site)
class LocalListAdmin(StoredAdmin):
    """One row a charger: in step, behind, not supported."""

    list_display = ("state_shown", "charger", "counts", "version_shown", "since", "reason_shown")
    list_filter = (*StoredAdmin.list_filter, "is_on")
    actions = ("now", "full", "off")
    help_text = (
        "A charger decides by its local list while it is offline. Here it is kept in step with the "
        "id tags, for the charge points for which you switch it on."
    )
    fields = (
        *("charger", "state_shown", "reason", "counts", "left_out", "version_shown", "said"),
        *("answered", "since", "sent_with"),
    )
    readonly_fields = fields
    buttons = {
        "on": Button(
            "Keep it in step",
            "keep it in step",
            "The charger is sent all id tags that may charge there, and every change of them.",
            _on,
        ),
        "now": Button(
            "Send now",
            "send now",
            "The charger is asked for the version of its list, and sent what has changed.",
            _now,
        ),
        "full": Button(
            "Send the full list",
            "send the full list",
            "The charger's list is replaced, whatever is in it.",
            _full,
        ),
        "off": Button(
            "No longer keep it in step",
            "stop updating it",
            "The charger keeps the list that it has: cards that you block later are still accepted "
            "there while the charger is offline. Clear the list to avoid that.",
            _off,
        ),
        "clear": Button(
            "Clear the list",
            "clear it",
            "The charger's list is emptied and no longer kept in step. While the charger is "
            "offline, it accepts no card by its list.",
            _clear,
            is_dangerous=True,
        ),
    }

    def buttons_for(self, row: LocalList) -> tuple[str, ...]:
        """By whether it is kept in step."""
        return ("now", "full", "off", "clear") if row.is_on else ("on", "clear")

    def links_above(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The way to switch it on."""
        if not may_send(request):
            return []
        return [("Switch on for charge points", reverse(f"levity:{SWITCH_ON}"))]

    @display(description="state")
    def state_shown(self, row: LocalList) -> str:
        """Compared with the id tags."""
        return badge(row.get_state_display().lower(), TONES.get(State(row.state), ""))

    @display(description="entries")
    def counts(self, row: LocalList) -> str:
        """How many it should have, and how many differ."""
        if not row.is_on or row.state == State.NOT_SUPPORTED:
            return NOTHING
        if row.behind:
            return format_html("{} · {} behind", row.wanted, row.behind)
        return str(row.wanted)

    @display(description="version")
    def version_shown(self, row: LocalList) -> str:
        """As the charger reported or accepted it."""
        return NOTHING if row.version is None else str(row.version)

    @display(description="in step")
    def since(self, row: LocalList) -> str:
        """When it was last known to be."""
        return shown_time(row.in_step_at, site_zone(row))

    @display(description="answered")
    def answered(self, row: LocalList) -> str:
        """When the charger said something about it."""
        return shown_time(row.answered_at, site_zone(row))

    @display(description="reason")
    def reason_shown(self, row: LocalList) -> str:
        """Why it is not in step, or what is special."""
        return row.reason or NOTHING

    @action(description="Send now")
    def now(self, request: HttpRequest, queryset: QuerySet[LocalList]) -> Any:
        """What has changed, at once."""
        return self._each(request, queryset, "now", send_now)

    @action(description="Send the full list")
    def full(self, request: HttpRequest, queryset: QuerySet[LocalList]) -> Any:
        """All of it."""
        return self._each(request, queryset, "full", send_full)

    @action(description="No longer keep in step")
    def off(self, request: HttpRequest, queryset: QuerySet[LocalList]) -> Any:
        """They keep what they have."""
        if not may_send(request):
            raise PermissionDenied
        rows = ChargePoint.objects.filter(local_list__in=queryset.values("pk"))
        done = switch(rows, request.user, on=False)
        messages.success(request, f"No longer kept in step: {done.count:,}.")

    def _each(self, request: HttpRequest, queryset: Any, name: str, do: Any) -> Any:
        if not may_send(request):
            raise PermissionDenied
        mine = queryset.filter(is_on=True)
        if asked := ask_if_many(request, self, mine, name, "Send"):
            return asked
        rows = list(mine.select_related("charge_point"))
        for row in rows:
            do(row, request.user)
        left = queryset.filter(is_on=False).count()
        said = f" {left:,} not kept in step: switch that on first." if left else ""
        messages.success(request, f"Looked at within some seconds: {len(rows):,}.{said}")
        return None

    def get_urls(self) -> list[URLPattern]:
        """Switching on has its page."""
        page = path("switch-on/", self.admin_site.admin_view(self.switch_view), name=SWITCH_ON)
        return [page, *super().get_urls()]

    def switch_view(self, request: HttpRequest) -> HttpResponse:
        """For which charge points."""
        if not may_send(request):
            raise PermissionDenied
        data = request.POST if request.method == "POST" else None
        form = SwitchOnForm(
            data,
            user=request.user,
            initial={"where": f"one-{request.GET.get('charge_point', '')}"},
        )
        if data is not None and form.is_valid():
            try:
                done = switch(form.chosen(), request.user, on=True)
            except Refused as error:
                form.add_error(None, f"Not possible: {error.sentence}")
            else:
                messages.success(request, f"Local lists switched on: {done.count:,}.")
                return redirect("levity:ocpp_locallist_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Keep local lists in step",
            "explanation": "These chargers are sent all id tags that may charge there, with expiry "
            "and group, and every change of them some seconds later. A charger needs the OCPP "
            "profile Local Auth List Management; one without it is asked once.",
            "submit": "Switch on",
            "form": form,
            "media": form.media,
            "back": reverse("levity:ocpp_locallist_changelist"),
        }
        return TemplateResponse(request, "levity/stored/form.html", context)
