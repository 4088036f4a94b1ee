"""The certificates of charge points: asked for, approved, signed, installed, revoked."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from levity.ocpp.decisions.authority import authorities
from levity.ocpp.models import (
    ChargePoint,
    ChargePointCertificate,
    Command,
)
from levity.ocpp.visibility import is_limited
from levity.pages.chargers.certificate_decisions import CertificateDecisions
from levity.pages.chargers.filters import RowFilter
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, badge, change_link, shown_time, site_zone
from levity.pages.site import site

__all__ = ["ChargePointCertificateAdmin"]

State = ChargePointCertificate.State
TONES = {
    State.WAITING: "warn",
    State.APPROVED: "busy",
    State.ISSUED: "busy",
    State.INSTALLED: "good",
    State.REFUSED: "bad",
    State.REVOKED: "bad",
}


@admin.register(ChargePointCertificate, site=site)
class ChargePointCertificateAdmin(CertificateDecisions, ReadOnlyAdmin):
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
