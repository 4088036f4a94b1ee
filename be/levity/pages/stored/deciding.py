"""Buttons on the page of a row, each with a question before anything is sent."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator

from levity.ocpp.commands.sending import SEND
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint
from levity.pages.kit.formats import change_link
from levity.pages.kit.once import sent_once
from levity_ws.frozen import frozen

__all__ = ["SOURCE", "Button", "Buttons", "may_send"]

SOURCE = "admin"


@frozen
class Button:
    """What can be done to a row."""

    title: str
    yes: str
    """“Yes, ...”"""
    question: str
    do: Callable[[Any, Any], str]
    """(row, who) -> what is said then."""
    is_dangerous: bool = False


class Buttons:
    """For an admin of rows that belong to a charge point."""

    change_form_outer_before_template = "levity/stored/buttons.html"
    live_parts = {"lv-decisions": "levity/stored/buttons_live.html"}
    buttons: Mapping[str, Button] = {}

    def buttons_for(self, row: Any) -> Iterable[str]:
        """The names of those that make sense now."""
        return self.buttons

    def explained(self, row: Any) -> str:
        """A sentence above the buttons; empty: none."""
        return ""

    def decide_name(self) -> str:
        """The name of the address."""
        return f"ocpp_{self.opts.model_name}_decide"  # type: ignore[attr-defined]  # a mixin

    def get_urls(self) -> list[URLPattern]:
        """Where somebody is asked first."""
        page = path(
            "<int:pk>/<slug:kind>/ask/",
            self.admin_site.admin_view(self.decide_view),  # type: ignore[attr-defined]  # a mixin
            name=self.decide_name(),
        )
        return [page, *super().get_urls()]  # type: ignore[misc]  # a mixin

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The row with its buttons."""
        extra = dict(extra_context or {})
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]  # a mixin
        if row is not None:
            extra["explained"] = self.explained(row)
            if may_send(request):
                extra["decisions"] = [
                    (
                        self.buttons[name],
                        reverse(f"levity:{self.decide_name()}", args=[row.pk, name]),
                    )
                    for name in self.buttons_for(row)
                ]
        found: HttpResponse = super().change_view(request, object_id, form_url, extra)  # type: ignore[misc]  # a mixin
        return found

    @method_decorator(sent_once)
    def decide_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """The question; POST is the yes."""
        if not may_send(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related("charge_point__site")  # type: ignore[attr-defined]  # a mixin
        row = get_object_or_404(rows, pk=pk)
        if kind not in self.buttons:
            raise Http404(f"nothing is called {kind}")
        button = self.buttons[kind]
        back = reverse(f"levity:ocpp_{self.opts.model_name}_change", args=[row.pk])  # type: ignore[attr-defined]  # a mixin
        if request.method == "POST":
            try:
                messages.success(request, button.do(row, request.user))
            except Refused as error:
                messages.error(request, f"Not possible: {error.sentence}")
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]  # a mixin
            "opts": self.opts,  # type: ignore[attr-defined]  # a mixin
            "title": button.title,
            "button": button,
            "row": row,
            "charger": change_link(ChargePoint, row.charge_point_id, row.charge_point),
            "is_online": row.charge_point.online,
            "danger": button.is_dangerous,
            "back": back,
        }
        return TemplateResponse(request, "levity/stored/ask.html", context)


def may_send(request: HttpRequest) -> bool:
    """Whether this person may send commands."""
    user: Any = request.user
    return bool(user.has_perm(SEND))
