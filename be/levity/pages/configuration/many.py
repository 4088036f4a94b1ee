"""One key of many chargers: which, what value, are you sure. How far it has come is on the page of
the mass command."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from levity.ocpp.commands.sending import SEND
from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import configuration
from levity.ocpp.models import ChargePoint, ConfigurationKey
from levity.ocpp.versions import V16
from levity.ocpp.visibility import visible
from levity.pages.configuration.forms import ValueForm
from levity.pages.configuration.rows import PAGE
from levity.pages.kit.going_on import KEYS, keys_in
from levity.pages.site import site

__all__ = ["MOST", "many_urls"]

MOST = 5_000
"""Chargers of one change: their keys stand in the form."""
NAMED = 20


class KeyForm(forms.Form):
    """Which key."""

    key = forms.CharField(
        label="Key",
        max_length=50,
        widget=UnfoldAdminTextInputWidget(
            attrs={"list": "lv-keys-known", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="Such as HeartbeatInterval.",
    )


def many_urls() -> list[URLPattern]:
    """The form."""
    return [path("many/", site.admin_view(many_view), name=f"{PAGE}_many")]


def many_view(request: HttpRequest) -> HttpResponse:
    """GET, or a POST without a value, asks for the key, then for the value; POST sends it."""
    given = request.POST if KEYS in request.POST else request.GET
    keys = keys_in(given.get(KEYS, "")) or []
    rows = _chosen(request, keys)
    if not rows:
        messages.warning(request, "Select some charge points first.")
        return redirect("levity:ocpp_chargepoint_changelist")
    asked = request.POST if "key" in request.POST else request.GET
    key = asked.get("key", "").strip()[:50]
    chosen = KeyForm(asked if key else None)
    is_sent = request.method == "POST" and "id" in request.POST
    context: dict[str, Any] = {
        **site.each_context(request),
        "opts": ConfigurationKey._meta,
        "title": "Change a key of many chargers",
        "rows": [str(row) for row in rows[:NAMED]],
        "count": len(rows),
        "more": max(0, len(rows) - NAMED),
        "ids": ",".join(map(str, keys)),
        "address": reverse(f"levity:{PAGE}_many"),
        "key": key,
        "known": [info.key for info in V16.configuration.keys if not info.readonly],
        "key_form": chosen,
        "back": reverse("levity:ocpp_chargepoint_changelist"),
    }
    if not key:
        return TemplateResponse(request, "levity/configuration_many.html", context)
    info = V16.configuration.about(key)
    dangers = {configuration.danger_of(row, key, None) for row in rows}
    form = ValueForm(
        request.POST if is_sent else None,
        key=info.key if info is not None else key,
        info=info,
        now=None,
        danger=" ".join(sorted(filter(None, dangers))),
    )
    if is_sent and form.is_valid():
        try:
            done = configuration.change_many(
                ChargePoint.objects.filter(pk__in=[row.pk for row in rows]),
                key,
                form.as_text(),
                request.user,
                sure=form.is_sure,
                batch=_batch(form.cleaned_data["id"]),
            )
        except Refused as error:
            form.add_error("value", error.sentence)
        else:
            for left in done.left:
                names = ", ".join(left.names)
                messages.warning(request, f"{left.count} left out ({names}): {left.why}.")
            if done.mass is not None:
                return redirect("levity:ocpp_masscommand_change", done.mass.pk)
    context |= {
        "form": form,
        "media": form.media,
        "info": info,
        "is_boxes": "others" in form.fields,
    }
    return TemplateResponse(request, "levity/configuration_many.html", context)


def _chosen(request: HttpRequest, keys: list[int]) -> list[ChargePoint]:
    """Those of these that this person may see."""
    user: Any = request.user
    if not user.has_perm(SEND) or not user.has_perm("ocpp.view_configurationkey"):
        raise PermissionDenied
    if len(keys) > MOST:
        raise Http404(f"at most {MOST:,} at once")
    rows = visible(ChargePoint.objects.filter(pk__in=keys), user)
    return list(rows.order_by("identity"))


def _batch(batch: uuid.UUID) -> str:
    return f"{configuration.SOURCE}: many {batch}"
