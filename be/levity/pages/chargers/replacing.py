"""New hardware in the place of a charge point: the page that asks which."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from unfold.widgets import UnfoldAdminTextInputWidget

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.charge_points import may_add, needs_key
from levity.ocpp.decisions.replacing import replace
from levity.ocpp.decisions.reservations import open_reservations
from levity.ocpp.decisions.taking_over import standing_profiles
from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import shown_time, site_zone
from levity.pages.kit.once import sent_once
from levity.pages.site import site

__all__ = ["Replacing", "replace_link"]

PAGE = "ocpp_chargepoint_replace"
OFFERED = 50


class NewHardware(forms.Form):
    """Which charger takes the place."""

    identity = forms.CharField(
        label="Identity of the new charger",
        max_length=48,
        widget=UnfoldAdminTextInputWidget(
            attrs={"list": "lv-newest", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="The last part of its websocket URL, whether it has connected yet or not.",
    )


def replace_link(request: HttpRequest, charge_point: ChargePoint) -> list[tuple[str, str]]:
    """The way there from its page, for who may go it."""
    user: Any = request.user
    if charge_point.retired_at or not user.has_perm("ocpp.change_chargepoint"):
        return []
    return [(gettext("Replace…"), reverse(f"levity:{PAGE}", args=[charge_point.pk]))]


class Replacing:
    """For the admin of charge points."""

    def get_urls(self) -> list[URLPattern]:
        """Where somebody is asked."""
        page = path("<int:pk>/replace/", site.admin_view(replace_view), name=PAGE)
        return [page, *super().get_urls()]  # type: ignore[misc]  # a mixin


@sent_once
def replace_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and do it."""
    user: Any = request.user
    if not user.has_perm("ocpp.change_chargepoint"):
        raise PermissionDenied
    seen = visible(ChargePoint.objects.all(), user)
    row = get_object_or_404(seen, pk=pk)
    form = NewHardware(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            done = replace(row, form.cleaned_data["identity"], user, timezone.now())
        except Refused as error:
            form.add_error("identity", error.sentence)
        except ValidationError as error:
            form.add_error("identity", error.messages)
        else:
            messages.success(
                request,
                f"{done.new.identity} is in the place of {done.old.identity}, which is retired "
                f"with its sessions. {done.taken.sentence}".strip(),
            )
            for said in done.taken.left:
                messages.warning(request, said)
            if needs_key(done.new):
                messages.info(
                    request, "It needs a key of its own to connect: see the page “Security”."
                )
            return redirect("levity:ocpp_chargepoint_change", done.new.pk)
    now = timezone.now()
    offered = seen.filter(retired_at=None, transactions=None).exclude(pk=row.pk)
    context = {
        **site.each_context(request),
        "opts": ChargePoint._meta,
        "title": f"Replace {row}",
        "charge_point": row,
        "form": form,
        "may_add": may_add(user),
        "reservations": [
            (item, shown_time(item.ends_at, site_zone(row))) for item in open_reservations(row, now)
        ],
        "profiles": standing_profiles(row, now),
        "offered": offered.order_by("-pk").values_list("identity", flat=True)[:OFFERED],
        "back": reverse("levity:ocpp_chargepoint_change", args=[pk]),
    }
    return TemplateResponse(request, "levity/replace.html", context)
