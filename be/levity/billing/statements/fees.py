"""The monthly fees of a period: by the days on which a household had something to charge with, and
for which no closed statement has one, whoever issued it."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby

from django.db.models import Q
from django.utils import timezone

from levity.billing.known_tariffs import KnownTariffs
from levity.billing.models import Assignment, Household, Issuer, Statement, TariffVersion
from levity.billing.rules.fees import monthly_fee
from levity.billing.rules.lines import Line
from levity.billing.statements.periods import RunPeriod
from levity_ws.frozen import frozen

__all__ = ["Fee", "fees_of", "without_site"]

DAY = timedelta(days=1)


@frozen
class Fee:
    """A line of a fee, and by which version."""

    household: int
    version: int
    line: Line
    first: date
    last: date
    """The days that it is for, both included."""


def fees_of(period: RunPeriod, known: KnownTariffs) -> Iterator[Fee]:
    """Of each household of this issuer with a tariff that has a monthly fee."""
    documents = dict(
        TariffVersion.objects.filter(document__has_key="monthly_fee").values_list("pk", "document")
    )
    if not documents:
        return
    households = dict(
        Household.objects.filter(period.at()).order_by("pk").values_list("pk", "site_id")
    )
    held = _held(period, households)
    billed = _billed(period, households)
    for household, site in households.items():
        versions = [
            (day, version)
            for day in sorted(held.get(household, set()) - billed.get(household, set()))
            if (version := _version(known, day, household, site, period)) in documents
        ]
        for (version, _), days in groupby(
            enumerate(versions), key=lambda it: (it[1][1], it[1][0] - it[0] * DAY)
        ):
            found = [day for _, (day, _) in days]
            document = documents[version]
            fee = document["monthly_fee"]
            line = monthly_fee(
                Decimal(str(fee["price"])),
                Decimal(str(fee.get("vat_percent", document.get("vat_percent", "0")))),
                document["currency"],
                found[0],
                found[-1] + DAY,
                document.get("name", ""),
            )
            if line is not None:
                yield Fee(household, version, line, found[0], found[-1])


def without_site(period: RunPeriod) -> int:
    """How many households get no monthly fee because they are of no site; 0 where that is billed by
    the issuer of the rest, or where there are no such fees."""
    if Issuer.objects.filter(site__isnull=True).exists():
        return 0
    if not TariffVersion.objects.filter(document__has_key="monthly_fee").exists():
        return 0
    held = Q(last_day__isnull=True) | Q(last_day__gte=period.first)
    rows = Assignment.objects.filter(held, household__site__isnull=True, first_day__lte=period.last)
    return rows.values("household").distinct().count()


def _held(period: RunPeriod, households: Collection[int]) -> dict[int, set[date]]:
    """The days of the period on which each had a card, a charge point or a connector."""
    rows = Assignment.objects.filter(household__in=households, first_day__lte=period.last)
    held: dict[int, set[date]] = {}
    for household, first, last in rows.order_by().values_list(
        "household_id", "first_day", "last_day"
    ):
        held.setdefault(household, set()).update(_days(first, last or period.last, period))
    return held


def _billed(period: RunPeriod, households: Collection[int]) -> dict[int, set[date]]:
    """The days of the period for which each has a fee on a closed statement: of another issuer, to
    whom its site belonged before."""
    rows = Statement.objects.filter(
        household__in=households,
        run__first_day__lte=period.last,
        run__last_day__gte=period.first,
    ).values_list("household_id", "run__first_day", "run__last_day", "document__fees")
    billed: dict[int, set[date]] = {}
    for household, first, last, fees in rows.order_by():
        for fee in fees:
            # Statements of before this was written down: all of their period.
            begin, end = fee.get("first_day"), fee.get("last_day")
            days = _days(
                date.fromisoformat(begin) if begin else first,
                date.fromisoformat(end) if end else last,
                period,
            )
            billed.setdefault(household, set()).update(days)
    return billed


def _days(first: date, last: date, period: RunPeriod) -> set[date]:
    """Those from one to the other that are in the period."""
    begin, end = max(first, period.first), min(last, period.last)
    return {begin + DAY * number for number in range((end - begin).days + 1)}


def _version(
    known: KnownTariffs, day: date, household: int, site: int | None, period: RunPeriod
) -> int | None:
    use = known.use(day, household=household, site=site)
    if use is None or use.tariff is None:
        return None
    noon = timezone.make_aware(datetime.combine(day, time(12)), period.zone)
    return known.version(use.tariff, noon)
