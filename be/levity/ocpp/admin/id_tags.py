"""Cards, fobs and app identities: the one list that people write."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesRadioFilter
from unfold.decorators import action, display

from levity.ocpp.admin.audit import note
from levity.ocpp.admin.base import LevityAdmin
from levity.ocpp.admin.formats import badge, shown_time
from levity.ocpp.models import IdTag

__all__ = ["IdTagAdmin"]

TONES = {IdTag.Status.ACCEPTED: "good", IdTag.Status.BLOCKED: "bad", IdTag.Status.RECORDED: "warn"}


@admin.register(IdTag)
class IdTagAdmin(LevityAdmin):
    """Who may charge."""

    list_display = ("id_tag", "owner", "status_shown", "expires", "parent")
    list_filter = (("status", ChoicesRadioFilter),)
    list_select_related = ("parent",)
    search_fields = ("id_tag", "owner")
    search_help_text = "Id tag or owner"
    ordering = (Lower("id_tag"),)
    autocomplete_fields = ("parent", "charge_points")
    actions = ("approve", "delete_selected")
    fields = (
        "id_tag",
        "owner",
        "status",
        "expires_at",
        "max_transactions",
        "parent",
        "charge_points",
        "notes",
    )

    @display(description="status", ordering="status")
    def status_shown(self, item: IdTag) -> str:
        """Whether it may charge."""
        return badge(item.get_status_display(), TONES.get(IdTag.Status(item.status), ""))

    @display(description="expires", ordering="expires_at")
    def expires(self, item: IdTag) -> str:
        """Until when it is good."""
        return shown_time(item.expires_at) if item.expires_at else "never"

    @action(description="Approve recorded tags", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[IdTag]) -> Any:
        """Let those charge that presented themselves and were noted."""
        waiting = list(queryset.filter(status=IdTag.Status.RECORDED)[:1000])
        IdTag.objects.filter(pk__in=[item.pk for item in waiting]).update(
            status=IdTag.Status.ACCEPTED
        )
        if waiting:
            note(request, waiting, CHANGE, "approved")
        messages.success(request, f"Approved: {len(waiting)}.")
