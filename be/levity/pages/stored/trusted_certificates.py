"""Certificates of authorities that chargers trust."""

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from levity.ocpp.decisions.root_certificates import ask_for_certificates, delete_certificate
from levity.ocpp.models import InstalledCertificate
from levity.pages.kit.formats import NOTHING, badge, shown_time, site_zone
from levity.pages.site import site
from levity.pages.stored.deciding import SOURCE, Button
from levity.pages.stored.rows import StoredAdmin

__all__ = ["InstalledCertificateAdmin"]

State = InstalledCertificate.State
TONES = {State.INSTALLED: "good", State.REFUSED: "bad", State.MISSING: "warn"}
TYPES = {
    "CentralSystemRootCertificate": "this server",
    "ManufacturerRootCertificate": "firmware of its maker",
}


def _ask(row: InstalledCertificate, who: Any) -> str:
    ask_for_certificates(row.charge_point, who, source=SOURCE)
    return "The charger is asked which certificates it has."


def _delete(row: InstalledCertificate, who: Any) -> str:
    delete_certificate(row, who, source=SOURCE)
    return "The charger is asked to delete the certificate."


@admin.register(InstalledCertificate, site=site)
class InstalledCertificateAdmin(StoredAdmin):
    """By which certificates a charger recognises this server, and its maker."""

    list_display = ("subject_shown", "charger", "trusts", "good_until", "state_shown", "reported")
    list_filter = (*StoredAdmin.list_filter, "type")
    help_text = (
        "Certificates by which chargers recognise this server or the maker of their firmware: "
        "those sent from here, and those that chargers have reported."
    )
    fields = (
        *("charger", "trusts", "subject_shown", "serial_number", "good_until", "state_shown"),
        *("said", "installed", "reported", "ended", "hash_algorithm", "issuer_name_hash"),
        *("issuer_key_hash", "sent_with", "certificate_shown"),
    )
    readonly_fields = fields
    buttons = {
        "ask": Button(
            "Ask the charger",
            "ask it",
            "The charger lists its certificates; what it no longer has is marked as missing.",
            _ask,
        ),
        "delete": Button(
            "Delete from the charger",
            "delete it",
            "The charger trusts this authority no longer. If it is the one that signed this "
            "server's certificate, the charger can't connect over TLS any more, and has to be set "
            "up on site.",
            _delete,
            is_dangerous=True,
        ),
    }

    def buttons_for(self, row: InstalledCertificate) -> tuple[str, ...]:
        """Only what is there can be deleted."""
        return ("ask", "delete") if row.state == State.INSTALLED else ("ask",)

    @display(description="recognises")
    def trusts(self, row: InstalledCertificate) -> str:
        """What for."""
        meant = TYPES.get(row.type, "")
        return format_html('{}<br><span class="lv-soft">{}</span>', meant, row.type)

    @display(description="subject")
    def subject_shown(self, row: InstalledCertificate) -> str:
        """Whose it is, or the number that the charger told."""
        if row.subject:
            return row.subject
        return f"number {row.serial_number}" if row.serial_number else NOTHING

    @display(description="valid until")
    def good_until(self, row: InstalledCertificate) -> str:
        """Its end, if it was sent from here."""
        shown = shown_time(row.not_after, site_zone(row))
        if row.not_after is not None and row.not_after < timezone.now():
            return format_html("{} {}", shown, badge("ended", "bad"))
        return shown

    @display(description="state")
    def state_shown(self, row: InstalledCertificate) -> str:
        """Whether the charger has it."""
        return badge(row.get_state_display().lower(), TONES.get(State(row.state), ""))

    @display(description="last reported")
    def reported(self, row: InstalledCertificate) -> str:
        """When the charger listed it."""
        return shown_time(row.reported_at, site_zone(row))

    @display(description="accepted")
    def installed(self, row: InstalledCertificate) -> str:
        """When the charger took it."""
        return shown_time(row.installed_at, site_zone(row))

    @display(description="ended")
    def ended(self, row: InstalledCertificate) -> str:
        """When it was deleted, refused or missing."""
        return shown_time(row.ended_at, site_zone(row))

    @display(description="certificate")
    def certificate_shown(self, row: InstalledCertificate) -> str:
        """PEM."""
        if not row.certificate:
            return NOTHING
        return format_html('<pre class="lv-json" tabindex="0">{}</pre>', row.certificate)
