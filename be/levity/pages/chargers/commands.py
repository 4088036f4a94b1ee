"""The queue of commands: who asked for what, what the charger said, and a way to cancel."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action, display

from levity.ocpp.commands.refusals import hint
from levity.ocpp.commands.sending import cancel_commands
from levity.ocpp.models import ChargePoint, Command, Message
from levity.ocpp.versions import is_done, version_of
from levity.pages.calls.command_form import NewCommandForm
from levity.pages.calls.kinds import ANY, KINDS
from levity.pages.calls.plot import plot_of
from levity.pages.chargers.command_state import DONE, OPEN, next_look, state_badge
from levity.pages.chargers.filters import ActionFilter, RowFilter
from levity.pages.chargers.frame_text import pretty_value
from levity.pages.chargers.list_as_csv import ListAsCsv
from levity.pages.chargers.send_command import prefilled, queue_from_form, render_form
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import (
    NOTHING,
    badge,
    change_link,
    duration,
    excerpt,
    list_url,
    shown_time,
    site_zone,
)
from levity.pages.kit.live import EVERY
from levity.pages.kit.many import ask_if_many
from levity.pages.site import site

__all__ = ["CommandAdmin"]


@admin.register(Command, site=site)
class CommandAdmin(ListAsCsv, ReadOnlyAdmin):
    """The rows are the queue itself: they are added by the form, never edited."""

    list_display = ("what", "to", "state_now", "answer", "asked_by", "asked_at", "timing")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ActionFilter,
        ("charge_point", RowFilter),
    )
    list_select_related = ("charge_point__site", "requested_by")
    # From the page of a command to many.
    extra_lookups = ("mass__id__exact",)
    actions = ("cancel_selected",)
    fields = (
        "to",
        "what",
        "payload_shown",
        "state_now",
        "answer",
        "why_not",
        "result_shown",
        "asked_by",
        "asked_at",
        "not_before_shown",
        "expires_shown",
        "sent_shown",
        "finished_shown",
        "timing",
        "late",
        "conditions",
        "exchange",
    )
    readonly_fields = fields
    change_form_outer_before_template = "levity/command_now.html"
    live_parts = {"lv-command": "levity/command_live.html"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Command]:
        """With the charge point and the person, also on the page of one."""
        return super().get_queryset(request).select_related("charge_point__site", "requested_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may add rows may send commands."""
        return bool(request.user.has_perm("ocpp.add_command"))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Who may send may also think better of it."""
        return self.has_add_permission(request)

    def page_every(self, request: HttpRequest, row: Any) -> float:
        """Every second while the answer is awaited; never again after the end."""
        return next_look(row)

    def list_every(self, request: HttpRequest, changes: Any) -> float:
        """Often while one of those that are shown is under way: many were sent together."""
        waits = [next_look(row) for row in changes.result_list if row.state in OPEN]
        return max(2.0, min(waits, default=EVERY))

    @display(description="command")
    def what(self, command: Command) -> str:
        """The action."""
        return command.action

    @display(description="charge point")
    def to(self, command: Command) -> str:
        """The charger it is for."""
        return change_link(ChargePoint, command.charge_point_id, command.charge_point)

    @display(description="state")
    def state_now(self, command: Command) -> str:
        """Where it is on its way."""
        return state_badge(command)

    @display(description="answer")
    def answer(self, command: Command) -> str:
        """What the charger said, or why it never could."""
        if command.result_status:
            tone = "good" if command.result_status in DONE else "bad"
            return badge(excerpt(command.result_status, 40), tone)
        if command.confirmed_by and command.result is None:
            return excerpt(f"confirmed by {command.confirmed_by}", 255)
        said = " ".join(part for part in (command.error_code, command.error_description) if part)
        return excerpt(said, 200) or NOTHING

    @display(description="likely reason")
    def why_not(self, command: Command) -> str:
        """What the charger's own keys say of a Call that it has refused."""
        if command.state != Command.State.REFUSED and is_done(command.result_status):
            return NOTHING
        said = command.result_status or command.error_code
        return hint(command.charge_point_id, command.action, command.payload, said) or NOTHING

    @display(description="asked by")
    def asked_by(self, command: Command) -> str:
        """The person, or the part of Levity."""
        # What a person asks for is asked on these pages, unless it says otherwise.
        source = "" if command.requested_by and command.source == "admin" else command.source
        who = command.requested_name or command.requested_by
        return " · ".join(str(part) for part in (who, source) if part) or NOTHING

    @display(description="asked at", ordering="id")
    def asked_at(self, command: Command) -> str:
        """When the row was made."""
        return shown_time(command.created_at, site_zone(command))

    @display(description="waited, answered after")
    def timing(self, command: Command) -> str:
        """How long it lay in the queue, and how long the charger took."""
        waited = duration(command.sent_at - command.created_at) if command.sent_at else NOTHING
        if command.sent_at is None or command.finished_at is None:
            return f"{waited}, {NOTHING}"
        took = (command.finished_at - command.sent_at).total_seconds()
        return f"{waited}, {took:.2f} s"

    @display(description="payload")
    def payload_shown(self, command: Command) -> str:
        """The payload, without secrets."""
        return pretty_value(command.payload)

    @display(description="result")
    def result_shown(self, command: Command) -> str:
        """The payload of the answer."""
        return NOTHING if command.result is None else pretty_value(command.result)

    @display(description="not before")
    def not_before_shown(self, command: Command) -> str:
        """When it may go out at the earliest."""
        return shown_time(command.not_before, site_zone(command))

    @display(description="expires")
    def expires_shown(self, command: Command) -> str:
        """When it is given up, if it could not be sent."""
        return shown_time(command.expires_at, site_zone(command))

    @display(description="sent")
    def sent_shown(self, command: Command) -> str:
        """When it went out."""
        return shown_time(command.sent_at, site_zone(command))

    @display(description="finished")
    def finished_shown(self, command: Command) -> str:
        """When its end was known."""
        return shown_time(command.finished_at, site_zone(command))

    @display(description="answered late")
    def late(self, command: Command) -> str:
        """Whether the answer came after it had been given up."""
        return "yes" if command.answered_late else "no"

    @display(description="conditions")
    def conditions(self, command: Command) -> str:
        """Under which conditions it is sent."""
        found = [
            "waits while the charger is offline"
            if command.queue_offline
            else "only if the charger is connected"
        ]
        if command.only_status:
            found.append(f"only while connector {command.only_connector} is {command.only_status}")
        if command.priority == 0:
            found.append("goes before others")
        if command.tries > 1:
            found.append(f"sent {command.tries} times")
        if command.timeout:
            found.append(f"answer within {command.timeout} s")
        return ", ".join(found)

    @display(description="frames")
    def exchange(self, command: Command) -> str:
        """Where the frames are."""
        if command.sent_at is None:
            return NOTHING
        address = list_url(
            Message, charge_point__id__exact=command.charge_point_id, q=command.unique_id
        )
        return format_html('<a class="lv-link" href="{}">{}</a>', address, command.unique_id)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form for any command to any charge point."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            form = prefilled(NewCommandForm(user=request.user), request)
            return render_form(request, KINDS[ANY], form, None)
        form = NewCommandForm(request.POST, user=request.user)
        if not form.is_valid():
            return render_form(request, KINDS[ANY], form, None)
        return queue_from_form(request, form, form.cleaned_data["target"])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With the schedule that it sets, or that the charger told, as a plot."""
        row = kwargs.get("obj")
        if isinstance(row, Command):
            limits = version_of(row.charge_point.subprotocol).limits
            context["plot"] = plot_of(limits.schedule(row.payload, row.result), site_zone(row))
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """Cancelling one is a button on its page."""
        cancel_one = path(
            "<int:command_id>/cancel/",
            self.admin_site.admin_view(require_POST(self.cancel_view)),
            name="ocpp_command_cancel",
        )
        return [cancel_one, *super().get_urls()]

    def cancel_view(self, request: HttpRequest, command_id: int) -> HttpResponse:
        """Cancel this one, if it is not sent yet."""
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        command = get_object_or_404(self.get_queryset(request), pk=command_id)
        self._cancel(request, Command.objects.filter(pk=command.pk))
        if self.has_view_permission(request, command):
            return redirect("levity:ocpp_command_change", command.pk)
        return redirect("levity:index")

    @action(description="Cancel commands not yet sent", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Command]) -> Any:
        """Cancel those that are not sent yet."""
        waiting = queryset.filter(state=Command.State.QUEUED)
        if asked := ask_if_many(request, self, waiting, "cancel_selected", "Cancel"):
            return asked
        self._cancel(request, queryset)
        return None

    def _cancel(self, request: HttpRequest, commands: QuerySet[Command]) -> None:
        decided = cancel_commands(commands, request.user)
        if not decided.count:
            messages.warning(request, "Nothing to cancel: already sent or finished.")
            return
        others = "".join(f" {left.count:,} {left.why}." for left in decided.left)
        messages.success(request, f"Cancelled: {decided.count:,}.{others}")
