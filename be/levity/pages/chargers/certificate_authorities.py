"""The certificate authorities: who signs, and until when."""

from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display

from levity.ocpp.models import (
    CertificateAuthority,
)
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import badge, shown_time
from levity.pages.site import site

__all__ = ["CertificateAuthorityAdmin"]


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
