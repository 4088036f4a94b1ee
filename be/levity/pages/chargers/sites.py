"""Sites: places with chargers and rules of their own."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from levity.ocpp.decisions import sites as decisions
from levity.ocpp.models import ChargePoint, Site
from levity.pages.chargers.charge_point_forms import SiteForm
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import link, list_url
from levity.pages.site import site

__all__ = ["SiteAdmin"]


@admin.register(Site, site=site)
class SiteAdmin(LevityAdmin):
    """Where chargers stand."""

    by_decisions = True
    form = SiteForm
    list_display = ("name", "time_zone", "authorization", "chargers")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "time_zone", "authorization", "security_profile", "bill_signed", "notes")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Site]:
        """With the number of its chargers."""
        return super().get_queryset(request).annotate(how_many=Count("charge_points"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """As the API and the command line do it."""
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            decisions.change_site(obj, changed, request.user)
        else:
            decisions.add_site(obj, request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One, from its page."""
        decisions.delete_site(obj, request.user)

    @display(description="charge points")
    def chargers(self, site: Site) -> str:
        """How many stand there, and the way to them."""
        count: int = getattr(site, "how_many", 0)
        return link(list_url(ChargePoint, site__id__exact=site.pk), count)
