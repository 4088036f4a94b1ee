"""A command to many charge points: how far it has come, who said no and why, those again, and an
end to the rest."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from unfold.decorators import display

from levity.ocpp.commands.masses import (
    Tally,
    cancel_rest,
    commands_of,
    not_done,
    reason,
    retry,
    sent_again_as,
    tally,
    to_retry,
    waiting_of,
)
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint, Command, MassCommand
from levity.ocpp.versions import DONE
from levity.ocpp.visibility import visible
from levity.pages.chargers.command_state import next_look, state_badge
from levity.pages.chargers.csv_export import cell, streamed_csv, utc_cell
from levity.pages.chargers.frame_text import pretty_value
from levity.pages.chargers.list_as_csv import ListAsCsv
from levity.pages.chargers.send_command import SOURCE
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, change_link, list_url, shown_time
from levity.pages.kit.live import EVERY
from levity.pages.kit.once import sent_once
from levity.pages.site import site

__all__ = ["MassCommandAdmin"]

LISTED = 200


@admin.register(MassCommand, site=site)
class MassCommandAdmin(ListAsCsv, ReadOnlyAdmin):
    """They come from the list of charge points; what is asked for is never edited."""

    list_display = ("what", "progress", "asked_by", "asked_at")
    list_select_related = ("requested_by",)
    fields = ("what", "payload_shown", "asked_by", "asked_at", "earlier")
    readonly_fields = fields
    change_form_outer_before_template = "levity/mass_now.html"
    live_parts = {"lv-mass": "levity/mass_live.html"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[MassCommand]:
        """With how many did it, of those that this person may see."""
        mine = visible(Command.objects.filter(mass=OuterRef("pk")), request.user)
        found = mine.filter(state=Command.State.ANSWERED, result_status__in=DONE)
        return super().get_queryset(request).annotate(of=_count(mine), done=_count(found))

    def page_every(self, request: HttpRequest, row: Any) -> float:
        """Often while answers are expected; never again once all have ended."""
        newest = commands_of(row, request.user).filter(state__in=("queued", "sent")).first()
        return next_look(newest) if newest else 0

    def list_every(self, request: HttpRequest, changes: Any) -> float:
        """As every list."""
        return EVERY

    @display(description="command")
    def what(self, mass: MassCommand) -> str:
        """The action."""
        return mass.action

    @display(description="so far")
    def progress(self, mass: MassCommand) -> str:
        """How many did it."""
        done, of = getattr(mass, "done", 0) or 0, getattr(mass, "of", 0) or 0
        return f"{done:,} of {of:,} accepted"

    @display(description="asked by")
    def asked_by(self, mass: MassCommand) -> str:
        """The person."""
        return str(mass.requested_name or mass.requested_by or mass.source or NOTHING)

    @display(description="asked at", ordering="id")
    def asked_at(self, mass: MassCommand) -> str:
        """When."""
        return shown_time(mass.created_at)

    @display(description="payload")
    def payload_shown(self, mass: MassCommand) -> str:
        """Without secrets."""
        return pretty_value(mass.payload)

    @display(description="once more after")
    def earlier(self, mass: MassCommand) -> str:
        """Of which it is the repetition."""
        if mass.retry_of_id is None:
            return NOTHING
        return change_link(MassCommand, mass.retry_of_id, f"no. {mass.retry_of_id}")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With how far it has come, as this person may see it."""
        mass = kwargs.get("obj")
        if mass is not None:
            context = {**context, **self._now(request, mass)}
        return super().render_change_form(request, context, *args, **kwargs)

    def _now(self, request: HttpRequest, mass: MassCommand) -> dict[str, Any]:
        counts: Tally = tally(mass, request.user)
        failed = not_done(mass, request.user).select_related("charge_point__site")
        rows = list(failed.order_by("charge_point__identity")[: LISTED + 1])
        may_send = request.user.has_perm("ocpp.add_command")
        return {
            "mass": mass,
            "counts": counts,
            "percent": (counts.total - counts.open) * 100 // max(1, counts.total),
            "failed": [
                {
                    "charger": change_link(ChargePoint, row.charge_point_id, row.charge_point),
                    "state": state_badge(row),
                    "why": reason(row),
                    "command": change_link(Command, row.pk, "Command"),
                }
                for row in rows[:LISTED]
            ],
            "more": len(rows) > LISTED,
            "may_retry": may_send
            and bool(rows)
            and not mass.is_masked
            and to_retry(mass, request.user).exists(),
            "again": self._again(request, mass),
            "may_cancel": may_send and waiting_of(mass, request.user).exists(),
            "all_commands": list_url(Command, mass__id__exact=mass.pk),
        }

    def _again(self, request: HttpRequest, mass: MassCommand) -> list[str]:
        later = MassCommand.objects.filter(pk__in=sent_again_as(mass))
        keys = visible(later, request.user).order_by("pk").values_list("pk", flat=True)
        return [change_link(MassCommand, pk, f"no. {pk}") for pk in keys]

    def get_urls(self) -> list[URLPattern]:
        """The buttons and the file of the page."""
        view = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/retry/",
                view(require_POST(self.retry_view)),
                name="ocpp_masscommand_retry",
            ),
            path("<int:pk>/cancel/", view(self.cancel_view), name="ocpp_masscommand_cancel"),
            path("<int:pk>/csv/", view(self.csv_view), name="ocpp_masscommand_csv"),
            *super().get_urls(),
        ]

    @method_decorator(sent_once)
    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The same again, to those that have not done it."""
        mass = self._one(request, pk)
        if not request.user.has_perm("ocpp.add_command"):
            raise PermissionDenied
        try:
            again, sent = retry(mass, request.user, source=SOURCE)
        except Refused as error:
            messages.error(request, error.sentence)
            return redirect("levity:ocpp_masscommand_change", mass.pk)
        messages.success(request, f"{mass.action} was queued again for {sent.count:,}.")
        return redirect("levity:ocpp_masscommand_change", again.pk)

    @method_decorator(sent_once)
    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How many would not be sent any more; POST is the yes."""
        mass = self._one(request, pk)
        if not request.user.has_perm("ocpp.add_command"):
            raise PermissionDenied
        there = redirect("levity:ocpp_masscommand_change", mass.pk)
        if request.method == "POST":
            try:
                decided = cancel_rest(mass, request.user)
            except Refused as error:
                messages.warning(request, error.sentence)
                return there
            gone = "".join(f" {left.count:,} {left.why}." for left in decided.left)
            messages.success(request, f"Cancelled: {decided.count:,}.{gone}")
            return there
        count = waiting_of(mass, request.user).count()
        if not count:
            messages.info(request, "All of its commands were sent already, or have ended.")
            return there
        counts = tally(mass, request.user)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Cancel the rest",
            "mass": mass,
            "count": count,
            "others": counts.total - count,
            "yes": f"cancel {count:,}",
            "back": reverse("levity:ocpp_masscommand_change", args=[mass.pk]),
        }
        return TemplateResponse(request, "levity/mass_cancel.html", context)

    def csv_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """All its commands and how they ended."""
        mass = self._one(request, pk)
        rows = commands_of(mass, request.user).select_related("charge_point__site")
        return streamed_csv(_csv(rows.order_by("charge_point__identity")), f"mass-command-{pk}")

    def _one(self, request: HttpRequest, pk: int) -> MassCommand:
        mass = self.get_object(request, str(pk))
        if mass is None or not self.has_view_permission(request, mass):
            raise Http404(f"mass command {pk} does not exist")
        found: MassCommand = mass
        return found


def _count(rows: QuerySet[Command]) -> Subquery:
    counted = rows.order_by().values("mass").annotate(number=Count("pk"))
    return Subquery(counted.values("number"))


def _csv(rows: QuerySet[Command]) -> Iterator[list[str]]:
    yield [
        *("command", "charge point", "name", "site", "action", "state", "answer", "reason"),
        *("sent (UTC)", "finished (UTC)"),
    ]
    for row in rows.iterator(1_000):
        place = row.charge_point
        yield [
            str(row.pk),
            cell(place.identity),
            cell(place.name),
            cell(place.site.name if place.site else ""),
            cell(row.action),
            row.state,
            cell(row.result_status),
            cell(" ".join(part for part in (row.error_code, row.error_description) if part)),
            utc_cell(row.sent_at),
            utc_cell(row.finished_at),
        ]
