"""The buttons below a certificate: approve, decline, send again, revoke.

Every decision has its page: GET explains and asks, POST (with CSRF token and permission) does it
and writes who did it into the log of the admin. Pages only decide: a worker signs.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from levity.ocpp.decisions.authority import requests
from levity.ocpp.models import (
    ChargePointCertificate,
    SecurityProfile,
)
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import NOTHING
from levity.pages.kit.once import sent_once
from levity_ws.frozen import frozen

__all__ = ["DECISIONS", "CertificateDecisions"]


State = ChargePointCertificate.State
DECIDE = "ocpp_chargepointcertificate_decide"


class RevokeForm(forms.Form):
    """Why."""

    reason = forms.ChoiceField(
        choices=ChargePointCertificate.Reason.choices, widget=UnfoldAdminSelectWidget
    )


def _approve(row: ChargePointCertificate, values: dict[str, Any], user: Any) -> str:
    requests.approve(row, user)
    return "Approved. A worker signs it within seconds and sends it to the charger."


def _decline(row: ChargePointCertificate, values: dict[str, Any], user: Any) -> str:
    requests.decline(row, user)
    return "Declined."


def _send(row: ChargePointCertificate, values: dict[str, Any], user: Any) -> str:
    requests.send_again(row, user)
    return "It is being sent again."


def _revoke(row: ChargePointCertificate, values: dict[str, Any], user: Any) -> str:
    requests.revoke(row, values["reason"], user)
    return "Revoked: connections with it are refused."


@frozen
class Decision:
    """A button: what it says, what it asks, what it does, and in which states it makes sense."""

    title: str
    explanation: str
    form: type[forms.Form]
    do: Callable[[ChargePointCertificate, dict[str, Any], Any], str]
    states: tuple[str, ...]
    is_dangerous: bool = False


DECISIONS: dict[str, Decision] = {
    "approve": Decision(
        "Approve",
        "Whoever holds this key can then pose as this charger. Are you sure that the charger "
        "itself sent the request? Compare the key's fingerprint if the charger shows it.",
        forms.Form,
        _approve,
        (State.WAITING,),
    ),
    "decline": Decision(
        "Decline",
        "The request is not signed. The charger is not notified; it may ask again.",
        forms.Form,
        _decline,
        (State.WAITING,),
    ),
    "send": Decision(
        "Send again",
        "Sends the same certificate once more (CertificateSigned).",
        forms.Form,
        _send,
        (State.ISSUED, State.REFUSED),
    ),
    "revoke": Decision(
        "Revoke",
        "New connections with this certificate are refused; an open connection is not closed, so "
        "reset the charger if necessary. This can't be undone. It takes effect here at once; for "
        "nginx, export the list with “levity certificate_authority crl”.",
        RevokeForm,
        _revoke,
        (State.ISSUED, State.INSTALLED, State.REFUSED),
        is_dangerous=True,
    ),
}


class CertificateDecisions(ModelAdmin):
    """For the admin of certificates: the buttons, and the pages behind them."""

    def get_urls(self) -> list[URLPattern]:
        """Each decision has its page."""
        page = path(
            "<int:pk>/decide/<slug:kind>/",
            self.admin_site.admin_view(self.decide_view),
            name=DECIDE,
        )
        return [page, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The certificate with its buttons."""
        extra = dict(extra_context or {})
        item = self.get_object(request, object_id)
        if item is not None and _may(request):
            extra["decisions"] = [
                (decision, reverse(f"levity:{DECIDE}", args=[item.pk, kind]))
                for kind, decision in DECISIONS.items()
                if item.state in decision.states
            ]
        return super().change_view(request, object_id, form_url, extra)

    @method_decorator(sent_once)
    def decide_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """The question, and its answer."""
        if not _may(request):
            raise PermissionDenied
        if kind not in DECISIONS:
            raise Http404(f"nothing is called {kind}")
        rows = ChargePointCertificate.objects.select_related("charge_point__site")
        item = get_object_or_404(visible(rows, request.user), pk=pk)
        decision = DECISIONS[kind]
        form = decision.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                said = decision.do(item, form.cleaned_data, request.user)
            except requests.CannotDecide as error:
                form.add_error(None, f"Not possible: {error}.")
            else:
                messages.success(request, said)
                return redirect("levity:ocpp_chargepointcertificate_change", item.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": ChargePointCertificate._meta,
            "title": decision.title,
            "decision": decision,
            "form": form,
            "media": form.media,
            "item": item,
            "charger": self.charger(item),
            "profile": _profile(item),
            "is_weak": _is_weak(item),
            "back": reverse("levity:ocpp_chargepointcertificate_change", args=[item.pk]),
        }
        return TemplateResponse(request, "levity/certificate_decide.html", context)


def _may(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm("ocpp.change_chargepointcertificate"))


def _profile(item: ChargePointCertificate) -> str:
    charge_point = item.charge_point
    return SecurityProfile(charge_point.security_profile).label if charge_point else NOTHING


def _is_weak(item: ChargePointCertificate) -> bool:
    """True if the charger need not have proved over TLS who it is, when it asked."""
    charge_point = item.charge_point
    least = SecurityProfile.BASIC_TLS
    return charge_point is None or charge_point.security_profile < least
