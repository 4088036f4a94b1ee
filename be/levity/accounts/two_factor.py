"""The pages of the second step: enter a code, set it up, get recovery codes, switch it off."""

from base64 import b32encode
from math import ceil
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django_otp import login as note_device
from unfold.widgets import UnfoldAdminTextInputWidget

from levity.accounts import second_step
from levity.ocpp.audit import note
from levity.secrets.sealing import Unreadable

__all__ = ["codes", "manage", "off", "verify"]

SHOWN_ONCE = "two_factor_codes"


class CodeForm(forms.Form):
    """One code, from the phone or a recovery code; spaces do not matter."""

    code = forms.CharField(
        label="Code",
        max_length=20,
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "off",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )

    def clean_code(self) -> str:
        """The code without separators."""
        typed: str = self.cleaned_data["code"]
        code = typed.replace(" ", "").replace("-", "").lower()
        if not code.isascii() or not code.isalnum():
            raise forms.ValidationError("A code contains only digits or letters.")
        return code


def verify(request: HttpRequest) -> HttpResponse:
    """The code that completes a login."""
    user: Any = request.user
    wanted = _next(request)
    if user.is_verified() or not second_step.is_on(user):
        return HttpResponseRedirect(wanted)
    if request.method == "POST" and "leave" in request.POST:
        logout(request)
        return redirect("levity:login")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            device = second_step.check_code(user, form.cleaned_data["code"])
        except Unreadable:
            return _page(request, "verify.html", "One more step", form=_lost(form), next=wanted)
        if device is not None:
            # Another session key, so that the one of the half-finished login is worthless.
            request.session.cycle_key()
            note_device(request, device)
            left = second_step.codes_left(user)
            if not form.cleaned_data["code"].isdigit() and left <= 3:
                messages.warning(request, f"{left} recovery codes are left: generate new ones.")
            return HttpResponseRedirect(wanted)
        form.add_error("code", _why_not(user, form.cleaned_data["code"]))
    return _page(request, "verify.html", "One more step", form=form, next=wanted)


def manage(request: HttpRequest) -> HttpResponse:
    """Set the second step up, or show its state."""
    user: Any = request.user
    if second_step.is_on(user):
        if not user.is_verified():
            return redirect("levity:two_factor_verify")
        shown = request.session.pop(SHOWN_ONCE, [])
        return _page(
            request,
            "two_factor.html",
            "Two-factor login",
            codes=shown,
            left=second_step.codes_left(user),
            is_required=settings.LEVITY_REQUIRE_TWO_FACTOR,
        )
    device = second_step.new_device(user)
    if request.method == "POST" and "anew" in request.POST:
        second_step.renew(device)
        return redirect("levity:two_factor")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if second_step.confirm(device, form.cleaned_data["code"]):
            user.has_second_step = True
            request.session.cycle_key()
            note_device(request, device)
            request.session[SHOWN_ONCE] = second_step.new_codes(user)
            note(user, [user], "two-factor login switched on")
            messages.success(request, "Two-factor login is on.")
            return redirect("levity:two_factor")
        form.add_error("code", _why_not(user, "", device))
    secret = _base32(device)
    return _page(
        request,
        "enrol.html",
        "Set up two-factor login",
        form=form,
        picture=segno.make(device.config_url, error="m").svg_data_uri(scale=5, light="#fff"),
        secret=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        is_required=settings.LEVITY_REQUIRE_TWO_FACTOR,
    )


def codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, in exchange for a code from the phone."""
    return _with_code(request, "New recovery codes", _new_codes)


def off(request: HttpRequest) -> HttpResponse:
    """Switch the second step off, in exchange for a code."""
    if settings.LEVITY_REQUIRE_TWO_FACTOR:
        messages.error(request, "Two-factor login is required for everyone here.")
        return redirect("levity:two_factor")
    return _with_code(request, "Switch two-factor login off", _switch_off, is_dangerous=True)


def _new_codes(request: HttpRequest) -> None:
    request.session[SHOWN_ONCE] = second_step.new_codes(request.user)
    note(request.user, [request.user], "new two-factor recovery codes")  # type: ignore[list-item]


def _switch_off(request: HttpRequest) -> None:
    second_step.switch_off(request.user)
    note(request.user, [request.user], "two-factor login switched off")  # type: ignore[list-item]
    messages.success(request, "Two-factor login is off.")


def _with_code(
    request: HttpRequest, title: str, action: Any, *, is_dangerous: bool = False
) -> HttpResponse:
    """A stranger at an unlocked screen has no phone, so everything that weakens the login asks for
    a code."""
    user: Any = request.user
    if not second_step.is_on(user):
        return redirect("levity:two_factor")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            device = second_step.check_code(user, form.cleaned_data["code"])
        except Unreadable:
            return _page(
                request, "with_code.html", title, form=_lost(form), is_dangerous=is_dangerous
            )
        if device is not None:
            action(request)
            return redirect("levity:two_factor")
        form.add_error("code", _why_not(user, form.cleaned_data["code"]))
    return _page(request, "with_code.html", title, form=form, is_dangerous=is_dangerous)


def _lost(form: CodeForm) -> CodeForm:
    """The form, which says why no code can help."""
    form.add_error(
        "code",
        "Codes can no longer be checked because the server's SECRET_KEY was changed. The server's "
        "administrator can let you in with: levity two_factor YOUR-NAME --off",
    )
    return form


def _why_not(user: Any, code: str, device: Any = None) -> str:
    if device is not None:
        device.refresh_from_db()
        _, reason = device.verify_is_allowed()
        until = (reason or {}).get("locked_until")
    else:
        until = second_step.waiting_until(user, code)
    if until is not None and (seconds := ceil((until - timezone.now()).total_seconds())) > 0:
        return f"Wrong code, or entered too soon after a wrong one. Try again in {seconds} s."
    return (
        "Wrong code, or already used. Wait for the next one; if that fails as well, the phone's "
        "clock may be wrong."
    )


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if wanted and is_ours else reverse("levity:index")


def _base32(device: Any) -> str:
    return b32encode(device.bin_key).decode()


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    return TemplateResponse(
        request,
        f"accounts/{template}",
        {**admin.site.each_context(request), "title": title, **context},
    )
