"""The frames at which our own code failed, and the button that takes them again.

GET names the frames and asks; POST (with CSRF token and permission) takes them, in the order in
which they came, and writes who did it into the log of the admin.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import action, display

from levity.ocpp.admin.audit import note
from levity.ocpp.admin.base import ReadOnlyAdmin
from levity.ocpp.admin.filters import OpenFilter, RowFilter
from levity.ocpp.admin.formats import NOTHING, badge, change_link, shown_time, site_zone
from levity.ocpp.admin.frame_text import pretty_frame
from levity.ocpp.models import ChargePoint, FailedMessage
from levity.ocpp.pipeline import DatabaseAway, Pipeline
from levity.ocpp.replays import take_again

__all__ = ["FailedMessageAdmin"]

# A person waits for the page meanwhile; `levity replay_failed` takes any number.
MOST = 100


class NotReplayedFilter(OpenFilter):
    """Failed messages that were not taken again with success."""

    closed_field = "replayed_at"


@admin.register(FailedMessage)
class FailedMessageAdmin(ReadOnlyAdmin):
    """Frames at which our own code failed; `levity replay_failed` takes them again, too."""

    list_display = ("failed", "identity", "action_shown", "attempts", "replayed")
    list_filter = (NotReplayedFilter, ("charge_point", RowFilter))
    list_select_related = ("charge_point__site",)
    sortable_by = ()
    actions = ("replay_selected",)
    fields = (
        "failed",
        "received",
        "charger",
        "identity",
        "action_shown",
        "text_shown",
        "attempts",
        "replayed",
        "connection",
        "seq",
        "traceback_shown",
    )
    readonly_fields = fields
    change_form_outer_after_template = "ocpp/admin/failed_now.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A traceback tells of the inside of the system: for superusers only."""
        shown = super().get_fields(request, obj)
        if request.user.is_superuser:
            return shown
        return [name for name in shown if name != "traceback_shown"]

    # --- columns --------------------------------------------------------------------------------

    @display(description="failed")
    def failed(self, item: FailedMessage) -> str:
        """When it failed."""
        return shown_time(item.failed_at, site_zone(item))

    @display(description="received")
    def received(self, item: FailedMessage) -> str:
        """When it passed the edge."""
        return shown_time(item.received_at, site_zone(item))

    @display(description="charge point")
    def charger(self, item: FailedMessage) -> str:
        """Who sent it, if known."""
        if item.charge_point is None:
            return NOTHING
        return change_link(ChargePoint, item.charge_point_id, item.charge_point)

    @display(description="action")
    def action_shown(self, item: FailedMessage) -> str:
        """The action, if the frame could be read so far."""
        return item.action or NOTHING

    @display(description="frame")
    def text_shown(self, item: FailedMessage) -> str:
        """The frame."""
        return pretty_frame(item.text)

    @display(description="state")
    def replayed(self, item: FailedMessage) -> str:
        """Whether it was taken again with success."""
        if item.replayed_at is None:
            return badge("open", "warn")
        when = shown_time(item.replayed_at, site_zone(item))
        return format_html("{} {}", badge("replayed", "good"), when)

    @display(description="traceback")
    def traceback_shown(self, item: FailedMessage) -> str:
        """Where our code failed."""
        return format_html('<pre class="lv-json" tabindex="0">{}</pre>', item.traceback)

    # --- taking them again ----------------------------------------------------------------------

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may change failed messages may have them taken again."""
        return bool(request.user.has_perm("ocpp.change_failedmessage"))

    @action(description="Take again", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[FailedMessage]) -> Any:
        """Ask first."""
        keys = queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1]
        return redirect(f"{_address()}?ids={','.join(map(str, keys))}")

    def get_urls(self) -> list[URLPattern]:
        """The question has its page."""
        page = path(
            "replay/",
            self.admin_site.admin_view(self.replay_view),
            name="ocpp_failedmessage_replay",
        )
        return [page, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The frame, with its button while it is open."""
        extra = dict(extra_context or {})
        item = self.get_object(request, object_id)
        if item is not None and item.replayed_at is None and self.has_replay_permission(request):
            extra["replay_url"] = f"{_address()}?ids={item.pk}"
        return super().change_view(request, object_id, form_url, extra)

    def replay_view(self, request: HttpRequest) -> HttpResponse:
        """Which frames, and what became of them."""
        if not self.has_replay_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        keys = [int(key) for key in given.get("ids", "").split(",") if key.isdigit()][: MOST + 1]
        keys = [key for key in keys if key < 2**63]
        found = self.get_queryset(request).filter(pk__in=keys, replayed_at=None)
        rows = list(found.select_related("charge_point__site").order_by("received_at", "pk"))
        if not rows:
            messages.info(request, "None of these is open: they are on the books already.")
            return redirect("admin:ocpp_failedmessage_changelist")
        if request.method == "POST":
            self._take(request, rows[:MOST])
            return redirect("admin:ocpp_failedmessage_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": FailedMessage._meta,
            "title": "Take again",
            "rows": [
                {
                    "link": change_link(FailedMessage, item.pk, f"#{item.pk}"),
                    "identity": item.identity,
                    "action": item.action or NOTHING,
                    "received": self.received(item),
                    "attempts": item.attempts,
                }
                for item in rows[:MOST]
            ],
            "ids": ",".join(str(item.pk) for item in rows[:MOST]),
            "more": MOST if len(rows) > MOST else 0,
        }
        return TemplateResponse(request, "ocpp/admin/failed_replay.html", context)

    def _take(self, request: HttpRequest, rows: list[FailedMessage]) -> None:
        pipeline = Pipeline()
        taken: list[FailedMessage] = []
        for item in rows:
            try:
                why = take_again(item, pipeline)
            except DatabaseAway:
                messages.error(request, "The database does not answer: try again in a moment.")
                break
            if why:
                # The end of a traceback is of the inside, too.
                said = f": {why}" if request.user.is_superuser else ""
                messages.error(request, f"#{item.pk} ({item.identity}) failed again{said}")
                note(request, [item], CHANGE, "taken again, failed again")
            else:
                taken.append(item)
        note(request, taken, CHANGE, "taken again, on the books")
        if taken:
            messages.success(request, f"On the books now: {len(taken)}.")


def _address() -> str:
    return reverse("admin:ocpp_failedmessage_replay")
