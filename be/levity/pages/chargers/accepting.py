"""One button for all charge points that wait to be accepted, however many there are."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from levity.ocpp.conf import setting
from levity.ocpp.deciding import Decided
from levity.ocpp.decisions import registration
from levity.ocpp.models import ChargePoint
from levity.pages.kit.formats import shown_time, site_zone

__all__ = ["NAME", "accept_waiting_view", "say_accepted", "waiting"]

NAME = "ocpp_chargepoint_accept_waiting"
SHOWN = 50


def waiting(request: HttpRequest) -> int:
    """How many pending charge points this person may accept; 0 if none."""
    user: Any = request.user
    may = user.has_perm("ocpp.change_chargepoint")
    return registration.waiting(user).count() if may else 0


def say_accepted(request: HttpRequest, decided: Decided) -> None:
    """How many were let in."""
    messages.success(
        request,
        f"Accepted: {decided.count:,}. A pending charger is told with its next "
        f"BootNotification, within {setting('OCPP_PENDING_INTERVAL')} s.",
    )


def accept_waiting_view(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """GET: how many wait, and who; POST: accept all that were there when the page was made."""
    user: Any = request.user
    if not user.has_perm("ocpp.change_chargepoint"):
        raise PermissionDenied
    rows = registration.waiting(user)
    last = request.POST.get("last", "")
    if request.method == "POST" and last.isascii() and last.isdigit() and len(last) <= 18:
        # Nobody says yes to those who came meanwhile.
        say_accepted(request, registration.accept_waiting(user, int(last)))
        return redirect("levity:ocpp_chargepoint_changelist")
    count = rows.count()
    context = {
        **admin_site.each_context(request),
        "title": "Accept all pending",
        "opts": ChargePoint._meta,
        "count": count,
        "shown": f"{count:,}",
        "last": rows.aggregate(last=Max("pk"))["last"],
        "rows": [
            (row, shown_time(row.created_at, site_zone(row)))
            for row in rows.select_related("site").order_by("-created_at", "-pk")[:SHOWN]
        ],
        "more": f"{count - SHOWN:,}" if count > SHOWN else "",
    }
    return TemplateResponse(request, "levity/accept_waiting.html", context)
