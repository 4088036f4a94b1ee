"""Decisions about the charge points that are selected in the list."""

from typing import Any

from django.apps import apps
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action

from levity.ocpp.decisions import charge_points as decisions
from levity.ocpp.decisions import registration
from levity.ocpp.models import Authorization, ChargePoint
from levity.pages.chargers.accepting import say_accepted
from levity.pages.kit.going_on import handed_on
from levity.pages.kit.many import ask_if_many

__all__ = ["ChargePointActions"]

MOST = 5_000
"""Charge points of one campaign, and of one change of a key."""
IN_AN_ADDRESS = 400
"""Charge points whose keys fit into an address; those of more are sent in a form."""


class ChargePointActions:
    """For the admin of charge points: each asks first where they are many."""

    actions: tuple[str, ...] = (
        "accept_registration",
        "reject_registration",
        "known_tags_only",
        "forget_line",
        "update_in_waves",
        "change_configuration",
    )

    def has_configure_permission(self, request: HttpRequest) -> bool:
        """Who may send commands."""
        user: Any = request.user
        return bool(user.has_perm("ocpp.add_command"))

    @action(description="Change a configuration key…", permissions=["configure"])
    def change_configuration(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """On to the page that asks for the key and the value (pages/configuration)."""
        return _on_to(
            request, self, queryset, "Change a key", "levity:ocpp_chargepoint_configuration_many"
        )

    @action(description="Accept registration", permissions=["change"])
    def accept_registration(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """Let in those that are pending or rejected; each hears it when it boots again."""
        others = queryset.exclude(registration=ChargePoint.Registration.ACCEPTED)
        if asked := ask_if_many(request, self, others, "accept_registration", "Accept"):
            return asked
        say_accepted(request, registration.accept(others, request.user))
        return None

    @action(description="Reject registration", permissions=["change"])
    def reject_registration(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """Tell these that they are not wanted; each hears it when it boots again."""
        others = queryset.exclude(registration=ChargePoint.Registration.REJECTED)
        if asked := ask_if_many(request, self, others, "reject_registration", "Reject"):
            return asked
        count = registration.reject(others, request.user).count
        messages.success(
            request,
            f"Rejected: {count:,}. Each is told with its next BootNotification; a session running "
            "there continues.",
        )
        return None

    def has_campaign_permission(self, request: HttpRequest) -> bool:
        """Who may begin campaigns (levity.files)."""
        return apps.is_installed("levity.files") and bool(
            request.user.has_perm("files.add_campaign")
        )

    @action(description="Update firmware in waves…", permissions=["campaign"])
    def update_in_waves(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """The page that asks how."""
        return _on_to(
            request, self, queryset, "Update firmware in waves", "levity:files_campaign_begin"
        )

    @action(description="Forget what was learned about the line", permissions=["change"])
    def forget_line(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """The heartbeat interval is the profile's or the setting's again, from the next boot on."""
        learned = queryset.filter(learned_silence__isnull=False)
        if asked := ask_if_many(request, self, learned, "forget_line", "Forget"):
            return asked
        count = decisions.forget_line(learned, request.user).count
        messages.success(
            request,
            f"Forgotten: {count:,}. Learning starts over with connections that end from now on; "
            "the charger is told the heartbeat interval with the next BootNotification.",
        )
        return None

    @action(description="Known tags only", permissions=["change"])
    def known_tags_only(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """Nobody charges there without a card that is on the list."""
        others = queryset.exclude(authorization=Authorization.KNOWN)
        if asked := ask_if_many(request, self, others, "known_tags_only", "Known tags only"):
            return asked
        count = decisions.known_tags_only(others, request.user).count
        messages.success(request, f"Known tags only: {count:,}. This takes effect immediately.")
        return None


def _on_to(
    request: HttpRequest, admin: Any, rows: QuerySet[ChargePoint], title: str, page: str
) -> HttpResponse | None:
    """To the page that asks what to do with these."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    if len(keys) > MOST:
        messages.warning(
            request,
            f"Select at most {MOST:,} charge points for this: all of them stand in one form. "
            "Nothing was changed.",
        )
        return None
    if len(keys) > IN_AN_ADDRESS:
        return handed_on(request, admin, title, reverse(page), keys)
    return redirect(f"{reverse(page)}?ids={','.join(map(str, keys))}")
