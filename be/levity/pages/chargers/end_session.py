"""The button of a running transaction whose charger will not end it: ends it here, in the records.

GET says what would happen and asks; POST (with CSRF token and permission) does it. The charger is
not told: RemoteStopTransaction is for that.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator

from levity.ocpp.decisions import ending
from levity.ocpp.models import Transaction
from levity.pages.kit.formats import kwh, shown_time, site_zone
from levity.pages.kit.once import sent_once

__all__ = ["EndByHand"]


class EndByHand:
    """For the admin of transactions: the button, and the page behind it."""

    change_form_outer_before_template = "levity/transaction_now.html"

    def get_urls(self) -> list[URLPattern]:
        """The question has its page."""
        page = path(
            "<int:pk>/end/",
            self.admin_site.admin_view(self.end_view),  # type: ignore[attr-defined]  # a mixin
            name="ocpp_transaction_end",
        )
        return [page, *super().get_urls()]  # type: ignore[misc]  # a mixin

    def end_url(self, request: HttpRequest, item: Transaction) -> str:
        """Where to end it; empty if it is over, or not this person's to end."""
        if item.state != Transaction.State.ACTIVE or not _may(request):
            return ""
        return reverse("levity:ocpp_transaction_end", args=[item.pk])

    @method_decorator(sent_once)
    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The question, and its answer."""
        if not _may(request):
            raise PermissionDenied
        item = self.get_object(request, str(pk))  # type: ignore[attr-defined]  # a mixin
        if item is None:
            raise Http404(f"transaction {pk} does not exist")
        there = redirect("levity:ocpp_transaction_change", item.pk)
        if item.state != Transaction.State.ACTIVE:
            messages.info(request, f"Transaction {pk} has already ended.")
            return there
        if request.method == "POST":
            try:
                ending.end_session(item, request.user)
            except ending.IsOver:
                messages.info(request, f"Transaction {pk} has ended in the meantime.")
            else:
                messages.success(request, f"Transaction {pk} was ended.")
            return there
        zone, end = site_zone(item), ending.foreseen_end(item)
        site = self.admin_site  # type: ignore[attr-defined]  # a mixin
        context = {
            **site.each_context(request),
            "opts": Transaction._meta,
            "title": "End this session",
            "item": item,
            "stopped": shown_time(end.stopped_at, zone),
            "energy": kwh(end.energy),
            "confidence": end.confidence,
        }
        return TemplateResponse(request, "levity/transaction_end.html", context)


def _may(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm(ending.CHANGE))
