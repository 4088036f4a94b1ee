"""Decisions about the charge points that are selected in the list."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action

from levity.ocpp.decisions import charge_points as decisions
from levity.ocpp.decisions import registration
from levity.ocpp.models import Authorization, ChargePoint
from levity.pages.chargers.accepting import say_accepted
from levity.pages.kit.many import ask_if_many

__all__ = ["ChargePointActions"]


class ChargePointActions:
    """For the admin of charge points: each asks first where they are many."""

    actions: tuple[str, ...] = (
        "accept_registration",
        "reject_registration",
        "known_tags_only",
        "forget_line",
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
