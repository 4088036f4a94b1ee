"""What the lists of this room share."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from levity.ocpp.models import ChargePoint, Command
from levity.pages.chargers.filters import RowFilter
from levity.pages.chargers.list_as_csv import ListAsCsv
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, change_link
from levity.pages.stored.deciding import Buttons

__all__ = ["StoredAdmin"]


class StoredAdmin(Buttons, ListAsCsv, ReadOnlyAdmin):
    """Rows of a charge point, written by what it answered."""

    list_filter: Any = ("state", ("charge_point", RowFilter))
    list_select_related: tuple[str, ...] = ("charge_point__site",)
    list_before_template = "levity/stored/help.html"
    sortable_by = ()
    help_text = ""
    """What the list is, above it."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the charge point, whose name is part of theirs."""
        return super().get_queryset(request).select_related("charge_point__site")

    def links_above(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Buttons above the list."""
        return []

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with what it is and what can be done above it."""
        extra = {
            **(extra_context or {}),
            "stored_help": self.help_text,
            "stored_links": self.links_above(request),
        }
        return super().changelist_view(request, extra)

    @display(description="charge point")
    def charger(self, row: Any) -> str:
        """Whose it is."""
        return change_link(ChargePoint, row.charge_point_id, row.charge_point)

    @display(description="sent with")
    def sent_with(self, row: Any) -> str:
        """The command."""
        if row.command_id is None:
            return NOTHING
        return change_link(Command, row.command_id, f"command {row.command_id}")
