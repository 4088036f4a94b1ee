"""The frames at which our own code failed, and the button that takes them again.

GET names the frames and asks; POST (with CSRF token and permission) takes them, in the order in
which they came, and writes who did it into the log of the admin.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import action, display

from levity.ocpp.models import ChargePoint, FailedMessage
from levity.ocpp.worker.pipeline import DatabaseAway, Pipeline
from levity.ocpp.worker.replay import take_again
from levity.pages.chargers.filters import OpenFilter, RowFilter
from levity.pages.chargers.frame_text import pretty_frame
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, badge, change_link, shown_time, site_zone
from levity.pages.kit.going_on import KEYS, going_on, keys_in, so_far, within_budget
from levity.pages.site import site

__all__ = ["FailedMessageAdmin"]

# Named on the page that asks, and why, of those that fail again.
NAMED, REASONS = 100, 20
# Looked up in one statement.
PORTION = 100


class NotReplayedFilter(OpenFilter):
    """Failed messages that were not taken again with success."""

    closed_field = "replayed_at"


@admin.register(FailedMessage, site=site)
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
    change_form_outer_after_template = "levity/failed_now.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A traceback tells of the inside of the system: for superusers only."""
        shown = super().get_fields(request, obj)
        if request.user.is_superuser:
            return shown
        return [name for name in shown if name != "traceback_shown"]

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

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may change failed messages may have them taken again."""
        return bool(request.user.has_perm("ocpp.change_failedmessage"))

    @action(description="Replay", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[FailedMessage]) -> Any:
        """Ask first."""
        return self._ask(request, queryset)

    def get_urls(self) -> list[URLPattern]:
        """The question has its page."""
        page = path(
            "replay/",
            self.admin_site.admin_view(self.replay_view),
            name="ocpp_failedmessage_replay",
        )
        return [page, *super().get_urls()]

    def beside(self, request: HttpRequest, row: FailedMessage) -> dict[str, Any]:
        """The button, while it is open."""
        if row.replayed_at is not None or not self.has_replay_permission(request):
            return {}
        return {"replay_url": f"{_address()}?ids={row.pk}"}

    def replay_view(self, request: HttpRequest) -> HttpResponse:
        """Which frames, and what became of them; of very many in portions."""
        if not self.has_replay_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        keys = [key for key in keys_in(given.get(KEYS, "")) or () if key < 2**63]
        if request.method != "POST":
            return self._ask(request, self.get_queryset(request).filter(pk__in=keys[:NAMED]))
        counts = {name: so_far(request, name) for name in ("taken", "again")}
        is_away, done = False, 0
        for portion in within_budget(keys, PORTION):
            is_away = not self._take(request, portion, counts)
            done += len(portion)
            if is_away:
                break
        if not is_away and (left := keys[done:]):
            before = so_far(request, "done") + done
            return going_on(
                request, self, "Replay", left, before, [("done", before), *counts.items()]
            )
        if counts["again"] > REASONS:
            messages.error(
                request, f"And {counts['again'] - REASONS:,} more failed again and stay here."
            )
        if counts["taken"]:
            messages.success(request, f"Processed: {counts['taken']:,}.")
        elif not counts["again"] and not is_away:
            messages.info(request, "None of these is open: they have already been processed.")
        return redirect("levity:ocpp_failedmessage_changelist")

    def _ask(self, request: HttpRequest, found: QuerySet[FailedMessage]) -> HttpResponse:
        in_order = found.filter(replayed_at=None).order_by("received_at", "pk")
        keys = list(in_order.values_list("pk", flat=True))
        if not keys:
            messages.info(request, "None of these is open: they have already been processed.")
            return redirect("levity:ocpp_failedmessage_changelist")
        rows = in_order.select_related("charge_point__site")[:NAMED]
        context = {
            **self.admin_site.each_context(request),
            "opts": FailedMessage._meta,
            "title": "Replay",
            "rows": [
                {
                    "link": change_link(FailedMessage, item.pk, f"#{item.pk}"),
                    "identity": item.identity,
                    "action": item.action or NOTHING,
                    "received": self.received(item),
                    "attempts": item.attempts,
                }
                for item in rows
            ],
            "ids": ",".join(map(str, keys)),
            "count": len(keys),
            "more": max(0, len(keys) - NAMED),
            "address": _address(),
        }
        return TemplateResponse(request, "levity/failed_replay.html", context)

    def _take(self, request: HttpRequest, keys: list[int], counts: dict[str, int]) -> bool:
        """Take these, and add up what became of them; False where the database does not answer."""
        pipeline = Pipeline()
        rows = self.get_queryset(request).filter(pk__in=keys, replayed_at=None)
        is_there = True
        for item in rows.order_by("received_at", "pk"):
            try:
                why = take_again(item, pipeline, request.user)
            except DatabaseAway:
                messages.error(request, "The database does not respond: try again in a moment.")
                is_there = False
                break
            if not why:
                counts["taken"] += 1
                continue
            counts["again"] += 1
            if counts["again"] <= REASONS:
                # The end of a traceback is of the inside, too.
                said = f": {why}" if request.user.is_superuser else ""
                messages.error(request, f"#{item.pk} ({item.identity}) failed again{said}")
        return is_there


def _address() -> str:
    return reverse("levity:ocpp_failedmessage_replay")
