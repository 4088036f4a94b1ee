"""One button for all charge points that wait to be accepted, however many there are."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import shown_time, site_zone
from levity.pages.kit.many import change_all

__all__ = ["NAME", "accept", "accept_all_view", "waiting"]

NAME = "ocpp_chargepoint_accept_all"
SHOWN = 50
ACCEPTED, PENDING = ChargePoint.Registration.ACCEPTED, ChargePoint.Registration.PENDING


def waiting(request: HttpRequest) -> int:
    """How many pending charge points this person may accept; 0 where he may accept none."""
    user: Any = request.user
    return _pending(user).count() if user.has_perm("ocpp.change_chargepoint") else 0


def accept(request: HttpRequest, rows: QuerySet[ChargePoint]) -> None:
    """Let these in, and say how many they were."""
    count = change_all(
        request,
        rows,
        lambda found: ChargePoint.objects.filter(pk__in=[row.pk for row in found]).update(
            registration=ACCEPTED
        ),
        CHANGE,
        "registration accepted",
    )
    messages.success(
        request,
        f"Accepted: {count:,}. A pending charger is told with its next BootNotification, within "
        f"{setting('OCPP_PENDING_INTERVAL')} s.",
    )


def accept_all_view(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """GET: how many wait, and who; POST: accept all that were there when the page was made."""
    user: Any = request.user
    if not user.has_perm("ocpp.change_chargepoint"):
        raise PermissionDenied
    rows = _pending(user)
    last = request.POST.get("last", "")
    if request.method == "POST" and last.isascii() and last.isdigit() and len(last) <= 18:
        # Nobody says yes to those who came meanwhile.
        accept(request, rows.filter(pk__lte=int(last)))
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
    return TemplateResponse(request, "levity/accept_all.html", context)


def _pending(user: Any) -> QuerySet[ChargePoint]:
    rows = ChargePoint.objects.filter(registration=PENDING, retired_at__isnull=True)
    return visible(rows, user)
