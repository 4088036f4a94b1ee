"""Meter values, as sent and in base units, and what was corrected in them."""

from datetime import tzinfo
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from levity.ocpp.models import MeterValue, MeterValueCorrection, Transaction
from levity.pages.chargers.filters import RowFilter
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import (
    NOTHING,
    change_link,
    excerpt,
    kwh,
    plain,
    shown_time,
    site_zone,
)
from levity.pages.site import site

__all__ = ["MeterValueAdmin", "MeterValueCorrectionAdmin"]


@admin.register(MeterValue, site=site)
class MeterValueAdmin(ReadOnlyAdmin):
    """The largest table: filtered only by what an index answers."""

    list_display = (
        "sampled",
        "where",
        "in_transaction",
        "measurand_shown",
        "said",
        "base",
        "detail",
    )
    list_filter = (("charge_point", RowFilter),)
    list_select_related = ("charge_point__site",)
    sortable_by = ()
    fields = (
        "sampled",
        "received",
        "where",
        "in_transaction",
        "measurand",
        "said",
        "base",
        "phase",
        "location",
        "context",
        "format",
    )
    readonly_fields = fields
    # The page of a transaction links here.
    extra_lookups = ("transaction__id__exact",)

    def get_ordering(self, request: HttpRequest) -> Any:
        """Newest first; of one charger by the index of that charger."""
        if "charge_point__id__exact" in request.GET:
            return ("-sampled_at", "-id")
        return ("-id",)

    @display(description="sampled")
    def sampled(self, item: MeterValue) -> str:
        """By the charger's clock."""
        return shown_time(item.sampled_at, site_zone(item))

    @display(description="received")
    def received(self, item: MeterValue) -> str:
        """By our clock."""
        return shown_time(item.received_at, site_zone(item))

    @display(description="charge point · connector")
    def where(self, item: MeterValue) -> str:
        """The charger and its connector."""
        return f"{item.charge_point} · {item.connector}"

    @display(description="transaction")
    def in_transaction(self, item: MeterValue) -> str:
        """The transaction it belongs to."""
        if item.transaction_id is None:
            return NOTHING
        return change_link(Transaction, item.transaction_id, f"#{item.transaction_id}")

    @display(description="measurand")
    def measurand_shown(self, item: MeterValue) -> str:
        """What was measured, and on which phase."""
        return excerpt(" ".join(part for part in (item.measurand, item.phase) if part), 80)

    @display(description="as sent")
    def said(self, item: MeterValue) -> str:
        """The raw value and its unit."""
        return excerpt(f"{item.raw_value} {item.unit}".strip(), 60) or NOTHING

    @display(description="value")
    def base(self, item: MeterValue) -> str:
        """The number: energy in kWh, all else in W, A, V and so on."""
        return _with_unit(item.value, base_unit(item))

    @display(description="context, location")
    def detail(self, item: MeterValue) -> str:
        """When and where it was taken."""
        return excerpt(", ".join(part for part in (item.context, item.location) if part), 60)


@admin.register(MeterValueCorrection, site=site)
class MeterValueCorrectionAdmin(ReadOnlyAdmin):
    """What `correct_meter_values` changed, and what it was before."""

    list_display = ("corrected", "in_transaction", "field", "change", "reason", "undone", "run")
    list_select_related = ("transaction__charge_point__site",)
    sortable_by = ()
    fields = (
        "corrected",
        "in_transaction",
        "of_value",
        "field",
        "change",
        "reason",
        "undone",
        "run",
    )
    readonly_fields = fields
    # The page of a transaction links here.
    extra_lookups = ("transaction__id__exact",)

    @display(description="corrected")
    def corrected(self, item: MeterValueCorrection) -> str:
        """When."""
        return shown_time(item.corrected_at, _zone(item))

    @display(description="transaction")
    def in_transaction(self, item: MeterValueCorrection) -> str:
        """The transaction whose figures changed."""
        if item.transaction_id is None:
            return NOTHING
        return change_link(Transaction, item.transaction_id, f"#{item.transaction_id}")

    @display(description="meter value")
    def of_value(self, item: MeterValueCorrection) -> str:
        """The meter value; none: a figure of the transaction itself."""
        if item.meter_value_id is None:
            return NOTHING
        return change_link(MeterValue, item.meter_value_id, f"#{item.meter_value_id}")

    @display(description="from, to")
    def change(self, item: MeterValueCorrection) -> str:
        """What it was, and what it is."""
        # The figures of a transaction itself are all energy.
        unit = "Wh" if item.meter_value_id is None else ""
        return f"{_with_unit(item.old_value, unit)} → {_with_unit(item.new_value, unit)}"

    @display(description="undone")
    def undone(self, item: MeterValueCorrection) -> str:
        """When it was taken back."""
        return shown_time(item.undone_at, _zone(item))


def _zone(item: MeterValueCorrection) -> tzinfo | None:
    """Of the site where it was charged."""
    return site_zone(item.transaction) if item.transaction is not None else None


def _with_unit(value: Decimal | None, unit: str) -> str:
    if value is None:
        return NOTHING
    return kwh(value) if unit == "Wh" else f"{plain(value)} {unit}".strip()


def base_unit(item: MeterValue) -> str:
    """The unit of `value`: the charger's without its kilo, else the measurand's default."""
    unit = item.unit or ("Wh" if item.measurand.startswith("Energy.") else "")
    return excerpt(unit.removeprefix("k"), 20) if unit != "k" else unit
