"""The door for charge points that nobody knows: the banner that says it is open, and the page that
closes it and opens it again."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from levity.ocpp.decisions import door

__all__ = ["NAME", "banner", "door_view"]

NAME = "ocpp_chargepoint_door"


def banner(request: HttpRequest) -> dict[str, Any] | None:
    """What the banner says: why this installation can be reached from outside; None: no banner."""
    user: Any = request.user
    if not user.has_perm("ocpp.view_chargepoint") or not door.is_open_to_all(seen := door.state()):
        return None
    why = door.why_outside(seen)
    return {"why": why, "may_close": door.may_close(user)} if why else None


def door_view(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """GET: is it open, and since when not; POST: close it (`closed=1`), or open it."""
    if not door.may_close(request.user):
        raise PermissionDenied
    if request.method == "POST":
        closed = request.POST.get("closed") == "1"
        door.close(request.user, closed=closed)
        said = (
            "New charge points are no longer admitted. Those on the list are not affected."
            if closed
            else "New charge points are admitted: a charge point that is not on the list is added "
            "when it connects."
        )
        messages.success(request, said)
        return redirect("levity:ocpp_chargepoint_changelist")
    seen = door.state()
    context = {
        **admin_site.each_context(request),
        "title": "New charge points",
        "row": seen,
        "is_open": door.is_open_to_all(seen),
        "why": door.why_outside(seen),
    }
    return TemplateResponse(request, "levity/door_page.html", context)
