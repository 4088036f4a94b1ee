"""The ledger: transactions to look at and to take away as CSV, never to edit."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action, display

from levity.ocpp.models import (
    ChargePoint,
    Message,
    MeterValueCorrection,
    Transaction,
    TransactionAlias,
)
from levity.ocpp.rules.flags import HARMLESS
from levity.ocpp.store.samples.elements import samples_of
from levity.ocpp.store.samples.reading import of_transaction
from levity.ocpp.store.signed import judged
from levity.pages.chargers.billing_class import (
    ClassFilter,
    class_badge,
    session_class,
)
from levity.pages.chargers.chart import chart_of, csv_rows
from levity.pages.chargers.csv_export import csv_response, streamed_csv
from levity.pages.chargers.end_session import EndByHand
from levity.pages.chargers.figures import figures_of
from levity.pages.chargers.filters import PayerFilter, RowFilter, StartedFilter
from levity.pages.chargers.give_energy import take_back_url
from levity.pages.chargers.how_sure import how_sure
from levity.pages.chargers.owners import id_tags_of, with_owner
from levity.pages.chargers.restored import NAME as RESTORED
from levity.pages.chargers.restored import restored_view
from levity.pages.chargers.signed import SignedValues, signed_shown
from levity.pages.chargers.stop_charging import StopCharging
from levity.pages.chargers.sure_words import confidence_said, source_said
from levity.pages.kit import hooks
from levity.pages.kit.base import BoundedPaginator, NamesAfterwards, ReadOnlyAdmin, all_of
from levity.pages.kit.formats import (
    NOTHING,
    badge,
    change_link,
    duration,
    excerpt,
    kwh,
    link,
    list_url,
    local_time,
    payer,
    session_state,
    shown_time,
    site_zone,
    so_far,
    watts,
    words,
)
from levity.pages.site import site

__all__ = ["TransactionAdmin"]

VALUES_A_PAGE = 50
SAMPLES = "ocpp_transaction_samples"
TONES = {
    Transaction.State.ACTIVE: "busy",
    Transaction.State.STOPPED: "good",
    Transaction.State.ORPHANED: "warn",
}


class SessionList(NamesAfterwards):
    """With the charge point of each."""

    names = ("charge_point__site",)


@admin.register(Transaction, site=site)
class TransactionAdmin(SignedValues, StopCharging, EndByHand, ReadOnlyAdmin):
    """Times are the charger's, shown in the site's time zone; energy in kWh."""

    list_display = (
        "number",
        "where",
        "id_tag_shown",
        "started",
        "stopped",
        "lasted",
        "energy_shown",
        "state_and_flags",
    )
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ClassFilter,
        ("charge_point", RowFilter),
        ("started_at", StartedFilter),
        PayerFilter,
    )
    list_select_related = ("charge_point__site",)
    search_fields = ("id_tag",)
    search_help_text = _("Number, id tag, its owner, or charge point")
    actions = ("export_selected",)
    list_before_template = "levity/transactions_export.html"
    fields = (
        "number",
        "where",
        "id_tag_shown",
        "state_shown",
        "energy_shown",
        "energy_from",
        "power_shown",
        "started",
        "start_received",
        "meter_start_shown",
        "stopped",
        "stop_received",
        "meter_stop_shown",
        "lasted",
        "stop_tag",
        "meter_last_shown",
        "reservation",
        "corrections_shown",
        "frames",
    )
    readonly_fields = fields
    change_form_outer_after_template = "levity/transaction_values.html"
    live_parts = {
        "lv-session": "levity/transaction_live.html",
        "lv-figures": "levity/transaction_figures.html",
        "lv-sure": "levity/transaction_sure.html",
        "lv-chart": "levity/transaction_chart.html",
        "lv-values": "levity/transaction_samples.html",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        """With the charge point, and whether figures were corrected."""
        corrections = MeterValueCorrection.objects.filter(transaction=OuterRef("pk"))
        rows = super().get_queryset(request).select_related("charge_point__site")
        return with_owner(rows.annotate(is_corrected=Exists(corrections)), request.user)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """One that is read in the order of its ids."""
        return SessionList

    def get_ordering(self, request: HttpRequest) -> Any:
        """Newest first, by the index that answers the filter."""
        if any(request.GET.get(name) for name in ("started_at_from", "started_at_to")):
            return ("-started_at", "-id")
        return ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By number, whole id tag, part of the owner's name, or the beginning of a charge point's
        identity or name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        chargers = ChargePoint.objects.filter(
            Q(identity__istartswith=term) | Q(name__istartswith=term)
        ).values_list("pk", flat=True)
        wanted = Q(id_tag__iexact=term) | Q(charge_point__in=all_of(chargers))
        owned = all_of(id_tags_of(term, request.user))
        if not isinstance(owned, list) or owned:
            queryset = queryset.alias(tag_key=Lower("id_tag"))
            wanted |= Q(tag_key__in=owned)
        digits = term.removeprefix("#")
        if digits.isascii() and digits.isdigit() and len(digits) <= 10:
            # Asked first: within the OR it would read the whole table.
            named = TransactionAlias.objects.filter(pk=int(digits))
            others = list(named.values_list("transaction", flat=True))
            wanted |= Q(pk=int(digits)) | Q(pk__in=others)
        return queryset.filter(wanted), False

    @display(description=_("number"), ordering="id")
    def number(self, item: Transaction) -> str:
        """The id, which is OCPP 1.6's transactionId; and the charger's own, where it gives one."""
        return f"#{item.pk} · {excerpt(item.wire_id, 40)}" if item.wire_id else f"#{item.pk}"

    @display(description=_("charge point · connector"))
    def where(self, item: Transaction) -> str:
        """The charger and its connector."""
        charger = change_link(ChargePoint, item.charge_point_id, item.charge_point)
        return format_html("{} · {}", charger, item.connector or NOTHING)

    @display(description=_("id tag"))
    def id_tag_shown(self, item: Transaction) -> str:
        """Who charged, and the owner of that tag where there is one."""
        tag, owner = payer(item.id_tag, 40), getattr(item, "owner", "")
        if not owner:
            return tag
        return format_html('{}<br><span class="lv-soft">{}</span>', tag, excerpt(owner, 40))

    @display(description=_("started"), ordering="started_at")
    def started(self, item: Transaction) -> str:
        """By the charger's clock."""
        return shown_time(item.started_at, site_zone(item))

    @display(description=_("stopped"))
    def stopped(self, item: Transaction) -> str:
        """By the charger's clock."""
        return shown_time(item.stopped_at, site_zone(item))

    @display(description=_("duration"))
    def lasted(self, item: Transaction) -> str:
        """From start to stop, or until now."""
        if item.stopped_at is not None:
            return duration(item.stopped_at - item.started_at)
        if item.state != Transaction.State.ACTIVE:
            return NOTHING
        return so_far(item.started_at, timezone.now())

    @display(description=_("energy"))
    def energy_shown(self, item: Transaction) -> str:
        """What was charged; and why not, where no total counts it."""
        if item.is_counted:
            return kwh(item.energy)
        why = gettext("demo") if item.is_plausible else gettext("implausible")
        return f"{kwh(item.energy)} ({why})"

    @display(description=_("energy derived from"))
    def energy_from(self, item: Transaction) -> str:
        """What the energy was derived from, and how sure that is."""
        parts = (source_said(item.energy_source), confidence_said(item.confidence))
        return ", ".join(filter(None, parts)) or NOTHING

    @display(description=_("corrections"))
    def corrections_shown(self, item: Transaction) -> str:
        """Where the corrected figures are, if there are any."""
        if not getattr(item, "is_corrected", False):
            return gettext("none")
        address = list_url(MeterValueCorrection, transaction__id__exact=item.pk)
        return link(address, gettext("corrections of this transaction"))

    @display(description=_("power"))
    def power_shown(self, item: Transaction) -> str:
        """In the last meter values, while it runs."""
        return watts(item.power) if item.state == Transaction.State.ACTIVE else NOTHING

    @display(description=_("state"))
    def state_shown(self, item: Transaction) -> str:
        """How it stands, and why it ended."""
        word = badge(session_state(item.state), TONES.get(Transaction.State(item.state), ""))
        return format_html("{} {}", word, words(excerpt(item.stop_reason, 40)))

    @display(description=_("state"))
    def state_and_flags(self, item: Transaction) -> str:
        """The same, with what was odd about it, and what that asks of who bills it."""
        flags = words(excerpt(item.flags, 80))
        asks = session_class(item)
        return format_html(
            '{} {}<br><span class="lv-soft">{}</span>',
            self.state_shown(item),
            "" if asks == HARMLESS else class_badge(asks),
            flags,
        )

    @display(description=_("start received"))
    def start_received(self, item: Transaction) -> str:
        """By our clock."""
        return shown_time(item.start_received_at, site_zone(item))

    @display(description=_("stop received"))
    def stop_received(self, item: Transaction) -> str:
        """By our clock."""
        return shown_time(item.stop_received_at, site_zone(item))

    @display(description=_("meter at start"))
    def meter_start_shown(self, item: Transaction) -> str:
        """The register, as StartTransaction said."""
        return kwh(item.meter_start)

    @display(description=_("meter at stop"))
    def meter_stop_shown(self, item: Transaction) -> str:
        """The register, as StopTransaction said."""
        return kwh(item.meter_stop)

    @display(description=_("newest register value"))
    def meter_last_shown(self, item: Transaction) -> str:
        """The register, as the last meter values said."""
        if item.meter_last is None:
            return NOTHING
        at = local_time(item.meter_last_at, site_zone(item))
        return gettext("%(figure)s at %(when)s") % {"figure": kwh(item.meter_last), "when": at}

    @display(description=_("id tag at the stop"))
    def stop_tag(self, item: Transaction) -> str:
        """Who ended it."""
        return item.stop_id_tag or NOTHING

    @display(description=_("reservation"))
    def reservation(self, item: Transaction) -> str:
        """The number of the reservation that it used."""
        return NOTHING if item.reservation_id is None else str(item.reservation_id)

    @display(description=_("frames"))
    def frames(self, item: Transaction) -> str:
        """Where the messages are."""
        address = list_url(Message, transaction=item.pk)
        return link(address, gettext("messages of this transaction"))

    def beside(self, request: HttpRequest, row: Transaction) -> dict[str, Any]:
        """Its chart and a page of its meter values."""
        return {
            **_values(request, row),
            **_chart(row),
            "sure": how_sure(row, request.user),
            "figures": [*figures_of(row), *hooks.figures(request, row)],
            "end_url": self.end_url(request, row),
            "take_back_url": take_back_url(request, row),
            **self.stopping(request, row),
        }

    @action(description=_("Export as CSV"), permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[Transaction]) -> Any:
        """Those that are selected, or all that fit the filters."""
        return csv_response(queryset, request.user)

    def get_urls(self) -> list[URLPattern]:
        """The list as CSV has its own address, with the same filters."""
        export = path(
            "export/",
            self.admin_site.admin_view(self.export_view),
            name="ocpp_transaction_export",
        )
        restored = path(
            "restored/",
            self.admin_site.admin_view(lambda request: restored_view(request, self.admin_site)),
            name=RESTORED,
        )
        samples = path(
            "<int:pk>/samples.csv", self.admin_site.admin_view(self.samples_view), name=SAMPLES
        )
        return [export, restored, samples, *self.signed_urls(), *super().get_urls()]

    def samples_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What the plots of one session show, as a file."""
        item = self.get_object(request, str(pk))
        if item is None or not self.has_view_permission(request, item):
            raise PermissionDenied
        zone = site_zone(item)
        chart = chart_of(item, zone)
        rows = (
            csv_rows(chart, zone) if chart is not None else iter([["time (UTC)", "time (local)"]])
        )
        return streamed_csv(rows, f"session-{pk}")

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """All that fit the filters in the address, or all."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect("levity:ocpp_transaction_changelist")
        return csv_response(found, request.user)


def _values(request: HttpRequest, item: Transaction) -> dict[str, Any]:
    """A page of its meter values, the newest first."""
    samples = samples_of(of_transaction(item.pk))
    rows = samples[::-1]
    zone = site_zone(item)
    signed = signed_shown(item, judged(item, samples), zone)
    page = BoundedPaginator(rows, VALUES_A_PAGE).get_page(request.GET.get("page"))
    shown = [(shown_time(row.sampled_at, zone), row) for row in page]
    return {"values": page, "value_rows": shown, "signed": signed}


def _chart(item: Transaction) -> dict[str, Any]:
    """The plots, and where their figures are."""
    chart = chart_of(item, site_zone(item))
    return {"chart": chart, "chart_csv": reverse(f"levity:{SAMPLES}", args=[item.pk])}
