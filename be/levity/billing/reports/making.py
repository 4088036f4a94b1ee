"""All reports by their names: the page, the command line, the API and the mail make them here."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_noop

from levity.billing.reports.availability import availability
from levity.billing.reports.span import MOST_DAYS, TOO_LONG, BadSpan, Span
from levity.billing.reports.sums import by_charger, by_month, by_resident, by_tag
from levity.billing.reports.table import Report, csv_of
from levity.ocpp.deciding import LACKS, NotAllowed
from levity.ocpp.models import Site

__all__ = ["NAMES", "Name", "lines_of", "make_report", "may_see", "title_of"]

Make = Callable[..., Report]


class Name(StrEnum):
    """What the rows of a report are."""

    CHARGER = "charger"
    RESIDENT = "resident"
    TAG = "tag"
    MONTH = "month"
    AVAILABILITY = "availability"


_REPORTS: dict[str, tuple[str, Make, tuple[str, ...]]] = {
    "charger": (
        gettext_noop("By charge point"),
        by_charger,
        ("ocpp.view_transaction", "ocpp.view_chargepoint"),
    ),
    "resident": (
        gettext_noop("By household"),
        by_resident,
        ("ocpp.view_transaction", "billing.view_household"),
    ),
    "tag": (gettext_noop("By id tag"), by_tag, ("ocpp.view_transaction",)),
    "month": (gettext_noop("By month"), by_month, ("ocpp.view_transaction",)),
    "availability": (
        gettext_noop("Availability and faults"),
        availability,
        ("ocpp.view_chargepoint", "ocpp.view_statusevent", "ocpp.view_connectionevent"),
    ),
}
NAMES = tuple(name.value for name in Name)


def title_of(name: str) -> str:
    """What the page calls it."""
    return _REPORTS[name][0]


def may_see(name: str, user: Any) -> bool:
    """Whether this person may see what it is made of; None: the command line."""
    return user is None or all(user.has_perm(each) for each in _REPORTS[name][2])


def make_report(name: str, span: Span, user: Any, site: Site | None = None) -> Report:
    """This report of these days, as this person may see it. Raises `NotAllowed`, and `BadSpan`
    where the days are too many."""
    _, make, permissions = _REPORTS[name]
    if not may_see(name, user):
        lacking = next(each for each in permissions if not user.has_perm(each))
        raise NotAllowed(LACKS, permission=lacking)
    return make(span, user, site)


def lines_of(name: str, since: datetime, until: datetime, zone: tzinfo) -> Iterator[list[str]]:
    """As CSV, for the command line: whole days of this time zone. Raises `BadSpan`."""
    first, end = (moment.astimezone(zone) for moment in (since, until))
    last = (end - timedelta(microseconds=1)).date()
    span = Span(first.date(), last, zone)
    if (span.since, span.until) != (since, until):
        raise BadSpan(gettext_noop("this report is about whole days: give START and END as dates"))
    if (last - first.date()).days >= MOST_DAYS:
        raise BadSpan(TOO_LONG, days=MOST_DAYS)
    yield from csv_of(make_report(name, span, None))
