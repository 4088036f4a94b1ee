"""The first button of a running transaction: Stop charging, and what the charger says to it.

It sends RemoteStopTransaction, as the page of the charge point does; the session's page shows the
answer as it comes, and the end when the charger's StopTransaction has come.
"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from levity.ocpp.decisions.sessions import told_id
from levity.ocpp.models import Command, Transaction
from levity.ocpp.versions import version_of
from levity.pages.calls.kinds import KINDS
from levity.pages.chargers.command_state import DONE, state_badge
from levity.pages.chargers.send_command import queue_from_form
from levity.pages.kit.formats import badge, change_link, shown_time, site_zone
from levity.pages.kit.live import EVERY, SOON

__all__ = ["StopCharging"]

# Among the newest of this charger those about this session are looked for.
LOOK_BACK = 20
# How long a charger may take from "Accepted" to its StopTransaction while somebody looks.
PATIENCE = timedelta(minutes=2)
# An ended session changes only if something comes late.
SELDOM = 60.0


class StopCharging:
    """For the admin of transactions."""

    def get_urls(self) -> list[URLPattern]:
        """Where the button leads."""
        page = path(
            "<int:pk>/stop/",
            self.admin_site.admin_view(require_POST(self.stop_view)),  # type: ignore[attr-defined]  # a mixin
            name="ocpp_transaction_stop",
        )
        return [page, *super().get_urls()]  # type: ignore[misc]  # a mixin

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask the charger to stop, once however often the button was pressed."""
        if not _may(request):
            raise PermissionDenied
        item = self.get_object(request, str(pk))  # type: ignore[attr-defined]  # a mixin
        if item is None:
            raise Http404(f"transaction {pk} does not exist")
        there = redirect("levity:ocpp_transaction_change", item.pk)
        if item.state != Transaction.State.ACTIVE:
            messages.info(
                request, gettext("Session %(number)s has already ended.") % {"number": pk}
            )
            return there
        form = KINDS["stop"].form(
            {"key": request.POST.get("key", ""), "p-transactionId": item.pk},
            charge_point=item.charge_point,
            user=request.user,
        )
        if form.is_valid():
            queue_from_form(request, form, item.charge_point)
        else:
            messages.error(request, " ".join(map(str, form.errors.values())))
        return there

    def stopping(self, request: HttpRequest, item: Transaction) -> dict[str, Any]:
        """What the page needs: the button, and what became of it."""
        found = _asked(item) if request.user.has_perm("ocpp.view_command") else []
        is_active = item.state == Transaction.State.ACTIVE
        context: dict[str, Any] = {"stops": [_shown(command) for command in found[:3]]}
        if is_active and _may(request):
            context["stop_url"] = reverse("levity:ocpp_transaction_stop", args=[item.pk])
            context["stop_key"] = uuid4()
        return context

    def page_every(self, request: HttpRequest, item: Transaction) -> float:
        """Often while somebody waits for the charger to stop."""
        if item.state != Transaction.State.ACTIVE:
            return SELDOM
        recent = timezone.now() - PATIENCE
        is_awaited = any(
            command.state in (Command.State.QUEUED, Command.State.SENT)
            or (command.result_status == "Accepted" and command.created_at >= recent)
            for command in _asked(item)[:1]
        )
        return SOON if is_awaited else EVERY


def _may(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm("ocpp.add_command"))


def _asked(item: Transaction) -> list[Command]:
    """The Calls that were to stop this session, the newest first."""
    number = told_id(item)
    action, _ = version_of(item.charge_point.subprotocol).asks.stop(number)
    rows = Command.objects.filter(charge_point=item.charge_point_id, action=action)
    newest = rows.select_related("charge_point__site").order_by("-id")[:LOOK_BACK]
    return [row for row in newest if row.payload.get("transactionId") == number]


def _shown(command: Command) -> dict[str, Any]:
    answer = ""
    if command.result_status:
        answer = badge(command.result_status, "good" if command.result_status in DONE else "bad")
    return {
        "link": change_link(Command, command.pk, gettext("Stop charging")),
        "at": shown_time(command.created_at, site_zone(command)),
        "state": state_badge(command),
        "answer": answer or command.error_description,
        "is_accepted": command.result_status == "Accepted",
        "is_rejected": bool(command.result_status) and command.result_status not in DONE,
    }
