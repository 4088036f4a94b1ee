"""From a button in the admin to a row in the queue: every command goes through `send_view`.

GET shows the form; POST (with CSRF token, permission and a key that makes a second click the
same command) queues it, writes who did it into the log of the admin, and shows the command.
"""

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.crypto import salted_hmac

from levity.ocpp.commands.sending import send
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.versions import version_of
from levity.ocpp.visibility import visible
from levity.pages.calls.command_form import CommandForm
from levity.pages.calls.examples import examples
from levity.pages.calls.kinds import ANY, KINDS, Kind
from levity.pages.calls.plot import plot_of
from levity.pages.site import site

__all__ = ["SOURCE", "key_of", "prefilled", "queue_from_form", "render_form", "send_view"]

SOURCE = "admin"
CREATED = "created"


def send_view(request: HttpRequest, charge_point_id: int, kind: str) -> HttpResponse:
    """The form of one kind of command to one charge point, and its sending."""
    if not request.user.has_perm("ocpp.add_command"):
        raise PermissionDenied
    if kind not in KINDS:
        raise Http404(f"no command is called {kind}")
    found = visible(ChargePoint.objects.all(), request.user)
    charge_point = get_object_or_404(found, pk=charge_point_id)
    chosen = KINDS[kind]
    user = request.user
    if request.method != "POST":
        form = chosen.form(charge_point=charge_point, user=user)
        return render_form(request, chosen, prefilled(form, request), charge_point)
    form = chosen.form(request.POST, charge_point=charge_point, user=user)
    if not form.is_valid() or request.POST.get("preview"):
        return render_form(request, chosen, form, charge_point)
    return queue_from_form(request, form, charge_point)


def prefilled(form: CommandForm, request: HttpRequest) -> CommandForm:
    """With what the address says: `?connectorId=1`, or `?call=` and an action for the JSON box."""
    form.prefill(request.GET.dict())
    return form


def queue_from_form(
    request: HttpRequest, form: CommandForm, charge_point: ChargePoint
) -> HttpResponse:
    """Queue what the form says, once, and show the command."""
    action, payload = form.action, form.payload()
    key = key_of(request, form, action, payload)
    command = send(
        charge_point,
        action,
        payload,
        request.user,
        source=SOURCE,
        queue_offline=form.cleaned_data["queue_offline"],
        idempotency_key=key,
    ).command
    messages.success(request, f"{action} was queued for {charge_point}.")
    if request.user.has_perm("ocpp.view_command"):
        return redirect("levity:ocpp_command_change", command.pk)
    return redirect("levity:index")


def key_of(request: HttpRequest, form: CommandForm, action: str, payload: dict[str, Any]) -> str:
    """What makes a second click the same command.

    The same form with other content is another command, after "back" in the browser, too.
    """
    # With SECRET_KEY in it: the payload may hold a password that is easily guessed.
    content = salted_hmac(SOURCE, f"{action}{json.dumps(payload, sort_keys=True)}").hexdigest()
    return f"{SOURCE}:{request.user.pk}:{form.cleaned_data['key']}:{content[:16]}"


def render_form(
    request: HttpRequest,
    kind: Kind,
    form: CommandForm,
    charge_point: ChargePoint | None,
) -> HttpResponse:
    """The page with the form; 200 also where the form has errors, as everywhere in the admin."""
    context: dict[str, Any] = {
        **site.each_context(request),
        "opts": ChargePoint._meta if charge_point else Command._meta,
        "title": kind.title,
        "kind": kind,
        "form": form,
        "media": form.media,
        "charge_point": charge_point,
        # Asked for by the template, if at all.
        "examples": (lambda: _examples(form)) if kind.described is None else None,
        "as_json": _json_address(kind, charge_point),
        "has_schedule": charge_point is not None and _has_schedule(kind),
        "plot": _plot(form, charge_point),
    }
    return TemplateResponse(request, "levity/send.html", context)


def _examples(form: CommandForm) -> dict[str, str]:
    found = examples(form.facts)
    return {action: json.dumps(payload, indent=2) for action, payload in found.items()}


def _json_address(kind: Kind, charge_point: ChargePoint | None) -> str:
    """Where the same is written as JSON."""
    if kind.described is None or charge_point is None:
        return ""
    address = reverse("levity:ocpp_chargepoint_send", args=[charge_point.pk, ANY])
    return f"{address}?call={kind.described.action}"


def _has_schedule(kind: Kind) -> bool:
    fields = kind.described.fields if kind.described else ()
    return any(item.at.endswith("chargingSchedulePeriod") for item in fields)


def _plot(form: CommandForm, charge_point: ChargePoint | None) -> dict[str, Any]:
    """Of the schedule that is filled in, before it is sent."""
    if charge_point is None or not form.is_bound or not form.is_valid():
        return {}
    limits = version_of(charge_point.subprotocol).limits
    return plot_of(limits.schedule(form.payload(), None), form.facts.zone)
