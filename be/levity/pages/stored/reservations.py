"""Reservations: the list, the form that makes one, and cancelling."""

from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from levity.ocpp.commands.queueing import fingerprint
from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.reservations import MAY_HOLD, advice, cancel, doubts_about, reserve
from levity.ocpp.models import ChargePoint, Command, Reservation, Transaction
from levity.ocpp.visibility import visible
from levity.pages.calls.fields import TAGS
from levity.pages.kit.formats import NOTHING, badge, change_link, shown_time, site_zone
from levity.pages.kit.live import EVERY, SOON
from levity.pages.site import site
from levity.pages.stored.deciding import SOURCE, Button, may_send
from levity.pages.stored.reserve_form import ReserveForm
from levity.pages.stored.rows import StoredAdmin

__all__ = ["ReservationAdmin"]

State = Reservation.State
RESERVE = "ocpp_reservation_reserve"
TONES = {
    State.REQUESTED: "busy",
    State.ACTIVE: "good",
    State.UNANSWERED: "warn",
    State.REFUSED: "bad",
    State.FAILED: "bad",
    State.CANCEL_REFUSED: "warn",
}


def _cancel(row: Reservation, who: Any) -> str:
    over = cancel(row, who, source=SOURCE).state == State.CANCELLED
    return "Cancelled." if over else "The charger is asked to cancel the reservation."


@admin.register(Reservation, site=site)
class ReservationAdmin(StoredAdmin):
    """Which connectors are kept for whom."""

    list_display = ("until", "charger", "where", "id_tag", "state_shown", "requested", "who")
    search_fields = ("id_tag",)
    search_help_text = "Complete id tag"
    list_select_related = ("charge_point__site", "requested_by", "cancel_command")
    help_text = (
        "A reservation keeps a connector free for one id tag, or its group, until a time. Used, "
        "expired and cancelled reservations close by themselves."
    )
    fields = (
        *("charger", "where", "id_tag", "parent_id_tag", "until", "state_shown", "said"),
        *("detail", "requested", "who", "answered", "ended", "used_by", "number", "sent_with"),
        "cancelled_with",
    )
    readonly_fields = fields
    buttons = {
        "cancel": Button(
            "Cancel this reservation",
            "cancel it",
            "The connector is free for everybody again as soon as the charger has confirmed it.",
            _cancel,
        )
    }

    def buttons_for(self, row: Reservation) -> tuple[str, ...]:
        """Only what holds can be cancelled."""
        return ("cancel",) if row.state in MAY_HOLD else ()

    def page_every(self, request: HttpRequest, row: Reservation) -> float:
        """Every second until the charger has answered."""
        return SOON if row.state == State.REQUESTED else EVERY

    def explained(self, row: Reservation) -> str:
        """What to do about a refusal, or why it is not sure that it holds."""
        if row.state == State.REFUSED:
            return advice(row.said)
        return doubts_about(row)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Exact words."""
        words = search_term.replace("\0", "").strip()
        return (queryset.filter(id_tag__iexact=words) if words else queryset), False

    def links_above(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The way to a new one."""
        if not may_send(request):
            return []
        return [("Reserve a connector", reverse(f"levity:{RESERVE}"))]

    @display(description="connector")
    def where(self, row: Reservation) -> str:
        """Its number."""
        return str(row.connector) if row.connector else "any"

    @display(description="until")
    def until(self, row: Reservation) -> str:
        """Its end, by the clock of the site."""
        return shown_time(row.ends_at, site_zone(row))

    @display(description="state")
    def state_shown(self, row: Reservation) -> str:
        """Where it is, and the charger's word where it matters."""
        if row.state in (State.ACTIVE, State.UNANSWERED) and row.ends_at is not None:
            if row.ends_at <= timezone.now():
                return badge("expired")
            asked = row.cancel_command
            if asked is not None and asked.state in (Command.State.QUEUED, Command.State.SENT):
                return format_html("{} being cancelled", badge("active", "good"))
        shown = badge(row.get_state_display().lower(), TONES.get(State(row.state), ""))
        return format_html("{} {}", shown, row.said) if row.state == State.REFUSED else shown

    @display(description="requested")
    def requested(self, row: Reservation) -> str:
        """When it was asked for here."""
        return shown_time(row.requested_at, site_zone(row))

    @display(description="requested by")
    def who(self, row: Reservation) -> str:
        """A person, or a program."""
        return str(row.requested_by) if row.requested_by else NOTHING

    @display(description="answered")
    def answered(self, row: Reservation) -> str:
        """When the charger answered."""
        return shown_time(row.answered_at, site_zone(row))

    @display(description="ended")
    def ended(self, row: Reservation) -> str:
        """When it was used, cancelled or over."""
        return shown_time(row.ended_at, site_zone(row))

    @display(description="used by")
    def used_by(self, row: Reservation) -> str:
        """The session."""
        if row.transaction_id is None:
            return NOTHING
        return change_link(Transaction, row.transaction_id, f"session {row.transaction_id}")

    @display(description="cancelled with")
    def cancelled_with(self, row: Reservation) -> str:
        """The command that was to cancel it."""
        if row.cancel_command_id is None:
            return NOTHING
        return change_link(Command, row.cancel_command_id, f"command {row.cancel_command_id}")

    def get_urls(self) -> list[URLPattern]:
        """Reserving has its page."""
        page = path("reserve/", self.admin_site.admin_view(self.reserve_view), name=RESERVE)
        return [page, *super().get_urls()]

    def reserve_view(self, request: HttpRequest) -> HttpResponse:
        """The form; of one charge point if `charge_point` names it."""
        if not may_send(request):
            raise PermissionDenied
        found = visible(ChargePoint.objects.filter(retired_at=None), request.user)
        chosen = request.GET.get("charge_point", "")
        charge_point = None
        if chosen:
            key = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 10 else 0
            charge_point = get_object_or_404(found.select_related("site"), pk=key)
        data = request.POST if request.method == "POST" else None
        now = timezone.now()
        form = ReserveForm(
            data,
            charge_point=charge_point,
            charge_points=found.select_related("site").order_by("identity"),
            initial={"until": _next_hour(now), "key": uuid4()},
        )
        if data is not None and form.is_valid():
            try:
                made = reserve(
                    form.cleaned_data["charge_point"],
                    form.cleaned_data["connector"],
                    form.cleaned_data["id_tag"],
                    form.cleaned_data["until"].astimezone(UTC),
                    request.user,
                    source=SOURCE,
                    idempotency_key=_key_of(request, form),
                )
            except Refused as error:
                form.add_error(None, f"Not possible: {error.sentence}")
            else:
                messages.success(request, "The charger is asked to reserve the connector.")
                return redirect("levity:ocpp_reservation_change", made.pk)
        page = "levity:ocpp_chargepoint_change"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Reserve a connector of {charge_point}"
            if charge_point
            else "Reserve a connector",
            "explanation": "Only this id tag, or another one of its group, can charge there until "
            "then. The charger refuses others.",
            "submit": "Reserve",
            "form": form,
            "media": form.media,
            "tags_list": TAGS,
            "back": reverse(page, args=[charge_point.pk])
            if charge_point
            else reverse("levity:ocpp_reservation_changelist"),
        }
        return TemplateResponse(request, "levity/stored/form.html", context)


def _key_of(request: HttpRequest, form: ReserveForm) -> str:
    """A second click is the same reservation; another time or tag after "back" is another one."""
    given = form.cleaned_data
    values = {name: str(given[name]) for name in ("connector", "id_tag", "until")}
    return f"reserve:{request.user.pk}:{given['key']}:{fingerprint('reserve', values)[:16]}"


def _next_hour(now: Any) -> Any:
    """In an hour, at a quarter past, half past ..."""
    later = (now + timedelta(hours=1)).replace(second=0, microsecond=0)
    return later + timedelta(minutes=-later.minute % 15)
