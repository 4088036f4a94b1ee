"""Retire a charge point instead of deleting it: the page, and the actions of the list."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from unfold.decorators import action

from levity.ocpp.decisions.retiring import CONNECTED, bring_back, retire
from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import and_more, badge
from levity.pages.kit.many import ask_if_many
from levity.pages.kit.once import sent_once

__all__ = ["Retiring", "retire_link", "retired_badge"]

RETIRE = "ocpp_chargepoint_retire"


def retired_badge(charge_point: ChargePoint) -> str:
    """Beside its name, if it is gone for good."""
    return badge(gettext("retired")) if charge_point.retired_at else ""


def retire_link(request: HttpRequest, charge_point: ChargePoint) -> list[tuple[str, str]]:
    """The way there from its page, for who may go it."""
    user: Any = request.user
    if not user.has_perm("ocpp.change_chargepoint"):
        return []
    title = gettext("Bring back into use…") if charge_point.retired_at else gettext("Retire…")
    return [(title, reverse(f"levity:{RETIRE}", args=[charge_point.pk]))]


class Retiring:
    """For the admin of charge points."""

    actions: tuple[str, ...] = ("retire", "bring_back")

    def get_urls(self) -> list[URLPattern]:
        """Where somebody is asked first."""
        page = path(
            "<int:pk>/retire/",
            self.admin_site.admin_view(self.retire_view),  # type: ignore[attr-defined]  # a mixin
            name=RETIRE,
        )
        return [page, *super().get_urls()]  # type: ignore[misc]  # a mixin

    @action(description="Retire", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """Gone for good: out of lists, counts and alerts, and still recorded."""
        if asked := ask_if_many(request, self, queryset, "retire", "Retire"):
            return asked
        _retire(request, queryset)
        return None

    @action(description="Bring back into use", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[ChargePoint]) -> Any:
        """In the lists again."""
        retired = queryset.filter(retired_at__isnull=False)
        if asked := ask_if_many(request, self, retired, "bring_back", "Bring back into use"):
            return asked
        _bring_back(request, retired)
        return None

    @method_decorator(sent_once)
    def retire_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and do it; or bring it back."""
        user: Any = request.user
        if not user.has_perm("ocpp.change_chargepoint"):
            raise PermissionDenied
        rows = visible(ChargePoint.objects.filter(pk=pk), user)
        row = get_object_or_404(rows)
        page = reverse("levity:ocpp_chargepoint_change", args=[pk])
        if request.method == "POST":
            if row.retired_at:
                _bring_back(request, rows)
            else:
                _retire(request, rows)
            return redirect(page)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]  # a mixin
            "opts": ChargePoint._meta,
            "title": f"{'Bring back' if row.retired_at else 'Retire'} {row}",
            "charge_point": row,
            "sessions": row.transactions.count(),
            "back": page,
        }
        return TemplateResponse(request, "levity/retire.html", context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One with sessions is kept: the way is to retire it."""
        user: Any = request.user
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]  # a mixin
        may = user.has_perm("ocpp.delete_chargepoint") and user.has_perm("ocpp.change_chargepoint")
        if row is not None and may and row.transactions.exists():
            count = row.transactions.count()
            messages.warning(
                request,
                f"{row} has {count} session{'s' if count > 1 else ''}, and sessions are kept, so "
                "it can't be deleted. Retire it instead: it disappears from lists, counts and "
                "alerts.",
            )
            return redirect(f"levity:{RETIRE}", row.pk)
        found: HttpResponse = super().delete_view(request, object_id, extra_context)  # type: ignore[misc]  # a mixin
        return found


def _retire(request: HttpRequest, rows: QuerySet[ChargePoint]) -> None:
    decided = retire(rows, request.user, timezone.now())
    already = 0
    for left in decided.left:
        if left.why != CONNECTED:
            already += left.count
            continue
        shown = ", ".join(left.names) + and_more(left.count - len(left.names))
        messages.warning(
            request,
            f"Not retired, because connected: {shown}. Switch them off or remove Levity's address "
            "from them first; otherwise they would be back at once.",
        )
    if decided.count:
        messages.success(
            request,
            f"Retired: {decided.count:,}. The filter “use” shows them; a charger that connects "
            "again is brought back into use.",
        )
    if already:
        messages.info(request, f"Already retired: {already:,}.")


def _bring_back(request: HttpRequest, rows: QuerySet[ChargePoint]) -> None:
    messages.success(request, f"In use again: {bring_back(rows, request.user).count:,}.")
