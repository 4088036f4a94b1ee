"""“Maximum current of this charger: 16 A”: one field with a slider on the charger's page.

POST (with CSRF token and permission) sends the limit and asks the charger whether it holds; the
page says so as soon as the answers come.
"""

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_noop

from levity.ocpp.commands.limits import (
    LEAST,
    STEP,
    Limit,
    Verdict,
    limit_of,
    most_of,
    remove_limit,
    set_limit,
    shown,
)
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.versions import version_of
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import badge, change_link, refusal, said, shown_time, site_zone

__all__ = ["NAME", "limit_urls", "limits_now"]

NAME = "ocpp_chargepoint_limit"
SOURCE = "admin"
WORDS = {
    Verdict.WAITING: (gettext_noop("on its way"), "busy"),
    Verdict.CHECKING: (gettext_noop("checking"), "busy"),
    Verdict.PROVED: (gettext_noop("proved"), "good"),
    Verdict.ACCEPTED: (gettext_noop("accepted, not checked"), "warn"),
    Verdict.DOUBTED: (gettext_noop("doubted"), "bad"),
    Verdict.REFUSED: (gettext_noop("refused"), "bad"),
    Verdict.FAILED: (gettext_noop("not set"), "bad"),
    Verdict.REMOVED: (gettext_noop("removed"), "plain"),
}


class LimitForm(forms.Form):
    """How many A; the decision checks the range."""

    key = forms.UUIDField()
    amperes = forms.DecimalField(required=False, max_digits=5, decimal_places=1)
    way = forms.CharField(required=False, max_length=20)
    phases = forms.IntegerField(required=False)
    remove = forms.CharField(required=False, max_length=10)
    queue_offline = forms.BooleanField(required=False)


def limit_urls(site: Any) -> list[URLPattern]:
    """Where the form leads."""
    return [path("<int:charge_point_id>/limit/", site.admin_view(limit_view), name=NAME)]


def limit_view(request: HttpRequest, charge_point_id: int) -> HttpResponse:
    """Set or remove it, once however often the button was pressed."""
    user: Any = request.user
    if not user.has_perm("ocpp.add_command"):
        raise PermissionDenied
    rows = visible(ChargePoint.objects.all(), user)
    charge_point = get_object_or_404(rows, pk=charge_point_id)
    there = redirect(f"{reverse('levity:ocpp_chargepoint_change', args=[charge_point.pk])}#limit")
    if request.method != "POST":
        return there
    form = LimitForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Enter the maximum current in A, such as 16 or 10.5."))
        return there
    try:
        _decide(charge_point, form.cleaned_data, user)
    except Refused as error:
        messages.error(request, refusal(error))
    return there


def _decide(charge_point: ChargePoint, given: dict[str, Any], user: Any) -> None:
    common = {
        "source": SOURCE,
        "idempotency_key": f"{SOURCE}:{user.pk}:{given['key']}",
        "queue_offline": given["queue_offline"],
    }
    if given["remove"]:
        remove_limit(charge_point, user, **common)
        return
    set_limit(
        charge_point,
        given["amperes"] or Decimal(0),
        user,
        way=given["way"],
        phases=given["phases"] or 3,
        **common,
    )


def limits_now(request: HttpRequest, charge_point: ChargePoint) -> dict[str, Any]:
    """What the charger's page shows: the field, and how sure it is that the limit holds."""
    user: Any = request.user
    may_send, may_look = user.has_perm("ocpp.add_command"), user.has_perm("ocpp.view_command")
    if not (may_send or may_look):
        return {}
    limit, most = limit_of(charge_point), most_of(charge_point)
    context: dict[str, Any] = {"limit": limit, "limit_shown": _shown(charge_point, limit, may_look)}
    if may_send:
        context |= {
            "limit_url": reverse(f"levity:{NAME}", args=[charge_point.pk]),
            "limit_key": uuid.uuid4(),
            "limit_value": shown(limit.amperes or min(most, Decimal(16))),
            "limit_least": shown(LEAST),
            "limit_most": shown(most),
            "limit_step": shown(STEP),
            "limit_ways": {
                way: said(title)
                for way, title in version_of(charge_point.subprotocol).limits.ways.items()
            },
        }
    return context


def _shown(charge_point: ChargePoint, limit: Limit, may_look: bool) -> dict[str, Any]:
    word, tone = WORDS.get(limit.verdict, ("", ""))
    command = limit.command
    return {
        "sentence": limit.told.in_words(gettext),
        "badge": badge(gettext(word), tone) if word else "",
        "at": shown_time(command.created_at, site_zone(charge_point)) if command else "",
        "links": [
            change_link(Command, each.pk, title)
            for each, title in ((command, gettext("order")), (limit.check, gettext("check")))
            if each is not None and may_look
        ],
        "other_way": limit.other_way,
        "is_set": limit.amperes is not None,
    }
