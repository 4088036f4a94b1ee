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
from django.utils.crypto import salted_hmac

from levity.ocpp.commands.sending import send
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.visibility import visible
from levity.pages.chargers import command_forms as forms
from levity.pages.site import site
from levity_ws.frozen import frozen

__all__ = ["KINDS", "SOURCE", "Kind", "key_of", "queue_from_form", "render_form", "send_view"]

SOURCE = "admin"
CREATED = "created"


@frozen
class Kind:
    """A button: what it says, which form stands behind it, and what to think of first."""

    title: str
    form: type[forms.CommandForm]
    explanation: str
    is_dangerous: bool = False


KINDS: dict[str, Kind] = {
    "start": Kind(
        "Start charging",
        forms.RemoteStartForm,
        "RemoteStartTransaction: the charger starts as if this id tag had been presented.",
    ),
    "stop": Kind(
        "Stop charging",
        forms.RemoteStopForm,
        "RemoteStopTransaction: the charger ends this transaction.",
    ),
    "unlock": Kind(
        "Unlock connector",
        forms.UnlockForm,
        "UnlockConnector: the charger releases the cable lock. A running transaction is ended "
        "first.",
        is_dangerous=True,
    ),
    "trigger": Kind(
        "Ask for a message",
        forms.TriggerForm,
        "TriggerMessage: the charger sends this message now.",
    ),
    "configuration": Kind(
        "Read configuration",
        forms.GetConfigurationForm,
        "GetConfiguration: the answer appears on the page of the command.",
    ),
    "reset-soft": Kind(
        "Soft reset",
        forms.SoftResetForm,
        "Reset (Soft): the charger ends running transactions properly, then restarts.",
        is_dangerous=True,
    ),
    "reset-hard": Kind(
        "Hard reset",
        forms.HardResetForm,
        "Reset (Hard): the charger restarts at once, as after a power cut. It may not end running "
        "transactions first.",
        is_dangerous=True,
    ),
    "command": Kind(
        "Send command…",
        forms.AnyCommandForm,
        "Any Call of OCPP 1.6. The payload is checked against the official schema.",
    ),
}


def send_view(request: HttpRequest, charge_point_id: int, kind: str) -> HttpResponse:
    """The form of one kind of command to one charge point, and its sending."""
    if not request.user.has_perm("ocpp.add_command"):
        raise PermissionDenied
    if kind not in KINDS:
        raise Http404(f"no command is called {kind}")
    found = visible(ChargePoint.objects.all(), request.user)
    charge_point = get_object_or_404(found, pk=charge_point_id)
    chosen = KINDS[kind]
    if request.method != "POST":
        return render_form(request, chosen, chosen.form(charge_point=charge_point), charge_point)
    form = chosen.form(request.POST, charge_point=charge_point)
    if not form.is_valid():
        return render_form(request, chosen, form, charge_point)
    return queue_from_form(request, form, charge_point)


def queue_from_form(
    request: HttpRequest, form: forms.CommandForm, charge_point: ChargePoint
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


def key_of(
    request: HttpRequest, form: forms.CommandForm, action: str, payload: dict[str, Any]
) -> str:
    """What makes a second click the same command.

    The same form with other content is another command, after "back" in the browser, too.
    """
    # With SECRET_KEY in it: the payload may hold a password that is easily guessed.
    content = salted_hmac(SOURCE, f"{action}{json.dumps(payload, sort_keys=True)}").hexdigest()
    return f"{SOURCE}:{request.user.pk}:{form.cleaned_data['key']}:{content[:16]}"


def render_form(
    request: HttpRequest,
    kind: Kind,
    form: forms.CommandForm,
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
    }
    return TemplateResponse(request, "levity/send.html", context)
