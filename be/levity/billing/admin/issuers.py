"""Issuers: who bills."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from levity.billing.admin.accounting import IssuerAccounting
from levity.billing.models import Issuer
from levity.ocpp.visibility import is_limited
from levity.pages.site import site

__all__ = ["IssuerAdmin"]


@admin.register(Issuer, site=site)
class IssuerAdmin(IssuerAccounting):
    """Who bills."""

    change_form_outer_before_template = "levity/issuer_now.html"

    audited = ("site", "name", "address", "tax_number", "payment_text", "prefix")
    list_display = ("name", "site", "prefix")
    list_select_related = ("site",)
    search_fields = ("name",)
    fields = audited
    autocomplete_fields = ("site",)

    def get_urls(self) -> list[URLPattern]:
        """With the page of its accounting data."""
        return [*self.accounting_urls(), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Once it has numbered statements, they stay with those who see that site."""
        return ("site",) if obj is not None and obj.next_number > 1 else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not for users of some sites only."""
        return super().has_change_permission(request, obj) and not is_limited(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not once it has numbered statements."""
        may = super().has_delete_permission(request, obj) and not is_limited(request.user)
        return may and (obj is None or obj.next_number == 1)
