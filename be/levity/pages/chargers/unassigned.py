"""What the meters of connectors moved in no session: by connector and month, down to the stretches
of the register, each of which a person can give to somebody."""

from datetime import tzinfo
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from levity.ocpp.decisions import unassigned
from levity.ocpp.models import (
    ChargePoint,
    Connector,
    Message,
    MeterValue,
    Transaction,
    UnassignedEnergy,
)
from levity.ocpp.rules.chain.unassigned import Unassigned
from levity.ocpp.store.loose import is_month, month_of, months_before
from levity.pages.chargers.connectors import chain_address
from levity.pages.chargers.csv_export import cell, local_cell, streamed_csv, utc_cell
from levity.pages.chargers.filters import ChoiceFilter, Lookups, RowFilter
from levity.pages.chargers.give_energy import GiveEnergy, key_of
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import (
    change_link,
    kwh,
    link,
    list_url,
    payer,
    said,
    shown_time,
    site_zone,
)
from levity.pages.site import site

__all__ = ["UnassignedEnergyAdmin"]

CHUNK = 1_000
# Months that the filter offers; an address may ask for any other.
OFFERED = 13
# Stretches that a page shows; a register that never stands still has many.
SHOWN = 200


class MonthFilter(ChoiceFilter, DropdownFilter):
    """One month, of those that are not long ago."""

    title = _("month")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        now = month_of(timezone.now(), timezone.get_current_timezone())
        return [(month, month) for month in months_before(now, OFFERED)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = str(self.value() or "")
        return queryset.filter(month=chosen) if is_month(chosen) else queryset


@admin.register(UnassignedEnergy, site=site)
class UnassignedEnergyAdmin(GiveEnergy, ReadOnlyAdmin):
    """Times are the charger's, shown in the site's time zone; energy in kWh."""

    list_display = ("month", "where", "energy", "stretches", "last", "renewed")
    list_filter = (
        MonthFilter,
        ("charge_point", RowFilter),
        ("charge_point__site", RowFilter),
    )
    list_select_related = ("charge_point__site",)
    sortable_by = ()
    ordering = ("-month", "-wh", "pk")
    list_before_template = "levity/unassigned_help.html"
    fields = ("where", "month", "energy", "last", "renewed", "frames")
    readonly_fields = fields
    change_form_outer_after_template = "levity/unassigned_now.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnassignedEnergy]:
        """With the charge point and its site, also on the page of one."""
        return super().get_queryset(request).select_related("charge_point__site")

    def get_urls(self) -> list[URLPattern]:
        """The list as CSV has its own address, with the same filters."""
        export = path(
            "export/",
            self.admin_site.admin_view(self.export_view),
            name="ocpp_unassignedenergy_export",
        )
        return [export, *super().get_urls()]

    def beside(self, request: HttpRequest, row: UnassignedEnergy) -> dict[str, Any]:
        """The stretches of the month, and what was made of others."""
        return _now(row, may_give=self.may_give(request))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """All that fit the filters in the address, or all."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect("levity:ocpp_unassignedenergy_changelist")
        rows = found.select_related("charge_point__site")
        return streamed_csv(_rows(rows), "unassigned-energy")

    @display(description=_("charge point · connector"))
    def where(self, item: UnassignedEnergy) -> str:
        """The charger and its connector."""
        charger = change_link(ChargePoint, item.charge_point_id, item.charge_point)
        return format_html("{} · {}", charger, item.connector or item.evse)

    @display(description=_("energy"))
    def energy(self, item: UnassignedEnergy) -> str:
        """How much its meter moved in no session."""
        return kwh(item.wh)

    @display(description=_("last time"))
    def last(self, item: UnassignedEnergy) -> str:
        """By the charger's clock."""
        return shown_time(item.last_at, site_zone(item))

    @display(description=_("as of"))
    def renewed(self, item: UnassignedEnergy) -> str:
        """When it was summed up."""
        return shown_time(item.renewed_at, site_zone(item))

    @display(description=_("meter values"))
    def frames(self, item: UnassignedEnergy) -> str:
        """Where the samples are."""
        address = list_url(MeterValue, charge_point__id__exact=item.charge_point_id)
        return link(address, "meter values of this charge point")


def _now(item: UnassignedEnergy, *, may_give: bool) -> dict[str, Any]:
    if not is_month(item.month):
        return {}
    place = item.evse, item.connector
    stretches = unassigned.stretches_of(item.charge_point, place, item.month)
    zone = site_zone(item)
    there = Connector.objects.filter(
        charge_point=item.charge_point_id, evse=item.evse, number=item.connector
    )
    connector = there.values_list("pk", flat=True).first()
    return {
        "stretches": [
            _stretch(item, stretch, zone, connector, may_give=may_give)
            for stretch in stretches[:SHOWN]
        ],
        "left_out": max(0, len(stretches) - SHOWN),
        "given": [
            {
                "number": change_link(Transaction, row.pk, f"#{row.pk}"),
                "id_tag": payer(row.id_tag, 40),
                "since": shown_time(row.started_at, zone),
                "until": shown_time(row.stopped_at, zone),
                "energy": kwh(row.energy),
                "undo": _undo(row) if may_give else "",
            }
            for row in unassigned.given_in(item.charge_point, place, item.month)
        ],
    }


def _stretch(
    item: UnassignedEnergy,
    stretch: Unassigned,
    zone: tzinfo | None,
    connector: int | None,
    *,
    may_give: bool,
) -> dict[str, Any]:
    give = ""
    if may_give:
        give = reverse("levity:ocpp_unassignedenergy_give", args=[item.pk, key_of(stretch)])
    return {
        "since": shown_time(stretch.since, zone),
        "until": shown_time(stretch.until, zone),
        "energy": kwh(stretch.wh),
        "register": gettext("%(first)s to %(last)s")
        % {"first": kwh(stretch.wh_from), "last": kwh(stretch.wh_until)},
        "shown_by": said(stretch.words),
        "before": _session(stretch.before),
        "after": _session(stretch.after),
        "messages": link(_messages(item.charge_point, stretch), gettext("Messages")),
        "chain": link(chain_address(connector, stretch.since, zone), gettext("Chain"))
        if connector
        else "",
        "give": give,
    }


def _session(pk: int | None) -> str:
    return gettext("none") if pk is None else change_link(Transaction, pk, f"#{pk}")


def _messages(charge_point: ChargePoint, stretch: Unassigned) -> str:
    """Of the days of this stretch."""
    days = [f"{timezone.localtime(at):%Y-%m-%d}" for at in (stretch.since, stretch.until)]
    return list_url(
        Message,
        charge_point__id__exact=charge_point.pk,
        received_at_from=days[0],
        received_at_to=days[1],
    )


def _undo(row: Transaction) -> str:
    return reverse("levity:ocpp_unassignedenergy_undo", args=[row.pk])


def _rows(rows: QuerySet[UnassignedEnergy]) -> Any:
    yield [
        "charge point",
        "name",
        "site",
        "connector",
        "month",
        "unassigned energy (kWh)",
        "stretches",
        "last (UTC)",
        "last (local)",
    ]
    for item in rows.iterator(chunk_size=CHUNK):
        place = item.charge_point.site
        yield [
            cell(item.charge_point.identity),
            cell(item.charge_point.name),
            cell(place.name if place else ""),
            str(item.connector or item.evse),
            cell(item.month),
            f"{item.wh / 1000:.3f}",
            str(item.stretches),
            utc_cell(item.last_at),
            local_cell(item.last_at, site_zone(item)),
        ]
