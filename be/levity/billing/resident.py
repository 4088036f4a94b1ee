"""What there is to know of one household: sums by month, its last sessions and statements, and the
questions that are open before its next statement."""

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from levity.billing.models import Assignment, Household, SessionPrice
from levity.billing.rules.money import rounded
from levity.ocpp.visibility import visible
from levity.ocpp.wire.fields import zone_of
from levity_ws.frozen import frozen

__all__ = ["MONTHS", "Month", "Question", "clock_of", "months_of", "prices_of", "questions_of"]

MONTHS = 13
"""So many are shown: the same month of the year before is among them."""
WAITS, PRICED = SessionPrice.State.WAITS, SessionPrice.State.PRICED


@frozen
class Month:
    """What ended in one month, by the site's clock."""

    first: date
    sessions: int
    wh: Decimal
    amounts: dict[str, Decimal]
    """By currency: what its sessions cost, as prices are given (with tax or without)."""


@frozen
class Question:
    """What somebody has to answer, or the next statement is not right; `count` of them."""

    name: str
    count: int = 1


def clock_of(home: Household) -> tzinfo:
    """Of its site, else the server's."""
    name = home.site.time_zone if home.site else ""
    return (zone_of(name) if name else None) or timezone.get_default_timezone()


def prices_of(home: Household, user: Any) -> QuerySet[SessionPrice]:
    """Its sessions that are over, priced or not, as far as this person may see them."""
    return visible(SessionPrice.objects.filter(household=home), user)


def months_of(home: Household, user: Any, now: datetime) -> list[Month]:
    """The last `MONTHS`, the oldest first, also those without a session; one statement."""
    zone = clock_of(home)
    firsts = list(_firsts(now.astimezone(zone).date()))
    begin = datetime(firsts[0].year, firsts[0].month, 1, tzinfo=zone)
    sums = (
        prices_of(home, user)
        .filter(ended_at__gte=begin)
        .order_by()
        .annotate(month=TruncMonth("ended_at", tzinfo=zone))
        .values("month", currency=F("version__document__currency"))
        .annotate(sessions=Count("pk"), wh=Sum("wh"), amount=Sum("amount"))
    )
    found: dict[date, Month] = {first: Month(first, 0, Decimal(), {}) for first in firsts}
    for row in sums:
        first = row["month"].date()
        if (was := found.get(first)) is None:
            continue
        amounts = dict(was.amounts)
        if row["amount"] is not None and row["currency"]:
            known = amounts.get(row["currency"], Decimal())
            # SQLite adds decimals as binary fractions.
            amounts[row["currency"]] = rounded(known + row["amount"], row["currency"])
        found[first] = Month(first, was.sessions + row["sessions"], was.wh + row["wh"], amounts)
    return list(found.values())


def questions_of(home: Household, user: Any, today: date) -> Iterator[Question]:
    """What keeps its next statement from being whole, or from reaching it."""
    waits = prices_of(home, user).filter(state=WAITS).count()
    if waits:
        yield Question("waits", waits)
    # (What it holds at another site may not be among those that are shown.)
    held: list[Assignment] = list(home.assignments.all())
    if not any(_holds(each, today) for each in held) and not any(
        _holds(each, today) for each in Assignment.objects.filter(household=home)
    ):
        yield Question("nothing")
    if home.site is None:
        yield Question("no-site")
    if not home.email:
        yield Question("no-email")


def _holds(row: Assignment, day: date) -> bool:
    return row.first_day <= day and (row.last_day is None or row.last_day >= day)


def _firsts(today: date) -> Iterator[date]:
    for back in range(MONTHS - 1, -1, -1):
        months = today.year * 12 + today.month - 1 - back
        yield date(months // 12, months % 12 + 1, 1)
