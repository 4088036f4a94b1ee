"""Adopting a charger that was refused: with which profile and key it is let in."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.ocpp.chargers.security.reasons import reason
from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.adoption import (
    KEEP,
    NEW,
    NONE,
    PERMISSIONS,
    PRESENTED,
    adopt,
    fitting_profile,
    is_adoptable,
    is_short,
    known_as,
)
from levity.ocpp.decisions.keys import WITH_KEY, has_key
from levity.ocpp.models import ChargePoint, RefusedHandshake, SecurityProfile, Site
from levity.ocpp.visibility import visible
from levity.pages.chargers.security import shown_once
from levity.pages.kit.formats import shown_time
from levity.pages.kit.once import sent_once
from levity.pages.site import site

__all__ = ["NAME", "adopt_view"]

NAME = "ocpp_refusedhandshake_adopt"


class AdoptForm(forms.Form):
    """With what it is let in."""

    name = forms.CharField(
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="A descriptive name; optional.",
    )
    site = forms.ModelChoiceField(
        Site.objects.none(), required=False, widget=UnfoldAdminSelectWidget
    )
    profile = forms.TypedChoiceField(
        coerce=int, choices=SecurityProfile.choices, widget=UnfoldAdminSelectWidget
    )
    key = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    allow_short = forms.BooleanField(
        label="Allow a short or empty key",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Anyone who knows the identity can then impersonate this charger.",
    )

    def __init__(
        self, *args: Any, item: RefusedHandshake, known: ChargePoint | None, user: Any, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        choices = [(NEW, "a new key, shown once: enter it in the charger")]
        if item.key_digest:
            length = item.key_length or 0
            choices.insert(0, (PRESENTED, f"the key that it presented ({length} bytes)"))
        if known and has_key(known):
            choices.append((KEEP, "the key that is set here"))
        choices.append((NONE, "none (profiles 0 and 3)"))
        self.fields["key"].choices = choices  # type: ignore[attr-defined]
        if known:
            del self.fields["name"], self.fields["site"]
        else:
            found = visible(Site.objects.order_by("name"), user)
            self.fields["site"].queryset = found  # type: ignore[attr-defined]
        if not is_short(item):
            del self.fields["allow_short"]
        profile = fitting_profile(item, known)
        self.fields["profile"].initial = profile
        if not item.secure:
            self.fields["profile"].help_text = (
                "It connected without TLS: with profile 2 or 3 it is accepted only when its "
                "address begins with wss://."
            )
        if profile in WITH_KEY:
            self.fields["key"].initial = PRESENTED if item.key_digest else NEW
        else:
            self.fields["key"].initial = NONE


@sent_once
def adopt_view(request: HttpRequest, pk: int) -> HttpResponse:
    """What will be set, and then it is."""
    user: Any = request.user
    if not user.has_perms(PERMISSIONS):
        raise PermissionDenied
    item = get_object_or_404(visible(RefusedHandshake.objects.all(), user), pk=pk)
    if not is_adoptable(item):
        messages.warning(request, "This one can't be adopted: see its row for what to do.")
        return redirect("levity:ocpp_refusedhandshake_changelist")
    known = known_as(item)
    if request.method != "POST":
        return _ask(request, item, known, AdoptForm(item=item, known=known, user=user))
    form = AdoptForm(request.POST, item=item, known=known, user=user)
    if not form.is_valid():
        return _ask(request, item, known, form)
    try:
        adopted = adopt(item, who=user, **form.cleaned_data)
    except Refused as error:
        form.add_error(None, error.sentence)
        return _ask(request, item, known, form)
    row = adopted.charge_point
    said = f"{row} will be accepted at its next attempt, usually within a minute."
    if adopted.key:
        return shown_once(request, row, adopted.key, said)
    messages.success(request, said)
    return redirect("levity:ocpp_chargepoint_change", row.pk)


def _ask(
    request: HttpRequest,
    item: RefusedHandshake,
    known: ChargePoint | None,
    form: AdoptForm,
) -> HttpResponse:
    context = {
        **site.each_context(request),
        "opts": RefusedHandshake._meta,
        "title": f"Adopt {item.identity}",
        "item": item,
        "why": reason(item.reason),
        "known": known,
        "first": shown_time(item.first_at),
        "last": shown_time(item.last_at),
        "form": form,
        "media": form.media,
    }
    return TemplateResponse(request, "levity/doctor_adopt.html", context)
