"""Connectors: the chain of each, drawn and listed, and how it stands now."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from levity.ocpp.decisions.reservations import open_reservations
from levity.ocpp.models import ChargePoint, Connector, Reservation, Transaction, UnassignedEnergy
from levity.ocpp.rules.flags import HARMLESS
from levity.pages.chargers.billing_class import class_badge, session_class
from levity.pages.chargers.chain import Chain, chain_of
from levity.pages.chargers.chain_chart import NARROW, WIDE, draw_chain
from levity.pages.chargers.chain_rows import Row, csv_rows, rows_of
from levity.pages.chargers.charge_point_now import error_of
from levity.pages.chargers.csv_export import streamed_csv
from levity.pages.chargers.filters import RowFilter
from levity.pages.chargers.sure_words import confidence_said
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import (
    NOTHING,
    badge,
    change_link,
    kwh,
    link,
    list_url,
    local_time,
    payer,
    said,
    shown_time,
    site_zone,
    words,
)
from levity.pages.kit.periods import KINDS, period_of
from levity.pages.kit.sentences import sentence
from levity.pages.site import site

__all__ = ["ConnectorAdmin", "chain_address"]

CHAIN_CSV = "ocpp_connector_chain"


def chain_address(connector: int, moment: datetime | None = None, zone: Any = None) -> str:
    """The page of this connector (its id), with the week around this moment."""
    address = reverse("levity:ocpp_connector_change", args=[connector])
    if moment is None:
        return address
    day = min(moment + timedelta(days=3), max(timezone.now(), moment))
    return f"{address}?{urlencode({'day': timezone.localtime(day, zone).date().isoformat()})}"


@admin.register(Connector, site=site)
class ConnectorAdmin(ReadOnlyAdmin):
    """One meter each: its register against time, and whose its energy is."""

    list_display = ("where", "status_shown", "since", "error", "running")
    list_filter = (("charge_point", RowFilter),)
    list_select_related = ("charge_point__site", "transaction")
    search_fields = ("charge_point__identity", "charge_point__name")
    search_help_text = _("Charge point")
    ordering = ("charge_point__identity", "evse", "number")
    fields = ("charge_point_shown", "status_shown", "since", "error", "running")
    readonly_fields = (*fields, "reserved")
    change_form_outer_before_template = "levity/connector_chain.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connector]:
        """With what is shown of each."""
        rows = super().get_queryset(request)
        return rows.select_related("charge_point__site", "transaction")

    def page_every(self, request: HttpRequest, row: Any) -> float:
        """Never: days that are over don't change, and the drawing is large."""
        return 0

    @display(description=_("charge point · connector"), ordering="charge_point__identity")
    def where(self, item: Connector) -> str:
        """The charger and its connector."""
        return f"{item.charge_point} · {_name(item)}"

    @display(description=_("charge point"))
    def charge_point_shown(self, item: Connector) -> str:
        """The charger, as a link."""
        return change_link(ChargePoint, item.charge_point_id, item.charge_point)

    @display(description=_("status"))
    def status_shown(self, item: Connector) -> str:
        """As it was told last."""
        return badge(item.status or gettext("unknown"))

    @display(description=_("since"))
    def since(self, item: Connector) -> str:
        """By our clock."""
        return shown_time(item.status_since, site_zone(item))

    @display(description=_("error"))
    def error(self, item: Connector) -> str:
        """What it reports, if anything is wrong."""
        return error_of(item) or NOTHING

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """With reservations, for who may see them."""
        user: Any = request.user
        shown = super().get_fields(request, obj)
        return (*shown, "reserved") if user.has_perm("ocpp.view_reservation") else shown

    @display(description=_("reserved"))
    def reserved(self, item: Connector) -> str:
        """For whom, and until when; also by a reservation of any connector."""
        now = timezone.now()
        held = [
            row
            for row in open_reservations(item.charge_point, now)
            if row.connector in (0, item.number)
        ]
        anywhere = gettext("any connector")
        lines = (
            (
                sentence(
                    gettext("for {}{} until {}"),
                    change_link(Reservation, row.pk, row.id_tag),
                    "" if row.connector else f" ({anywhere})",
                    shown_time(row.ends_at, site_zone(item)),
                ),
            )
            for row in held
        )
        return format_html_join("", "<div>{}</div>", lines) or NOTHING

    @display(description=_("transaction"))
    def running(self, item: Connector) -> str:
        """What charges there."""
        if item.transaction is None:
            return NOTHING
        return change_link(Transaction, item.transaction.pk, f"#{item.transaction.pk}")

    def beside(self, request: HttpRequest, row: Connector) -> dict[str, Any]:
        """Its chain in the days that are asked for."""
        return _shown(row, request)

    def get_urls(self) -> list[URLPattern]:
        """The chain as CSV has its own address."""
        export = path(
            "<int:pk>/chain/", self.admin_site.admin_view(self.export_view), name=CHAIN_CSV
        )
        return [export, *super().get_urls()]

    def export_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The table of the same days."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        item = get_object_or_404(self.get_queryset(request), pk=pk)
        zone, now = site_zone(item), timezone.now()
        chain = chain_of(item, period_of(request.GET, zone, now), now)
        # A file is English in every language, for programs that read it.
        with translation.override("en"):
            rows = rows_of(chain)
        return streamed_csv(csv_rows(rows, zone), "connector")


def _name(item: Connector) -> str:
    return (
        f"{item.evse}/{item.number}" if item.evse and item.evse != item.number else f"{item.number}"
    )


def _shown(item: Connector, request: HttpRequest) -> dict[str, Any]:
    zone, now = site_zone(item), timezone.now()
    period = period_of(request.GET, zone, now)
    chain = chain_of(item, period, now)
    rows = rows_of(chain)
    unassigned = gettext("Unassigned")
    if request.user.has_perm("ocpp.view_unassignedenergy"):
        mine = list_url(UnassignedEnergy, charge_point__id__exact=item.charge_point_id)
        unassigned = link(mine, unassigned)
    texts = {row.item.pk: _text(row, zone) for row in rows if row.item is not None}
    return {
        "chain": chain,
        "chain_of": gettext("Connector %(number)s") % {"number": _name(item)},
        "drawings": [draw_chain(chain, period, size, texts) for size in (WIDE, NARROW)],
        "rows": [_cells(row, zone, unassigned) for row in rows],
        "sums": _sums(chain),
        "period": period,
        "kinds": [
            (gettext(text), f"?{period.of_kind(kind).query}", kind == period.kind)
            for kind, text in KINDS.items()
        ],
        "earlier": f"?{period.before.query}",
        "later": f"?{period.after.query}" if period.until <= now else "",
        "csv": f"{reverse(f'levity:{CHAIN_CSV}', args=[item.pk])}?{period.query}",
    }


def _text(row: Row, zone: Any) -> str:
    item = row.item
    assert item is not None
    over = item.state != Transaction.State.ACTIVE
    until = local_time(row.until, zone) if over else gettext("now")
    span = {"first": local_time(row.since, zone), "last": until}
    parts = (
        f"#{item.pk}",
        gettext("%(first)s to %(last)s") % span,
        kwh(item.energy),
        confidence_said(item.confidence),
        row.note,
    )
    return ", ".join(part for part in parts if part)


def _cells(row: Row, zone: Any, unassigned: str) -> dict[str, Any]:
    item = row.item
    is_running = item is not None and item.state == Transaction.State.ACTIVE
    asks = session_class(item) if item else HARMLESS
    why = ", ".join(item.flags.split()) if item and asks != HARMLESS else ""
    return {
        "what": change_link(Transaction, item.pk, f"#{item.pk}") if item else unassigned,
        "id_tag": payer(item.id_tag, 40) if item else "",
        "since": shown_time(row.since, zone),
        "until": gettext("running") if is_running else shown_time(row.until, zone),
        "wh_from": kwh(row.wh_from),
        "wh_until": kwh(row.wh_until),
        "moved": kwh(row.moved),
        "energy": kwh(item.energy) if item else NOTHING,
        "sure": badge(said(item.confidence), "") if item else NOTHING,
        "class": "" if asks == HARMLESS else class_badge(asks),
        "note": words("; ".join(part for part in (why, row.note) if part)),
    }


def _sums(chain: Chain) -> list[tuple[str, str]]:
    billed = sum((each.item.energy or Decimal(0) for each in chain.sessions), Decimal(0))
    outside = sum((gap.wh for gap in chain.gaps), Decimal(0))
    count = len(chain.sessions)
    sessions = ngettext("%(count)s session", "%(count)s sessions", count)
    twice = sum((each.wh for each in chain.overlaps), Decimal(0))
    found = [
        (sessions % {"count": count}, kwh(billed)),
        (gettext("Unassigned: in no session"), kwh(outside)),
    ]
    return [*found, (gettext("In two sessions"), kwh(twice))] if twice else found
