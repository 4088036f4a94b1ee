"""One command to several charge points: select them in the list, see them again, confirm.

The page names the charge points that will get the command, and says which are away. POST queues
one row for each, with the same key: a second click finds them all there already. Very many are
queued in portions, with a page between them that says how far it has come.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.decorators import action

from levity.ocpp.commands.masses import begin_mass, forget_empty
from levity.ocpp.commands.sending import check_sending, send_to_many
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint, MassCommand
from levity.ocpp.visibility import visible
from levity.pages.calls.command_form import CommandForm
from levity.pages.calls.kinds import KINDS, MANY, Kind
from levity.pages.chargers.send_command import SOURCE, key_of
from levity.pages.kit.going_on import KEYS, going_on, keys_in, so_far, within_budget
from levity.pages.site import site

__all__ = ["BulkCommands"]

# Queued in one transaction, and named on the page that asks.
PORTION, NAMED = 250, 500
IN_ONE_STATEMENT = 5_000


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
            self.admin_site.admin_view(require_POST(self.send_many_view)),  # type: ignore[attr-defined]  # a mixin
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

    def send_many_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """What was confirmed, or the same page with what is wrong in the form."""
        if not request.user.has_perm("ocpp.add_command"):
            raise PermissionDenied
        if kind not in MANY:
            raise Http404(f"no bulk command is called {kind}")
        keys = _keys(request)
        if not keys:
            messages.error(
                request,
                "Some of these charge points no longer exist, or none was selected: select again.",
            )
            return redirect("levity:ocpp_chargepoint_changelist")
        form = KINDS[kind].form(request.POST, user=request.user)
        if not form.is_valid():
            return _page(request, KINDS[kind], kind, form, keys)
        action_name, payload = form.action, form.payload()
        done, away = so_far(request, "done"), so_far(request, "away")
        same = so_far(request, "same")
        queued = 0
        mass = _mass(request)
        try:
            if mass is None:
                for some in _in_statements(keys):
                    check_sending(_rows(request, some), action_name, payload, request.user)
                mass = begin_mass(
                    action_name,
                    payload,
                    request.user,
                    source=SOURCE,
                    queue_offline=form.cleaned_data["queue_offline"],
                )
            for portion in within_budget(keys, PORTION):
                sent = send_to_many(
                    _rows(request, portion),
                    action_name,
                    payload,
                    request.user,
                    source=SOURCE,
                    idempotency_key=key_of(request, form, action_name, payload),
                    queue_offline=form.cleaned_data["queue_offline"],
                    total=done + len(keys),
                    mass=mass,
                )
                away += sent.offline
                same += sum(left.count for left in sent.left)
                queued += len(portion)
        except Refused as error:
            form.add_error(None, error.sentence)
            return _page(request, KINDS[kind], kind, form, keys)
        left = keys[queued:]
        if left:
            given = [
                (name, value)
                for name, values in request.POST.lists()
                if name not in ("csrfmiddlewaretoken", KEYS, "done", "away", "same", "mass")
                for value in values
            ]
            more = [("done", done + queued), ("away", away), ("same", same), ("mass", mass.pk)]
            return going_on(request, self, KINDS[kind].title, left, done + queued, [*given, *more])
        total = done + queued
        points = f"{total:,} charge point{'' if total == 1 else 's'}"
        said = f"{action_name} was queued for {points}."
        if same:
            said += f" {same:,} of them already had this command."
        if away:
            waits = form.cleaned_data["queue_offline"]
            who = "It" if total == 1 else f"{away:,} of them"
            said += f" {who} {'is' if away == 1 else 'are'} offline: the command " + (
                "waits for them for an hour." if waits else "fails there at once."
            )
        messages.success(request, said)
        if same == total:
            # A second click: what the first one made shows how far it is.
            forget_empty(mass)
            return redirect("levity:ocpp_masscommand_changelist")
        if request.user.has_perm("ocpp.view_masscommand"):
            return redirect("levity:ocpp_masscommand_change", mass.pk)
        return redirect("levity:ocpp_chargepoint_changelist")


def _confirm(request: HttpRequest, kind: str, chosen: QuerySet[ChargePoint]) -> HttpResponse:
    keys = list(chosen.order_by("identity").values_list("pk", flat=True))
    form = KINDS[kind].form(user=request.user)
    return _page(request, KINDS[kind], kind, form, keys)


def _mass(request: HttpRequest) -> MassCommand | None:
    """The row of the portions before, if this page goes on."""
    text = request.POST.get("mass", "")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        return None
    return MassCommand.objects.filter(pk=int(text), requested_by=request.user.pk).first()


def _keys(request: HttpRequest) -> list[int] | None:
    """The charge points that the page named, if this person may see every one of them."""
    keys = keys_in(request.POST.get(KEYS, ""))
    return keys if keys and len(_all(request, keys)) == len(keys) else None


def _all(request: HttpRequest, keys: list[int]) -> Sequence[ChargePoint]:
    """These, as far as this person may see them, by identity."""
    found: list[ChargePoint] = []
    for some in _in_statements(keys):
        found += _rows(request, some)
    return sorted(found, key=lambda row: row.identity)


def _rows(request: HttpRequest, keys: list[int]) -> QuerySet[ChargePoint]:
    return visible(ChargePoint.objects.filter(pk__in=keys), request.user)


def _in_statements(keys: list[int]) -> Iterator[list[int]]:
    for at in range(0, len(keys), IN_ONE_STATEMENT):
        yield keys[at : at + IN_ONE_STATEMENT]


def _page(
    request: HttpRequest, kind: Kind, slug: str, form: CommandForm, keys: list[int]
) -> HttpResponse:
    targets = _all(request, keys)
    context = {
        **site.each_context(request),
        "opts": ChargePoint._meta,
        "title": f"{kind.title}: {len(targets):,} charge point{'' if len(targets) == 1 else 's'}",
        "kind": kind,
        "slug": slug,
        "form": form,
        "ids": ",".join(map(str, keys)),
        "targets": targets[:NAMED],
        "count": len(targets),
        "more": max(0, len(targets) - NAMED),
        "away": sum(not item.online for item in targets),
    }
    return TemplateResponse(request, "levity/send_many.html", context)
