"""Filters that an index answers, or that are bounded."""

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    DropdownFilter,
    RadioFilter,
    RangeDateFilter,
    TextFilter,
)
from unfold.utils import parse_date_str

from levity.ocpp.chargers.clocks import BEFORE_OCPP
from levity.ocpp.chargers.faults import FAULT
from levity.ocpp.models import Connector, Message
from levity.ocpp.versions import ACTIONS, ROUTES
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import UNKNOWN_PAYER

__all__ = [
    "ActionFilter",
    "ChoiceFilter",
    "ConnectorStatusFilter",
    "DayRangeFilter",
    "ErrorFilter",
    "FaultFilter",
    "InUseFilter",
    "Lookups",
    "OnlineFilter",
    "OpenFilter",
    "PayerFilter",
    "RowFilter",
    "SenderFilter",
    "StartedFilter",
    "TransactionFilter",
    "started_within",
]

Lookups = list[tuple[str, Any]]

STATUSES = (
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
)
MOST_DIGITS = 9
"""Of a transactionId."""


class DayRangeFilter(RangeDateFilter):
    """From the first moment of one day to the last of another, in the site's time zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of these days; what is no date is taken for no limit."""
        first, end = self.period()
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if end:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": end})
        return queryset

    def period(self) -> tuple[datetime | None, datetime | None]:
        """The first moment, and that behind the last; None: no limit."""
        last = self._day("to")
        return self._day("from"), last and last + timedelta(days=1)

    def _day(self, end: str) -> datetime | None:
        day = parse_date_str(str(self.used_parameters.get(f"{self.parameter_name}_{end}", "")))
        # Years that some time zone pushes out of the calendar are nobody's wish.
        if day is None or not 1900 <= day.year <= 9000:
            return None
        return timezone.make_aware(datetime.combine(day, time()))


def started_within(first: datetime | None, end: datetime | None) -> Q:
    """Sessions that began then; those of a clock that was never set count by when we heard of it,
    or no month would ever hold their energy."""
    said = Q(started_at__gte=BEFORE_OCPP if first is None else max(first, BEFORE_OCPP))
    heard = Q(started_at__lt=BEFORE_OCPP)
    if first is not None:
        heard &= Q(start_received_at__gte=first)
    if end is not None:
        said, heard = said & Q(started_at__lt=end), heard & Q(start_received_at__lt=end)
    return said | heard


class StartedFilter(DayRangeFilter):
    """The same for the beginning of a session."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("from"), self._day("to")
        if first is None and last is None:
            return queryset
        return queryset.filter(started_within(first, last and last + timedelta(days=1)))


class RowFilter(AutocompleteSelectFilter):
    """Rows of one other row, which is looked for while one types; no list of 10,000 options.

    A number that no database takes filters nothing.
    """

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: Any,
        field_path: str,
    ) -> None:
        name = f"{field_path}__id__exact"
        if not all(_is_id(str(value)) for value in params.get(name, ())):
            del params[name]
        super().__init__(field, request, params, model, model_admin, field_path)

    def chosen(self) -> int | None:
        """The number of the row that was asked for."""
        value = self.used_parameters.get(self.lookup_kwarg)
        last = value[-1] if isinstance(value, list) else value
        return int(last) if last and _is_id(str(last)) else None

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The form; it names no row that this person may not see, even if the address does."""
        for choice in super().choices(changelist):
            chosen = choice["form"].fields[self.lookup_kwarg]
            chosen.queryset = visible(chosen.queryset.all(), self.request.user)
            yield choice


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


class ChoiceFilter(SimpleListFilter):
    """Choices that no table is searched for; a value that is none of them filters nothing."""

    options: Iterable[tuple[str, Any]] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return list(self.options)

    def chosen(self) -> str | None:
        value = self.value()
        return value if value in dict(self.lookup_choices) else None


class OnlineFilter(ChoiceFilter, RadioFilter):
    """Charge points by whether their websocket is open."""

    title = _("connection")
    parameter_name = "online"
    options = (("yes", _("online")), ("silent", _("online, but silent")), ("no", _("offline")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        if chosen is None:
            return queryset
        if chosen == "silent":
            return queryset.filter(connection__isnull=False, silent_since__isnull=False)
        return queryset.filter(connection__isnull=chosen == "no")


class InUseFilter(ChoiceFilter, RadioFilter):
    """Charge points that are in use, unless somebody asks for those that are gone for good."""

    title = _("use")
    parameter_name = "retired"
    options = (("yes", _("retired")), ("all", _("in use and retired")))
    all_option = ("", _("in use"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        if chosen == "all":
            return queryset
        return queryset.filter(retired_at__isnull=chosen is None)


def _connectors(condition: Q) -> Exists:
    return Exists(Connector.objects.filter(condition, charge_point=OuterRef("pk")))


class ConnectorStatusFilter(ChoiceFilter, DropdownFilter):
    """Charge points with at least one connector of this status.

    Connector 0 is no place to charge at, but the charge point as a whole (OCPP 1.6): it says
    "Available" while the connectors are charging.
    """

    title = _("connector status")
    parameter_name = "status"
    options = tuple((status, status) for status in STATUSES)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        if chosen is None:
            return queryset
        return queryset.filter(_connectors(Q(status=chosen, number__gt=0)))


class FaultFilter(ChoiceFilter, RadioFilter):
    """Charge points by whether a connector reports a fault."""

    title = _("fault")
    parameter_name = "fault"
    options = (("yes", _("with a fault")), ("no", _("without")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        if chosen is None:
            return queryset
        faulty = _connectors(FAULT)
        return queryset.filter(faulty if chosen == "yes" else ~faulty)


class ActionFilter(ChoiceFilter, DropdownFilter):
    """Messages or commands by action; the table is not asked which ones occur."""

    title = _("action")
    parameter_name = "action"
    options = tuple((action, action) for action in sorted({*ROUTES, *ACTIONS}))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        return queryset if chosen is None else queryset.filter(action=chosen)


class ErrorFilter(ChoiceFilter, RadioFilter):
    """Messages that went wrong: a partial index holds just these."""

    title = _("error")
    parameter_name = "error"
    options = (("yes", _("with an error")), ("no", _("without")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        if chosen is None:
            return queryset
        return (
            queryset.exclude(error_code="") if chosen == "yes" else queryset.filter(error_code="")
        )


class SenderFilter(ChoiceFilter, RadioFilter):
    """Messages by who spoke first."""

    title = _("sender")
    parameter_name = "sender"
    options = tuple((word, _(str(label))) for word, label in Message.Sender.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        return queryset if chosen is None else queryset.filter(sender=chosen)


class TransactionFilter(TextFilter):
    """Messages of one transaction, by its number; what is no number filters nothing."""

    title = _("transaction")
    parameter_name = "transaction"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        number = self.number()
        return queryset if number is None else queryset.filter(transaction=number)

    def number(self) -> int | None:
        """The one that was asked for, if a database can hold it."""
        text = str(self.value() or "").strip()
        is_number = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
        return int(text) if is_number else None


class PayerFilter(ChoiceFilter, RadioFilter):
    """Sessions by whether an id tag says who charged."""

    title = _("payer")
    parameter_name = "payer"
    options = (("unknown", _(UNKNOWN_PAYER)), ("known", _("with an id tag")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        if chosen is None:
            return queryset
        return queryset.filter(id_tag="") if chosen == "unknown" else queryset.exclude(id_tag="")


class OpenFilter(ChoiceFilter, RadioFilter):
    """Trouble that nobody has dealt with yet."""

    title = _("state")
    parameter_name = "open"
    options = (("yes", _("open")), ("no", _("dealt with")))
    closed_field = "resolved_at"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.chosen()
        if chosen is None:
            return queryset
        return queryset.filter(**{f"{self.closed_field}__isnull": chosen == "yes"})
