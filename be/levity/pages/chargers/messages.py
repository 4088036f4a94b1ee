"""The log of frames: what was said and what was answered, side by side."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display
from unfold.views import ChangeList

from levity.ocpp.models import ChargePoint, Message, Transaction
from levity.ocpp.store.messages import finding
from levity.ocpp.store.messages.codec import Exchange
from levity.ocpp.store.messages.finding import Found, find
from levity.ocpp.store.messages.reading import exchange
from levity.ocpp.store.messages.rows import FIELDS
from levity.ocpp.store.messages.wanted import LAST_ID, Place, Wanted
from levity.ocpp.visibility import is_limited, visible
from levity.pages.chargers.filters import (
    ActionFilter,
    DayRangeFilter,
    ErrorFilter,
    RowFilter,
    SenderFilter,
    TransactionFilter,
)
from levity.pages.chargers.frame_text import frame_excerpt, pretty_frame
from levity.pages.kit.base import BoundedChangeList, ReadOnlyAdmin, all_of
from levity.pages.kit.formats import NOTHING, badge, change_link, excerpt, shown_time, site_zone
from levity.pages.kit.lookups import LONGEST
from levity.pages.site import site

__all__ = ["MessageAdmin"]

# Enough of a frame for a list; whole ones may have 128 KiB each.
SHOWN = 400
MOST_DIGITS = 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# No message is younger; and a day later is still in the calendar.
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


class MessagePages:
    """What stands below the list: what this page has, and the way to older messages.

    Nobody counts all that match. A page is named by the place where it begins, so that it stays
    what it is while new messages come.
    """

    template_name = "levity/pagination_by_place.html"
    is_bounded = False

    def __init__(self, messages: "MessageList", found: Found) -> None:
        count = len(found.exchanges)
        self.shown = f"{count:,}"
        self.said = "1 message" if count == 1 else f"{count:,} messages"
        self.begins_later = messages.before is not None
        self.newest = messages.get_query_string()
        self.gave_up = found.looked_until is not None
        self.older = ""
        if found.older is not None:
            self.said += " on this page"
            self.older = messages.get_query_string({PAGE_VAR: _name_of(found.older)})
        if found.looked_until is not None:
            at = shown_time(found.looked_until, None)
            self.said = format_html("{}; looked through back to {}", self.said, at)
        if found.too_many:
            self.said, self.older = TOO_MANY, ""


TOO_MANY = (
    "More charge points were sending messages at that time than one page looks through. Choose a "
    "charge point, an action or an error."
)


class MessageList(BoundedChangeList):
    """Rows and blocks alike, the newest first; a page never reads more than is good for one."""

    def get_results(self, request: HttpRequest) -> None:
        """The page that was asked for."""
        self.before = _place_of(request.GET.get(PAGE_VAR, ""))
        chargers, text = self._searched(request.user)
        most = finding.SEARCHED if text else finding.LOOKED_AT
        wanted = self._wanted(chargers)
        found = find(wanted, self.list_per_page, text, SHOWN, most)
        self.result_list = _as_rows(found.exchanges)
        self.result_count = self.full_result_count = len(found.exchanges)
        self.show_full_result_count = False
        self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = MessagePages(self, found)

    def _searched(self, user: Any) -> tuple[Any, str]:
        """The charge points to look among, and the text to look for: what names some is no text.

        None: all charge points.
        """
        chargers: Any = None
        seen = _chargers_of(user)
        term = self.query.replace("\x00", "").strip()[:LONGEST]
        if term:
            named = Q(identity__iexact=term) | Q(name__iexact=term)
            chargers = all_of(seen.filter(named).values_list("pk", flat=True))
            if not isinstance(chargers, list) or chargers:
                return chargers, ""
        return (seen.values("pk") if is_limited(user) else None), term

    def _wanted(self, chargers: Any) -> Wanted:
        chosen: dict[str, Any] = {}
        owner: int | None = None
        for spec in self.filter_specs:
            if isinstance(spec, ActionFilter) and (action := spec.chosen()):
                chosen["actions"] = [action]
            elif isinstance(spec, ErrorFilter) and (error := spec.chosen()):
                chosen["has_error"] = error == "yes"
            elif isinstance(spec, SenderFilter) and (sender := spec.chosen()):
                chosen["sender"] = sender
            elif isinstance(spec, DayRangeFilter):
                chosen["since"], chosen["until"] = spec.period()
            elif isinstance(spec, TransactionFilter) and (number := spec.number()) is not None:
                chosen["transaction"] = number
                sessions = Transaction.objects.filter(pk=number)
                owner = owner or sessions.values_list("charge_point", flat=True).first()
            elif isinstance(spec, RowFilter) and (pk := spec.chosen()) is not None:
                owner = pk
        if owner is not None:
            among = ChargePoint.objects.filter(pk=owner)
            if chargers is not None:
                among = among.filter(pk__in=chargers)
            chargers = list(among.values_list("pk", flat=True))
        return Wanted(charge_points=chargers, before=self.before, **chosen)


def _chargers_of(user: Any) -> QuerySet[ChargePoint]:
    return visible(ChargePoint.objects.all(), user)


def _as_rows(exchanges: Sequence[Exchange]) -> list[Message]:
    """Rows that are in no table, perhaps; with their charge points."""
    owners = ChargePoint.objects.select_related("site").in_bulk(
        {item.charge_point_id for item in exchanges}
    )
    return [
        Message(
            charge_point=owners.get(item.charge_point_id),
            **{name: getattr(item, name) for name in FIELDS if name != "charge_point_id"},
        )
        for item in exchanges
    ]


def _name_of(place: Place) -> str:
    return f"{(place.at - _EPOCH) // _MICROSECOND}-{place.id}"


def _place_of(name: str) -> Place | None:
    """The place of this name; None for what is none."""
    at, _, pk = name.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 19 for part in (at, pk)):
        return None
    try:
        moment = _EPOCH + int(at) * _MICROSECOND
    except OverflowError:
        return None
    return Place(moment, min(int(pk), LAST_ID)) if moment < _LATEST else None


@admin.register(Message, site=site)
class MessageAdmin(ReadOnlyAdmin):
    """One row is one exchange, wherever it is kept: see `MessageList`."""

    list_display = (
        "received",
        "charger",
        "said_about",
        "asked",
        "answered",
        "error",
    )
    list_filter = (
        ActionFilter,
        ErrorFilter,
        SenderFilter,
        TransactionFilter,
        ("charge_point", RowFilter),
        ("received_at", DayRangeFilter),
    )
    list_select_related = ("charge_point__site",)
    sortable_by = ()
    search_fields = ("unique_id",)
    search_help_text = "Charge point or text of a frame"
    list_before_template = "levity/messages_help.html"
    fields = (
        "received",
        "answered_at_shown",
        "latency",
        "charger",
        "said",
        "unique_id",
        "transaction_link",
        "error",
        "request_shown",
        "response_shown",
        "connection",
        "seq",
    )
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The kind of list."""
        return MessageList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """See `MessageList`, which searches by itself."""
        return queryset, False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Message | None:
        """The message with this number, wherever it is kept."""
        if not (object_id.isascii() and object_id.isdigit() and len(object_id) <= MOST_DIGITS):
            return None
        user = request.user
        seen = _chargers_of(user).values("pk") if is_limited(user) else None
        found = exchange(int(object_id), seen)
        return None if found is None else _as_rows([found])[0]

    @display(description="time")
    def received(self, item: Message) -> str:
        """When the request passed the edge."""
        return shown_time(item.received_at, site_zone(item))

    @display(description="answered")
    def answered_at_shown(self, item: Message) -> str:
        """When the answer was known."""
        return shown_time(item.answered_at, site_zone(item))

    @display(description="charge point")
    def charger(self, item: Message) -> str:
        """Who it is about."""
        return change_link(ChargePoint, item.charge_point_id, item.charge_point)

    @display(description="action")
    def said(self, item: Message) -> str:
        """The action, and who began."""
        arrow = "→" if item.sender == Message.Sender.CHARGE_POINT else "←"
        who = item.get_sender_display()
        return format_html(
            '<span title="{} spoke first">{}</span> {}', who, arrow, item.action or "(no Call)"
        )

    @display(description="action")
    def said_about(self, item: Message) -> str:
        """The action, and the transaction under it."""
        if item.transaction is None:
            return self.said(item)
        return format_html("{}<br>{}", self.said(item), self.transaction_link(item))

    @display(description="request")
    def asked(self, item: Any) -> str:
        """The beginning of the frame."""
        return format_html('<code class="lv-frame">{}</code>', frame_excerpt(item.request))

    @display(description="response")
    def answered(self, item: Any) -> str:
        """The beginning of the frame that answered it."""
        if not item.response:
            return NOTHING
        return format_html(
            '<code class="lv-frame">{}</code><br><span class="lv-soft">after {}</span>',
            frame_excerpt(item.response),
            self.latency(item),
        )

    @display(description="transaction")
    def transaction_link(self, item: Message) -> str:
        """The transaction it is about, as far as known."""
        if item.transaction is None:
            return NOTHING
        return change_link(Transaction, item.transaction, f"#{item.transaction}")

    @display(description="answered after")
    def latency(self, item: Message) -> str:
        """From the request to its answer."""
        if item.answered_at is None:
            return NOTHING
        return f"{(item.answered_at - item.received_at).total_seconds() * 1000:.0f} ms"

    @display(description="error")
    def error(self, item: Message) -> str:
        """The error code, and the reason."""
        reason = excerpt(item.error_description, 120)
        if not item.error_code:
            return reason or NOTHING
        return format_html("{} {}", badge(item.error_code, "bad"), reason)

    @display(description="request")
    def request_shown(self, item: Message) -> str:
        """The whole frame."""
        return pretty_frame(item.request)

    @display(description="response")
    def response_shown(self, item: Message) -> str:
        """The whole frame."""
        return pretty_frame(item.response)
