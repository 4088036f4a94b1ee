"""Changes of sessions that a receiver of `sessions_changed` has not taken yet."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from levity.ocpp.changes import all_receivers
from levity.ocpp.models import MissedChange, Transaction
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, and_more, badge, change_link, excerpt, shown_time
from levity.pages.site import site

__all__ = ["MissedChangeAdmin"]

# Links that are shown of many.
SHOWN = 50


@admin.register(MissedChange, site=site)
class MissedChangeAdmin(ReadOnlyAdmin):
    """In the order in which they will be delivered; each goes once its receiver has taken it."""

    list_display = ("since", "receiver_shown", "state", "sessions_shown", "why")
    sortable_by = ()
    list_before_template = "levity/missed_changes_help.html"
    fields = ("since", "receiver_shown", "state", "sessions_shown", "what_to_do", "traceback_shown")
    readonly_fields = fields

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A traceback tells of the inside of the system: for superusers only."""
        return _without_inside(request, super().get_fields(request, obj), "traceback_shown")

    def get_list_display(self, request: HttpRequest) -> Any:
        """The same for its last line."""
        return _without_inside(request, super().get_list_display(request), "why")

    @display(description="since")
    def since(self, item: MissedChange) -> str:
        """When the sessions changed."""
        return shown_time(item.failed_at)

    @display(description="receiver")
    def receiver_shown(self, item: MissedChange) -> str:
        """The function, as the setting names it."""
        return item.receiver or NOTHING

    @display(description="state")
    def state(self, item: MissedChange) -> str:
        """Why it was not delivered."""
        if item.receiver not in all_receivers():
            return badge("receiver not listed", "warn")
        return badge("failed", "bad") if item.traceback else badge("waits", "busy")

    @display(description="sessions")
    def sessions_shown(self, item: MissedChange) -> str:
        """The sessions that changed."""
        keys = _sessions_in(item.changes)
        links = [(change_link(Transaction, pk, f"#{pk}"),) for pk in keys[:SHOWN]]
        more = and_more(len(keys) - SHOWN)
        return format_html("{}{}", format_html_join(", ", "{}", links) or NOTHING, more)

    @display(description="error")
    def why(self, item: MissedChange) -> str:
        """At what the receiver failed."""
        return excerpt(item.traceback.strip().rpartition("\n")[2], 120) or NOTHING

    @display(description="what to do")
    def what_to_do(self, item: MissedChange) -> str:
        """The way out."""
        if item.receiver not in all_receivers():
            return (
                "OCPP_SESSIONS_CHANGED does not list this receiver, so nothing is delivered to "
                "it. List it again, or delete these rows in `levity shell` if nobody needs them."
            )
        if not item.traceback:
            return (
                "An earlier change must be delivered first, because receivers are told in order. "
                "Fix that one."
            )
        return (
            "Fix the receiver (its traceback is visible to superusers) and restart the workers. "
            "They deliver it again every minute, in order; `levity replay_failed` does so at once."
        )

    @display(description="traceback")
    def traceback_shown(self, item: MissedChange) -> str:
        """Where the receiver failed."""
        return format_html('<pre class="lv-json" tabindex="0">{}</pre>', item.traceback)


def _without_inside(request: HttpRequest, names: Any, inside: str) -> list[str]:
    user: Any = request.user
    return [name for name in names if user.is_superuser or name != inside]


def _sessions_in(changes: Any) -> list[int]:
    """The keys of the sessions in a list of [before, after]."""
    keys: dict[int, None] = {}
    for change in changes if isinstance(changes, list) else ():
        for session in change if isinstance(change, list) else ():
            pk = session.get("id") if isinstance(session, dict) else None
            if type(pk) is int:
                keys[pk] = None
    return list(keys)
