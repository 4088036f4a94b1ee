"""The security of a charge point: its profile, its key, and who was refused in its name.

Every change has its page: GET explains and asks, POST (with CSRF token and permission) does it.
A key is shown once, on the answer to the POST.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.ocpp.chargers.security.keys import LONGEST
from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import keys
from levity.ocpp.decisions.authority.issuing import request_certificate
from levity.ocpp.decisions.security_profiles import raise_profile, set_profile
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
from levity.pages.kit.formats import change_link, list_url, shown_time, site_zone
from levity.pages.site import site
from levity_ws.frozen import frozen

__all__ = ["PAGE", "security_link", "security_urls", "shown_once"]

PAGE = "ocpp_chargepoint_security"
LATEST = 10


class ProfileForm(forms.Form):
    """Which profile."""

    profile = forms.TypedChoiceField(
        coerce=int, choices=SecurityProfile.choices, widget=UnfoldAdminSelectWidget
    )
    lower = forms.BooleanField(
        label="Lower the profile",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=(
            "Only for a lower profile than the current one: it makes the charger easier to "
            "impersonate."
        ),
    )


class RaiseForm(forms.Form):
    """Which profile the charger is to come with."""

    profile = forms.TypedChoiceField(
        coerce=int, choices=SecurityProfile.choices[1:], widget=UnfoldAdminSelectWidget
    )


class KeyForm(forms.Form):
    """A key that the charger has already."""

    key = forms.CharField(
        required=False,
        strip=False,
        max_length=2 * LONGEST,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
        ),
        help_text="As set in the charger: text or hexadecimal digits. At least 16 bytes.",
    )
    allow_short = forms.BooleanField(
        label="Allow a short or empty key",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=(
            "For chargers such as Grizzl-E Smart Connect, which send an empty password. Anyone "
            "who knows the identity can then impersonate this charger."
        ),
    )


@frozen
class Done:
    """What was done, in a sentence; and a key to be shown once, if there is a new one."""

    said: str
    key: str = ""


def _set_profile(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    wanted = values["profile"]
    set_profile(row, wanted, who, lower=values["lower"])
    return Done(f"The security profile is now {wanted}.")


def _generate(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    return Done("A new key is set. The charger can connect only with it.", keys.new_key(row, who))


def _set_key(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    keys.set_key(row, values["key"], who, allow_short=values["allow_short"])
    return Done("The key is set. The charger can connect only with it.")


def _remove_key(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    keys.remove_key(row, who)
    return Done("The key is removed.")


def _rotate(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    return Done(
        "The new key is being sent to the charger. The old key becomes invalid when the charger "
        "has accepted the new one or, if its answer is lost, when it first connects with it.",
        keys.rotate_key(row, who),
    )


def _raise(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    raise_profile(row, values["profile"], who)
    return Done(
        "The command was queued. When the charger has accepted it, reset the charger; the profile "
        "is raised here when the charger first connects with it."
    )


def _ask_for_certificate(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    request_certificate(row, who)
    return Done("The charger was asked for a request. The result appears under “Certificates”.")


def _unlock(row: ChargePoint, values: dict[str, Any], who: Any) -> Done:
    keys.unlock(row, who)
    return Done("Failed key attempts were cleared.")


@frozen
class Change:
    """A button: what it says, what it asks, what it does."""

    title: str
    explanation: str
    form: type[forms.Form]
    do: Callable[[ChargePoint, dict[str, Any], Any], Done]
    is_dangerous: bool = False


CHANGES: dict[str, Change] = {
    "profile": Change(
        "Set profile",
        "What the charger must connect with from now on. An open connection is not closed; later "
        "connections with a lower profile are refused.",
        ProfileForm,
        _set_profile,
        is_dangerous=True,
    ),
    "generate": Change(
        "Generate a key",
        "Generates a random key, shown once. Enter it in the charger: the old key becomes invalid "
        "immediately, so the charger can reconnect only with the new one.",
        forms.Form,
        _generate,
        is_dangerous=True,
    ),
    "set": Change(
        "Set a key",
        "Sets the key that the charger already has. It is never shown again.",
        KeyForm,
        _set_key,
        is_dangerous=True,
    ),
    "remove": Change(
        "Remove the key",
        "Then no key is set. Only where the security profile needs none (0 and 3).",
        forms.Form,
        _remove_key,
        is_dangerous=True,
    ),
    "rotate": Change(
        "Change the key over OCPP",
        "Generates a new key and sends it to the charger (ChangeConfiguration AuthorizationKey). "
        "You need not type anything. If the charger rejects it, the old key stays valid.",
        forms.Form,
        _rotate,
    ),
    "raise": Change(
        "Raise the profile over OCPP",
        "Tells the charger to connect with a higher profile (ChangeConfiguration "
        "SecurityProfile). It must be reset afterwards.",
        RaiseForm,
        _raise,
    ),
    "certificate": Change(
        "Ask for a certificate",
        "Tells the charger to generate a new key and request a certificate from the certificate "
        "authority here (ExtendedTriggerMessage SignChargePointCertificate). With security "
        "profile 2 or 3 the request is signed automatically; otherwise it awaits approval under "
        "“Certificates”.",
        forms.Form,
        _ask_for_certificate,
    ),
    "unlock": Change(
        "Unlock",
        "Clears the failed key attempts for this charger, so that its next key is checked "
        "immediately.",
        forms.Form,
        _unlock,
    ),
}


def security_link(request: HttpRequest, row: ChargePoint) -> list[tuple[str, str]]:
    """(title, address) of the page, for somebody who may change what stands there."""
    return [("Security", reverse(f"levity:{PAGE}", args=[row.pk]))] if _may(request) else []


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
    return response


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
