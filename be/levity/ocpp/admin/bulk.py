"""One command to several charge points: select them in the list, see them again, confirm.

The page names every charge point that will get the command, and says which are away. POST queues
one row for each, with the same key: a second click finds them all there already.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.decorators import action

from levity.ocpp.admin import command_forms as forms
from levity.ocpp.admin.audit import note_all
from levity.ocpp.admin.scope import visible
from levity.ocpp.admin.sending import KINDS, SOURCE, Kind, key_of
from levity.ocpp.commands import queue
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.security.guards import objection

__all__ = ["MANY", "MOST", "BulkCommands", "send_many_view"]

# What makes sense for several at once. To start, stop or unlock is for one place and one person.
MANY = ("reset-soft", "reset-hard", "trigger", "configuration", "command")
# One at a time is under way at each charger, but all of them would restart at once.
MOST = 500


class BulkCommands:
    """For the admin of charge points: the actions of the list."""

    actions: tuple[str, ...] = (
        "send_soft_reset",
        "send_hard_reset",
        "send_trigger",
        "send_get_configuration",
        "send_any",
    )

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may add commands may send them."""
        return bool(request.user.has_perm("ocpp.add_command"))

    def get_urls(self) -> list[URLPattern]:
        """Where the confirmation goes."""
        page = path(
            "send/<slug:kind>/",
            self.admin_site.admin_view(require_POST(send_many_view)),  # type: ignore[attr-defined]  # a mixin
            name="ocpp_chargepoint_send_many",
        )
        return [page, *super().get_urls()]  # type: ignore[misc]  # a mixin

    @action(description="Soft reset…", permissions=["send"])
    def send_soft_reset(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """Ask first."""
        return _confirm(request, "reset-soft", queryset)

    @action(description="Hard reset…", permissions=["send"])
    def send_hard_reset(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """Ask first."""
        return _confirm(request, "reset-hard", queryset)

    @action(description="Ask for a message…", permissions=["send"])
    def send_trigger(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """Ask first."""
        return _confirm(request, "trigger", queryset)

    @action(description="Read configuration…", permissions=["send"])
    def send_get_configuration(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """Ask first."""
        return _confirm(request, "configuration", queryset)

    @action(description="Send command…", permissions=["send"])
    def send_any(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """Ask first."""
        return _confirm(request, "command", queryset)


def send_many_view(request: HttpRequest, kind: str) -> HttpResponse:
    """What was confirmed, or the same page with what is wrong in the form."""
    if not request.user.has_perm("ocpp.add_command"):
        raise PermissionDenied
    if kind not in MANY:
        raise Http404(f"no command for several is called {kind}")
    targets = _targets(request)
    if targets is None:
        messages.error(request, f"Choose 1 to {MOST} charge points.")
        return redirect("admin:ocpp_chargepoint_changelist")
    form = KINDS[kind].form(request.POST, charge_point=None)
    if not form.is_valid():
        return _page(request, KINDS[kind], kind, form, targets)
    action_name, payload = form.action, form.payload()
    key = key_of(request, form, action_name, payload)
    for charge_point in targets:
        if refused := objection(action_name, payload, charge_point.security_profile):
            form.add_error(None, f"This is never sent to {charge_point}: {refused}.")
            return _page(request, KINDS[kind], kind, form, targets)
    with transaction.atomic():
        known = set(
            Command.objects.filter(charge_point__in=targets, idempotency_key=key).values_list(
                "charge_point", flat=True
            )
        )
        commands = [
            queue(
                charge_point,
                action_name,
                payload,
                source=SOURCE,
                queue_offline=form.cleaned_data["queue_offline"],
                idempotency_key=key,
                requested_by=request.user,
            )
            for charge_point in targets
        ]
        new = [item for item in commands if item.charge_point_id not in known]
        note_all(request, new, ADDITION, f"{action_name}, to {len(targets)} charge points at once")
    away = sum(not item.online for item in targets)
    said = f"{action_name} is on its way to {len(targets)} charge points."
    if away:
        waits = form.cleaned_data["queue_offline"]
        said += f" {away} of them are away: " + (
            "it waits for them, an hour at most." if waits else "there it fails at once."
        )
    messages.success(request, said)
    if request.user.has_perm("ocpp.view_command"):
        return redirect("admin:ocpp_command_changelist")
    return redirect("admin:ocpp_chargepoint_changelist")


def _confirm(request: HttpRequest, kind: str, chosen: QuerySet[ChargePoint]) -> HttpResponse | None:
    targets = list(chosen.order_by("identity")[: MOST + 1])
    if len(targets) > MOST:
        messages.error(request, f"At most {MOST} charge points at once; filter the list first.")
        return None
    form = KINDS[kind].form(charge_point=None)
    return _page(request, KINDS[kind], kind, form, targets)


def _targets(request: HttpRequest) -> Sequence[ChargePoint] | None:
    """The charge points that the page named, if this person may see every one of them."""
    wanted = request.POST.getlist("target")
    if not 0 < len(wanted) <= MOST:
        return None
    if not all(text.isascii() and text.isdigit() and len(text) <= 18 for text in wanted):
        return None
    keys = {int(text) for text in wanted}
    found = list(
        visible(ChargePoint.objects.filter(pk__in=keys), request.user).order_by("identity")
    )
    return found if len(found) == len(keys) else None


def _page(
    request: HttpRequest,
    kind: Kind,
    slug: str,
    form: forms.CommandForm,
    targets: Sequence[ChargePoint],
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "opts": ChargePoint._meta,
        "title": f"{kind.title}: {len(targets)} charge points",
        "kind": kind,
        "slug": slug,
        "form": form,
        "targets": targets,
        "away": sum(not item.online for item in targets),
    }
    return TemplateResponse(request, "ocpp/admin/send_many.html", context)
