"""The security of a charge point: its profile, its key, and who was refused in its name.

Every change has its page: GET explains and asks, POST (with CSRF token and permission) does it
and writes who did it into the log of the admin. A key is shown once, on the answer to the POST.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.ocpp.audit import note
from levity.ocpp.chargers.security import keys
from levity.ocpp.commands.lifecycle import NeverSent, queue
from levity.ocpp.decisions.authority.issuing import ask_for_request, current_authority
from levity.ocpp.models import (
    AuthFailure,
    ChargePoint,
    Command,
    Credential,
    RefusedHandshake,
    SecurityProfile,
)
from levity.ocpp.v16.guards import SECURITY_PROFILE
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import change_link, list_url, shown_time, site_zone
from levity.pages.site import site
from levity_ws.frozen import frozen

__all__ = ["PAGE", "CannotChange", "security_link", "security_urls", "shown_once"]

PAGE = "ocpp_chargepoint_security"
SOURCE = "admin: security"
LATEST = 10


class CannotChange(Exception):
    """Not possible as things are; the text says why, and what to do."""


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
        max_length=2 * keys.LONGEST,
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


def _set_profile(row: ChargePoint, values: dict[str, Any], user: Any) -> Done:
    wanted = values["profile"]
    credential = Credential.objects.filter(charge_point=row).first()
    if wanted < row.security_profile and not values["lower"]:
        raise CannotChange(
            f"That is lower than the current profile ({row.security_profile}). Tick “Lower the "
            "profile” to confirm"
        )
    has_key = credential is not None and credential.digest
    if wanted in (SecurityProfile.BASIC, SecurityProfile.BASIC_TLS) and not has_key:
        raise CannotChange(
            "No key is set: generate or set one first, otherwise the charger can't connect"
        )
    ChargePoint.objects.filter(pk=row.pk).update(
        security_profile=wanted, profile_since=timezone.now()
    )
    Credential.objects.filter(charge_point=row).update(next_profile=None)
    return Done(f"The security profile is now {wanted}.")


def _generate(row: ChargePoint, values: dict[str, Any], user: Any) -> Done:
    key = keys.new_key()
    _keep(row, key.encode(), allow_short=False)
    return Done("A new key is set. The charger can connect only with it.", key)


def _set_key(row: ChargePoint, values: dict[str, Any], user: Any) -> Done:
    key = values["key"].encode()
    if len(keys.canonical(key)) < keys.SHORTEST and not values["allow_short"]:
        raise CannotChange(
            "This key is shorter than 16 bytes (32 hexadecimal digits). Generate one, or tick the "
            "box below if the charger supports no longer key"
        )
    _keep(row, key, allow_short=values["allow_short"])
    return Done("The key is set. The charger can connect only with it.")


def _keep(row: ChargePoint, key: bytes, *, allow_short: bool) -> None:
    Credential.objects.update_or_create(
        charge_point=row,
        defaults={
            "digest": keys.digest_of(key),
            "set_at": timezone.now(),
            "allow_short": allow_short,
            "next_digest": "",
            "next_command": None,
        },
    )
    unlock(row.identity)


def _rotate(row: ChargePoint, values: dict[str, Any], user: Any) -> Done:
    key = keys.new_key()
    payload = {"key": "AuthorizationKey", "value": key}
    queue(row, "ChangeConfiguration", payload, source=SOURCE, requested_by=user)
    return Done(
        "The new key is being sent to the charger. The old key becomes invalid when the charger "
        "has accepted the new one or, if its answer is lost, when it first connects with it.",
        key,
    )


def _raise(row: ChargePoint, values: dict[str, Any], user: Any) -> Done:
    payload = {"key": SECURITY_PROFILE, "value": str(values["profile"])}
    if values["profile"] <= row.security_profile:
        raise CannotChange(f"It is already {row.security_profile}")
    queue(row, "ChangeConfiguration", payload, source=SOURCE, requested_by=user)
    return Done(
        "The command was queued. When the charger has accepted it, reset the charger; the profile "
        "is raised here when the charger first connects with it."
    )


def _ask_for_certificate(row: ChargePoint, values: dict[str, Any], user: Any) -> Done:
    if current_authority() is None:
        raise CannotChange(
            "There is no certificate authority: create one with “levity certificate_authority "
            "create”"
        )
    ask_for_request(row, user)
    return Done("The charger was asked for a request. The result appears under “Certificates”.")


def _unlock(row: ChargePoint, values: dict[str, Any], user: Any) -> Done:
    unlock(row.identity)
    return Done("Failed key attempts were cleared.")


def unlock(identity: str) -> None:
    """Forget the wrong guesses for this identity, and those of the addresses from where it was
    kept out."""
    mine = AuthFailure.objects.filter(identity=identity.lower())
    tried_from = Q(address__in=mine.values("address")) | Q(address__in=_locked_at(identity))
    AuthFailure.objects.filter(tried_from, identity="").delete()
    mine.delete()


def _is_locked(identity: str) -> bool:
    """True while wrong keys are counted that concern it."""
    here = AuthFailure.objects.filter(identity="", address__in=_locked_at(identity))
    return here.exists() or AuthFailure.objects.filter(identity=identity.lower()).exists()


def _locked_at(identity: str) -> QuerySet[Any]:
    """Where it was kept out for what others guessed there."""
    refused = RefusedHandshake.objects.filter(identity__iexact=identity, reason="locked")
    return refused.order_by().values("address")


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
        charge_point=row, action="ChangeConfiguration", source=SOURCE
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
        "is_locked": _is_locked(row.identity),
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
            with transaction.atomic():
                done = change.do(row, form.cleaned_data, request.user)
                # Never the key, nor what was typed.
                note(request, [row], CHANGE, f"security: {change.title.lower()}")
        except (CannotChange, NeverSent) as error:
            form.add_error(None, str(error)[:1].upper() + str(error)[1:] + ".")
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
    return bool(user.has_perm("ocpp.change_credential"))


def _what(command: Command) -> str:
    payload = command.payload if isinstance(command.payload, dict) else {}
    if payload.get("key") == SECURITY_PROFILE:
        return f"{SECURITY_PROFILE} {payload.get('value')}"
    return str(payload.get("key", command.action))
