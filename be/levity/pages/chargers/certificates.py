"""The certificates of charge points: asked for, approved, signed, installed, revoked.

Every decision has its page: GET explains and asks, POST (with CSRF token and permission) does it
and writes who did it into the log of the admin. Pages only decide: a worker signs.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from levity.ocpp.decisions.authority import authorities, requests
from levity.ocpp.models import (
    CertificateAuthority,
    ChargePoint,
    ChargePointCertificate,
    Command,
    SecurityProfile,
)
from levity.ocpp.visibility import is_limited, visible
from levity.pages.chargers.filters import RowFilter
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, badge, change_link, shown_time, site_zone
from levity.pages.site import site
from levity_ws.frozen import frozen

__all__ = ["DECISIONS", "CertificateAuthorityAdmin", "ChargePointCertificateAdmin"]

State = ChargePointCertificate.State
DECIDE = "ocpp_chargepointcertificate_decide"
TONES = {
    State.WAITING: "warn",
    State.APPROVED: "busy",
    State.ISSUED: "busy",
    State.INSTALLED: "good",
    State.REFUSED: "bad",
    State.REVOKED: "bad",
}


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


@admin.register(CertificateAuthority, site=site)
class CertificateAuthorityAdmin(ReadOnlyAdmin):
    """Who signs; `levity certificate_authority` makes one. Its key is not here."""

    list_display = ("organization", "state_shown", "good_until", "fingerprint")
    sortable_by = ()
    fields = (*list_display, "made", "certificate_shown")
    readonly_fields = fields

    @display(description="state")
    def state_shown(self, item: CertificateAuthority) -> str:
        """Whether it signs."""
        if item.replaced_at is None:
            return badge("in use", "good")
        return format_html("{} {}", badge("replaced", ""), shown_time(item.replaced_at))

    @display(description="good until")
    def good_until(self, item: CertificateAuthority) -> str:
        """Its end."""
        return shown_time(item.not_after)

    @display(description="made")
    def made(self, item: CertificateAuthority) -> str:
        """Since when there is one."""
        return shown_time(item.created_at)

    @display(description="certificate")
    def certificate_shown(self, item: CertificateAuthority) -> str:
        """PEM, as nginx wants it."""
        return format_html('<pre class="lv-json" tabindex="0">{}</pre>', item.certificate)


@admin.register(ChargePointCertificate, site=site)
class ChargePointCertificateAdmin(ReadOnlyAdmin):
    """Who asked, who approved, until when it is good, and whether it still is."""

    list_display = ("requested", "charger", "state_shown", "key_kind", "good_until", "serial")
    list_filter = ("state", ("charge_point", RowFilter))
    list_select_related = ("charge_point__site",)
    search_fields = ("serial_number", "fingerprint", "identity")
    search_help_text = "Complete serial number, SHA-256 fingerprint or identity"
    sortable_by = ()
    list_before_template = "levity/certificates_help.html"
    change_form_outer_after_template = "levity/certificate_now.html"
    fields = (
        *("charger", "identity", "state_shown", "detail", "requested", "asked_by"),
        *("key_kind", "key_fingerprint", "decided", "decided_by", "issued", "subject", "serial"),
        *("good_from", "good_until", "fingerprint", "authority", "sent_with"),
        *("revoked", "revoked_by", "revocation_reason", "certificate_shown"),
    )
    readonly_fields = fields

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Exact words, which an index answers."""
        words = search_term.replace("\0", "").strip()
        if not words:
            return queryset, False
        plain = words.replace(":", "").lower()
        found = (
            queryset.filter(serial_number=plain)
            | queryset.filter(fingerprint=plain)
            | queryset.filter(identity=words)
        )
        return found, False

    @display(description="requested")
    def requested(self, item: ChargePointCertificate) -> str:
        """When the charger asked for it."""
        return shown_time(item.requested_at, site_zone(item))

    @display(description="charge point")
    def charger(self, item: ChargePointCertificate) -> str:
        """Whose it is, if that is still known."""
        if item.charge_point is None:
            return item.identity
        return change_link(ChargePoint, item.charge_point_id, item.charge_point)

    @display(description="state")
    def state_shown(self, item: ChargePointCertificate) -> str:
        """How far it is; past its end it says so."""
        if item.state == State.INSTALLED and item.not_after and item.not_after < timezone.now():
            return badge("ended", "bad")
        return badge(item.get_state_display(), TONES.get(State(item.state), ""))

    @display(description="asked by")
    def asked_by(self, item: ChargePointCertificate) -> str:
        """The Call of ours, or the charger itself."""
        if item.trigger_id is None:
            return "the charger itself"
        return change_link(Command, item.trigger_id, f"us, with command {item.trigger_id}")

    @display(description="decided")
    def decided(self, item: ChargePointCertificate) -> str:
        """When it was approved or declined."""
        return shown_time(item.decided_at, site_zone(item))

    @display(description="signed")
    def issued(self, item: ChargePointCertificate) -> str:
        """When it was signed."""
        return shown_time(item.issued_at, site_zone(item))

    @display(description="serial number")
    def serial(self, item: ChargePointCertificate) -> str:
        """Hexadecimal."""
        return item.serial_number or NOTHING

    @display(description="good from")
    def good_from(self, item: ChargePointCertificate) -> str:
        """From when on it is good."""
        return shown_time(item.not_before, site_zone(item))

    @display(description="good until")
    def good_until(self, item: ChargePointCertificate) -> str:
        """Its end."""
        return shown_time(item.not_after, site_zone(item))

    @display(description="sent with")
    def sent_with(self, item: ChargePointCertificate) -> str:
        """The CertificateSigned."""
        if item.command_id is None:
            return NOTHING
        return change_link(Command, item.command_id, f"command {item.command_id}")

    @display(description="revoked")
    def revoked(self, item: ChargePointCertificate) -> str:
        """Since when."""
        return shown_time(item.revoked_at, site_zone(item))

    @display(description="certificate")
    def certificate_shown(self, item: ChargePointCertificate) -> str:
        """PEM."""
        if not item.certificate:
            return NOTHING
        return format_html('<pre class="lv-json" tabindex="0">{}</pre>', item.certificate)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with the authority above it."""
        # Who is limited to sites sees nothing of the operator's.
        authority = None if is_limited(request.user) else authorities.current_authority()
        extra = {
            **(extra_context or {}),
            "authority": authority,
            "has_none": authorities.current_authority() is None,
            "authority_until": shown_time(authority.not_after) if authority else "",
        }
        return super().changelist_view(request, extra)

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
