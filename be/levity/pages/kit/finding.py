"""What the search (Ctrl-K) finds: chargers, cards, sessions and residents, as their lists do."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from unfold.dataclasses import SearchResult

from levity.pages.kit.hooks import model_of

__all__ = ["SEARCHED", "found"]

MOST = 8
"""Of each kind."""
SEARCHED = (
    ("ocpp.ChargePoint", "Charge point", "ev_station"),
    ("ocpp.IdTag", "Id tag", "badge"),
    ("billing.Household", "Household", "family_restroom"),
    ("ocpp.Transaction", "Session", "receipt_long"),
)
"""(model, what it is called, icon), in the order in which they are shown."""


def found(site: AdminSite, request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """What fits, of the lists that this person may see: each list's own search and visibility."""
    for label, kind, icon in SEARCHED:
        model = model_of(label)
        if model is None or not site.is_registered(model):
            continue
        admin: Any = site.get_model_admin(model)
        if not admin.has_view_permission(request):
            continue
        rows, _ = admin.get_search_results(request, admin.get_queryset(request), term)
        meta = model._meta
        for row in rows[:MOST]:
            try:
                address = reverse(
                    f"{site.name}:{meta.app_label}_{meta.model_name}_change", args=[row.pk]
                )
            except NoReverseMatch:
                continue
            yield SearchResult(title=_title(row), description=kind, link=address, icon=icon)


def _title(row: Any) -> str:
    """What the row is called, and what tells it from others."""
    if hasattr(row, "started_at"):
        title, more = f"#{row.pk} {row.charge_point}", row.id_tag
    else:
        title = str(getattr(row, "identity", row))
        more = str(getattr(row, "name", "") or getattr(row, "owner", "") or "")
    return f"{title}, {more}"[:120] if more and more not in title else title[:120]
