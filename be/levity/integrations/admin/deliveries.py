"""The log of deliveries: what was sent, what waits, and what was given up."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action, display

from levity.integrations import webhooks
from levity.integrations.models import Delivery
from levity.ocpp.visibility import is_limited
from levity.pages.chargers.filters import DayRangeFilter, RowFilter
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, badge, shown_time
from levity.pages.kit.many import ask_if_many
from levity.pages.site import site

__all__ = ["DeliveryAdmin"]

TONES = {"sent": "good", "waiting": "busy", "dead": "bad", "discarded": "plain"}


@admin.register(Delivery, site=site)
class DeliveryAdmin(ReadOnlyAdmin):
    """The newest first; those given up can be sent again."""

    list_display = ("happened", "type", "charger", "webhook", "how", "attempts", "answer", "done")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("webhook", RowFilter),
        ("at", DayRangeFilter),
    )
    list_select_related = ("webhook",)
    search_fields = ("identity", "type")
    search_help_text = "Charge point or type"
    sortable_by = ()
    actions = ("send_again", "discard")
    list_before_template = "integrations/deliveries_help.html"
    fields = (
        *("webhook", "type", "charger", "happened", "how", "attempts", "first_tried_at"),
        *("next_at", "done", "answer"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Of all sites, and so for nobody who sees some only."""
        rows: QuerySet[Any] = admin.ModelAdmin.get_queryset(self, request)
        return rows.none() if is_limited(request.user) else rows

    @display(description="happened")
    def happened(self, row: Delivery) -> str:
        """When."""
        return shown_time(row.at)

    @display(description="charge point")
    def charger(self, row: Delivery) -> str:
        """Which."""
        return row.identity or NOTHING

    @display(description="state")
    def how(self, row: Delivery) -> str:
        """What became of it."""
        return badge(row.get_state_display(), TONES[row.state])

    @display(description="last answer")
    def answer(self, row: Delivery) -> str:
        """What the receiver said."""
        return row.error or (str(row.status) if row.status else NOTHING)

    @display(description="done")
    def done(self, row: Delivery) -> str:
        """When it was sent or given up."""
        return shown_time(row.done_at) if row.done_at else NOTHING

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may change webhooks."""
        user: Any = request.user
        return bool(user.has_perm("integrations.change_webhook"))

    @action(description="Send again", permissions=["replay"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> Any:
        """With the same id, so that receivers recognise a repetition."""
        if asked := ask_if_many(request, self, queryset, "send_again", "Send again"):
            return asked
        count = webhooks.replay(queryset, request.user)
        messages.success(request, f"Sent again: {count:,}. What was deleted meanwhile is not.")
        return None

    @action(description="Discard", permissions=["replay"])
    def discard(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> Any:
        """Those that wait or were given up are not sent any more."""
        if asked := ask_if_many(request, self, queryset, "discard", "Discard"):
            return asked
        messages.success(request, f"Discarded: {webhooks.discard(queryset, request.user):,}.")
        return None
