"""Cards, fobs and app identities: the one list that people write."""

from django.contrib import admin
from django.db.models.functions import Lower
from unfold.contrib.filters.admin import ChoicesRadioFilter
from unfold.decorators import display

from levity.ocpp.admin.base import LevityAdmin
from levity.ocpp.admin.formats import badge, local_time
from levity.ocpp.models import IdTag

__all__ = ["IdTagAdmin"]


@admin.register(IdTag)
class IdTagAdmin(LevityAdmin):
    """Who may charge."""

    list_display = ("id_tag", "owner", "status_shown", "expires", "parent")
    list_filter = (("status", ChoicesRadioFilter),)
    list_select_related = ("parent",)
    search_fields = ("id_tag", "owner")
    search_help_text = "Id tag or owner"
    ordering = (Lower("id_tag"),)
    autocomplete_fields = ("parent",)
    actions = ("delete_selected",)
    fields = ("id_tag", "owner", "status", "expires_at", "parent", "notes")

    @display(description="status", ordering="status")
    def status_shown(self, item: IdTag) -> str:
        """Accepted or blocked."""
        return badge(item.status, "good" if item.status == IdTag.Status.ACCEPTED else "bad")

    @display(description="expires", ordering="expires_at")
    def expires(self, item: IdTag) -> str:
        """Until when it is good."""
        return local_time(item.expires_at) if item.expires_at else "never"
