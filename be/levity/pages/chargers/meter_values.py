"""Meter values, as sent and in base units, and what was corrected in them."""

from collections.abc import Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import InvalidPage
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.decorators import display
from unfold.views import ChangeList

from levity.ocpp.models import ChargePoint, MeterValue, MeterValueCorrection, Transaction
from levity.ocpp.store.samples.elements import Element, KeptSample, samples_of
from levity.ocpp.store.samples.listing import NewestOf, newest_of_transaction
from levity.ocpp.store.samples.reading import of_rows
from levity.ocpp.visibility import visible
from levity.pages.chargers.filters import RowFilter
from levity.pages.kit.base import BoundedChangeList, BoundedPaginator, ReadOnlyAdmin
from levity.pages.kit.formats import (
    NOTHING,
    change_link,
    excerpt,
    kwh,
    link,
    list_url,
    plain,
    shown_time,
    site_zone,
)
from levity.pages.site import site
from levity_ws.frozen import frozen

__all__ = ["MeterValueAdmin", "MeterValueCorrectionAdmin"]


# MeterValues, each with its samples.
A_PAGE = 20


@frozen
class Line:
    """One sample, with its charge point."""

    _meta = MeterValue._meta

    sample: KeptSample
    charge_point: ChargePoint

    @property
    def pk(self) -> int:
        """The sample's key."""
        return self.sample.pk


class SampleList(BoundedChangeList):
    """MeterValues from wherever they are kept, the newest first."""

    def get_results(self, request: HttpRequest) -> None:
        """Of one charge point or session all, else those of the last days: those are rows."""
        self.paginator = BoundedPaginator(self._asked(request), A_PAGE)
        self.result_count = self.full_result_count = self.paginator.count
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all, self.multi_page = False, self.paginator.num_pages > 1
        try:
            page = self.paginator.page(self.page_num)
        except InvalidPage as error:
            raise IncorrectLookupParameters from error
        found: Any = page.object_list
        if isinstance(found, QuerySet):
            found = of_rows(MeterValue.objects.filter(pk__in=[row.pk for row in found]))[::-1]
        self.result_list = _lines(found)

    def _asked(self, request: HttpRequest) -> QuerySet[MeterValue] | Sequence[Element]:
        session = _number(request, "transaction__id__exact")
        charge_point = _number(request, "charge_point__id__exact")
        if session is None and charge_point is None:
            rows: QuerySet[MeterValue] = self.queryset
            return rows.only("pk")
        if session is None:
            chargers = ChargePoint.objects.filter(pk=charge_point or 0)
            found = visible(chargers, request.user).exists()
            return NewestOf(charge_point or 0) if found else []
        sessions = Transaction.objects.filter(pk=session)
        if not visible(sessions, request.user).exists():
            return []
        elements = newest_of_transaction(session)
        return [
            each
            for each in elements
            if charge_point is None or each.charge_point_id == charge_point
        ]


def _number(request: HttpRequest, name: str) -> int | None:
    """What the address asks for; None where it asks for nothing."""
    text = request.GET.get(name, "")
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _lines(elements: Sequence[Element]) -> list[Line]:
    rows = ChargePoint.objects.select_related("site")
    chargers = rows.in_bulk({element.charge_point_id for element in elements})
    return [
        Line(sample, chargers[element.charge_point_id])
        for element in elements
        if element.charge_point_id in chargers
        for sample in reversed(element.samples())
    ]


@admin.register(MeterValue, site=site)
class MeterValueAdmin(ReadOnlyAdmin):
    """Of a charger or a transaction all, else what came in the last days."""

    list_display = (
        "sampled",
        "where",
        "in_transaction",
        "measurand_shown",
        "said",
        "base",
        "detail",
        "received",
    )
    list_display_links = None
    list_filter = (("charge_point", RowFilter),)
    sortable_by = ()
    ordering = ("-id",)
    fields = ("sampled_shown", "received_shown", "place", "session", "samples_shown")
    readonly_fields = fields
    list_before_template = "levity/meter_values_note.html"
    # The page of a transaction links here.
    extra_lookups = ("transaction__id__exact",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The kind of list."""
        return SampleList

    @display(description="sampled")
    def sampled(self, item: Line) -> str:
        """By the charger's clock."""
        return shown_time(item.sample.sampled_at, site_zone(item))

    @display(description="received")
    def received(self, item: Line) -> str:
        """By our clock."""
        return shown_time(item.sample.received_at, site_zone(item))

    @display(description="charge point · connector")
    def where(self, item: Line) -> str:
        """The charger and its connector."""
        return f"{item.charge_point} · {item.sample.connector}"

    @display(description="transaction")
    def in_transaction(self, item: Line) -> str:
        """The transaction it belongs to."""
        pk = item.sample.transaction_id
        return NOTHING if pk is None else change_link(Transaction, pk, f"#{pk}")

    @display(description="measurand")
    def measurand_shown(self, item: Line) -> str:
        """What was measured, and on which phase."""
        said = (item.sample.measurand, item.sample.phase)
        return excerpt(" ".join(part for part in said if part), 80)

    @display(description="as sent")
    def said(self, item: Line) -> str:
        """The raw value and its unit."""
        return excerpt(f"{item.sample.raw_value} {item.sample.unit}".strip(), 60) or NOTHING

    @display(description="value")
    def base(self, item: Line) -> str:
        """The number: energy in kWh, all else in W, A, V and so on."""
        return _with_unit(item.sample.value, base_unit(item.sample))

    @display(description="context, location, format")
    def detail(self, item: Line) -> str:
        """When and where it was taken, and how it is written."""
        return _detail(item.sample)

    @display(description="sampled")
    def sampled_shown(self, item: MeterValue) -> str:
        """By the charger's clock."""
        return shown_time(item.sampled_at, site_zone(item))

    @display(description="received")
    def received_shown(self, item: MeterValue) -> str:
        """By our clock."""
        return shown_time(item.received_at, site_zone(item))

    @display(description="charge point · connector")
    def place(self, item: MeterValue) -> str:
        """The charger and its connector."""
        return f"{item.charge_point} · {item.connector}"

    @display(description="transaction")
    def session(self, item: MeterValue) -> str:
        """The transaction it belongs to."""
        pk = item.transaction_id
        return NOTHING if pk is None else change_link(Transaction, pk, f"#{pk}")

    @display(description="samples")
    def samples_shown(self, item: MeterValue) -> str:
        """What was sampled, a line each."""
        samples = samples_of(of_rows(MeterValue.objects.filter(pk=item.pk)))
        lines = [
            (
                excerpt(f"{each.measurand} {each.phase}".strip(), 80),
                excerpt(f"{each.raw_value} {each.unit}".strip(), 60),
                _detail(each),
            )
            for each in samples
        ]
        return (
            format_html_join("", '<div>{}: {} <span class="lv-soft">{}</span></div>', lines)
            or NOTHING
        )


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[MeterValueCorrection]:
        """Without what is no figure: text of ours that goes with the session's figures."""
        return super().get_queryset(request).exclude(field__in=("checks", "lives"))

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
        """The session's meter values; none: a figure of the transaction itself."""
        if not _is_sample(item):
            return NOTHING
        if item.transaction_id is not None:
            address = list_url(MeterValue, transaction__id__exact=item.transaction_id)
        elif item.charge_point_id is not None:
            address = list_url(MeterValue, charge_point__id__exact=item.charge_point_id)
        else:
            return NOTHING
        at = shown_time(item.sampled_at, _zone(item))
        return link(address, f"of {at}" if item.sampled_at else "meter values")

    @display(description="from, to")
    def change(self, item: MeterValueCorrection) -> str:
        """What it was, and what it is."""
        if item.new_value is None:
            return f"{excerpt(item.old_text, 80) or NOTHING} → {excerpt(item.new_text, 80)}"
        # The figures of a transaction itself that are numbers are all energy.
        unit = "" if _is_sample(item) else "Wh"
        return f"{_with_unit(item.old_value, unit)} → {_with_unit(item.new_value, unit)}"

    @display(description="undone")
    def undone(self, item: MeterValueCorrection) -> str:
        """When it was taken back."""
        return shown_time(item.undone_at, _zone(item))


def _detail(sample: KeptSample) -> str:
    said = (sample.context, sample.location, sample.format)
    return excerpt(", ".join(part for part in said if part), 80)


def _is_sample(item: MeterValueCorrection) -> bool:
    return item.sample is not None or item.meter_value_id is not None


def _zone(item: MeterValueCorrection) -> tzinfo | None:
    """Of the site where it was charged."""
    return site_zone(item.transaction) if item.transaction is not None else None


def _with_unit(value: Decimal | None, unit: str) -> str:
    if value is None:
        return NOTHING
    return kwh(value) if unit == "Wh" else f"{plain(value)} {unit}".strip()


def base_unit(item: KeptSample) -> str:
    """The unit of `value`: the charger's without its kilo, else the measurand's default."""
    unit = item.unit or ("Wh" if item.measurand.startswith("Energy.") else "")
    return excerpt(unit.removeprefix("k"), 20) if unit != "k" else unit
