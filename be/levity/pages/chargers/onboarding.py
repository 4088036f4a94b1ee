"""Onboarding: the banner that says that strangers can add charge points, and the page that stops
admitting new ones and admits them again."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from levity.ocpp.decisions import onboarding
from levity.ocpp.models import Installation

__all__ = ["NAME", "banner", "onboarding_view"]

NAME = "ocpp_chargepoint_onboarding"


def banner(request: HttpRequest, known: Installation | None = None) -> dict[str, Any] | None:
    """What the banner says: why this installation can be reached from outside; None: no banner.

    `known`: what was decided and seen so far, where the caller has read it.
    """
    user: Any = request.user
    if not user.has_perm("ocpp.view_chargepoint"):
        return None
    seen = known or onboarding.state()
    if not onboarding.is_open_to_all(seen):
        return None
    why = onboarding.why_outside(seen)
    return {"why": why, "may_close": onboarding.may_close(user)} if why else None


def onboarding_view(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """GET: are new ones admitted, or not since when; POST: stop that (`closed=1`), or resume."""
    if not onboarding.may_close(request.user):
        raise PermissionDenied
    if request.method == "POST":
        closed = request.POST.get("closed") == "1"
        onboarding.close(request.user, closed=closed)
        said = (
            "New charge points are no longer admitted. Those on the list are not affected."
            if closed
            else "New charge points are admitted: a charge point that is not on the list is added "
            "when it connects."
        )
        messages.success(request, said)
        return redirect("levity:ocpp_chargepoint_changelist")
    seen = onboarding.state()
    context = {
        **admin_site.each_context(request),
        "title": "New charge points",
        "row": seen,
        "is_open": onboarding.is_open_to_all(seen),
        "why": onboarding.why_outside(seen),
    }
    return TemplateResponse(request, "levity/onboarding_page.html", context)
