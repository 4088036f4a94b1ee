"""The security of a charge point: its profile, its key, and who was refused in its name.

Every change has its page: GET explains and asks, POST (with CSRF token and permission) does it.
A key is shown once, on the answer to the POST.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import keys
from levity.ocpp.models import (
    ChargePoint,
    Command,
    Credential,
    RefusedHandshake,
    SecurityProfile,
)
from levity.ocpp.v16.guards import SECURITY_PROFILE
from levity.ocpp.versions import version_of
from levity.ocpp.visibility import visible
from levity.pages.chargers.security_changes import CHANGES, Change
from levity.pages.kit.formats import change_link, list_url, shown_time, site_zone
from levity.pages.kit.once import sent_once, was_done
from levity.pages.site import site

__all__ = ["PAGE", "security_link", "security_urls", "shown_once"]

PAGE = "ocpp_chargepoint_security"
LATEST = 10


def security_link(request: HttpRequest, row: ChargePoint) -> list[tuple[str, str]]:
    """(title, address) of the page, for somebody who may change what stands there."""
    return (
        [(gettext("Security"), reverse(f"levity:{PAGE}", args=[row.pk]))] if _may(request) else []
    )


def security_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The page, and one for each change."""
    page = path("<int:charge_point_id>/security/", site.admin_view(security_view), name=PAGE)
    return [
        page,
        *(
            path(
                f"<int:charge_point_id>/security/{kind}/",
                site.admin_view(change_view),
                {"kind": kind},
                name=f"{PAGE}_{kind}",
            )
            for kind in CHANGES
        ),
    ]


def security_view(request: HttpRequest, charge_point_id: int) -> HttpResponse:
    """What is set, and what can be done about it."""
    row = _charge_point(request, charge_point_id)
    credential = Credential.objects.filter(charge_point=row).first() or Credential()
    refused = RefusedHandshake.objects.filter(identity__iexact=row.identity).order_by("-last_at")
    last = refused.first()
    sent = Command.objects.filter(
        charge_point=row, action=version_of(row.subprotocol).asks.key("")[0], source=keys.SOURCE
    ).order_by("-pk")
    zone = site_zone(row)
    context = {
        **site.each_context(request),
        "opts": ChargePoint._meta,
        "title": f"Security of {row}",
        "charge_point": row,
        "profile": SecurityProfile(row.security_profile).label,
        "is_open": row.security_profile == SecurityProfile.OPEN,
        "credential": credential,
        "set_at": shown_time(credential.set_at, zone),
        "buttons": [
            (change, reverse(f"levity:{PAGE}_{kind}", args=[row.pk]))
            for kind, change in CHANGES.items()
        ],
        "is_locked": keys.is_locked(row),
        "refusals": refused.count(),
        "last_refused": shown_time(last.last_at, zone) if last else "",
        "refusals_url": list_url(RefusedHandshake, q=row.identity),
        "commands": [
            {
                "link": change_link(Command, item.pk, _what(item)),
                "at": shown_time(item.created_at, zone),
                "state": item.get_state_display(),
                "result": item.result_status or item.error_description,
            }
            for item in sent[:LATEST]
        ],
    }
    return TemplateResponse(request, "levity/security.html", context)


@sent_once
def change_view(request: HttpRequest, charge_point_id: int, kind: str) -> HttpResponse:
    """The question, and its answer."""
    row = _charge_point(request, charge_point_id)
    change = CHANGES[kind]
    if request.method != "POST":
        initial = {"profile": row.security_profile if kind == "profile" else None}
        return _ask(request, row, change, change.form(initial=initial))
    form = change.form(request.POST)
    if form.is_valid():
        try:
            done = change.do(row, form.cleaned_data, request.user)
        except Refused as error:
            form.add_error(None, error.sentence)
        else:
            if done.key:
                return shown_once(request, row, done.key, done.said)
            messages.success(request, done.said)
            return redirect(f"levity:{PAGE}", row.pk)
    return _ask(request, row, change, form)


def shown_once(request: HttpRequest, row: ChargePoint, key: str, said: str) -> HttpResponse:
    """The page with the key: not kept by the browser, and nowhere to be had again."""
    context = {
        **site.each_context(request),
        "opts": ChargePoint._meta,
        "title": f"Key of {row}",
        "charge_point": row,
        "key": key,
        "said": said,
    }
    response = TemplateResponse(request, "levity/security_key.html", context)
    response.headers["Cache-Control"] = "no-store"
    return was_done(response)


def _ask(request: HttpRequest, row: ChargePoint, change: Change, form: forms.Form) -> HttpResponse:
    context = {
        **site.each_context(request),
        "opts": ChargePoint._meta,
        "title": change.title,
        "change": change,
        "form": form,
        "media": form.media,
        "charge_point": row,
        "back": reverse(f"levity:{PAGE}", args=[row.pk]),
    }
    return TemplateResponse(request, "levity/security_change.html", context)


def _charge_point(request: HttpRequest, charge_point_id: int) -> ChargePoint:
    if not _may(request):
        raise PermissionDenied
    rows = visible(ChargePoint.objects.select_related("site"), request.user)
    return get_object_or_404(rows, pk=charge_point_id)


def _may(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm(keys.CHANGE))


def _what(command: Command) -> str:
    payload = command.payload if isinstance(command.payload, dict) else {}
    if payload.get("key") == SECURITY_PROFILE:
        return f"{SECURITY_PROFILE} {payload.get('value')}"
    return str(payload.get("key", command.action))
