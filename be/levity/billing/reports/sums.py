"""Sessions that began in a span of days, added up by what they have in common.

Energy as in all sums of Levity: nothing of what can't be true, and of no demo that is over. All
reports of the same days add up to the same energy, and so do the rows of `run_report transaction`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DurationField, F, Min, Q, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest, Lower
from django.utils.translation import gettext_noop

from levity.billing.by_payer import exact, sums_by_payer
from levity.billing.models import Household, SessionPrice, TariffVersion
from levity.billing.reports.span import Span
from levity.billing.reports.table import Report, hours, kwh
from levity.billing.reports.times import TimeBetween
from levity.billing.rules.money import rounded
from levity.billing.saying import OF_ANOTHER_SITE
from levity.ocpp.models import IN_TOTALS, PLAUSIBLE, ChargePoint, IdTag, Site, Transaction
from levity.ocpp.visibility import visible
from levity.pages.chargers.owners import may_see_owners
from levity.pages.kit.formats import UNKNOWN_PAYER
from levity_ws.frozen import frozen

__all__ = ["by_charger", "by_month", "by_resident", "by_tag"]

MOST_BARS = 31
NOBODY = gettext_noop("(nobody's)")
ZERO = timedelta()
Money = tuple[str, bool]
"""Currency, and whether amounts include the tax."""


@frozen
class Sums:
    """Of some sessions."""

    sessions: int = 0
    wh: Decimal = Decimal()
    lasted: timedelta = ZERO
    amounts: tuple[tuple[Money, Decimal], ...] = ()

    def __add__(self, other: "Sums") -> "Sums":
        amounts: dict[Money, Decimal] = defaultdict(Decimal)
        for money, amount in (*self.amounts, *other.amounts):
            amounts[money] += amount
        return Sums(
            self.sessions + other.sessions,
            self.wh + other.wh,
            self.lasted + other.lasted,
            tuple(amounts.items()),
        )


Found = list[tuple[tuple[str, ...], Sums]]
"""(what a row is about, its sums) of each row."""


def by_charger(span: Span, user: Any, site: Site | None = None) -> Report:
    """A row for each charge point that had a session."""
    found = _grouped(span, user, site, "charge_point")
    rows = visible(ChargePoint.objects.filter(pk__in=_keys(found)), user)
    columns = ("pk", "identity", "name", "site__name")
    named = {
        pk: (identity, name, of or "") for pk, identity, name, of in rows.values_list(*columns)
    }
    return _report(
        "charger",
        gettext_noop("Energy by charge point"),
        (gettext_noop("charge point"), gettext_noop("name"), gettext_noop("site")),
        _by_energy({key: named.get(key, (f"#{key}", "", "")) for key in found}, found),
        label=lambda names: names[1] or names[0],
    )


def by_tag(span: Span, user: Any, site: Site | None = None) -> Report:
    """A row for each id tag, however it is spelt, with its owner for who may know them."""
    found = _grouped(span, user, site, "key", key=Lower("id_tag"), spelt=Min("id_tag"))
    owners = _owners(user)
    named = {key: (found.spelt.get(key, "") or UNKNOWN_PAYER, owners.get(key, "")) for key in found}
    return _report(
        "tag",
        gettext_noop("Energy by id tag"),
        (gettext_noop("id tag"), gettext_noop("owner")),
        _by_energy(named, found),
        label=lambda names: names[1] or names[0],
    )


def by_month(span: Span, user: Any, site: Site | None = None) -> Report:
    """A row for each month in which sessions began, by the clock of the report."""
    months = list(_months(span))
    found = _grouped(span, user, site, "month", month=_number_of(months, span))
    ordered: Found = [((f"{months[at]:%Y-%m}",), found[at]) for at in sorted(found)]
    return _report(
        "month",
        gettext_noop("Energy by month"),
        (gettext_noop("month"),),
        ordered,
        label=lambda names: names[0],
    )


def by_resident(span: Span, user: Any, site: Site | None = None) -> Report:
    """A row for each household: sessions that are billed or priced are whose the price says, all
    others whose the rules say."""
    money = _Moneys(user)
    is_priced = Q(price__state=SessionPrice.State.PRICED)
    is_decided = is_priced & Q(price__household__isnull=False)
    rows = _sessions(span, user, site).annotate(
        home=Case(When(is_decided, then=F("price__household_id"))),
        version=Case(When(is_priced, then=F("price__version_id"))),
    )
    found: dict[Any, Sums] = defaultdict(Sums)
    grouped = sums_by_payer(
        rows,
        span.since,
        span.until,
        *("home", "version"),
        decided=is_decided,
        **_summed(money),
    )
    for payer, row in grouped:
        key = row["home"] if payer is None else payer.household
        found[key] += _sums(row, money.of(row["version"], row.get("amount")))
    households = visible(Household.objects.filter(pk__in=_keys(found)), user)
    named = {item.pk: (item.name, item.flat) for item in households.only("name", "flat")}

    def unnamed(key: Any) -> tuple[str, str]:
        # Of another site, for somebody who is limited: counted, and not named.
        return (NOBODY if key is None else OF_ANOTHER_SITE, "")

    return _report(
        "resident",
        gettext_noop("Energy by household"),
        (gettext_noop("household"), gettext_noop("flat")),
        _by_energy({key: named.get(key, unnamed(key)) for key in found}, found),
        label=lambda names: ", ".join(filter(None, names)),
    )


class _Grouped(dict[Any, Sums]):
    """By key; of id tags also a spelling."""

    def __init__(self) -> None:
        super().__init__()
        self.spelt: dict[Any, str] = {}


def _grouped(
    span: Span, user: Any, site: Site | None, by: str, spelt: Any = None, **annotations: Any
) -> _Grouped:
    """One statement for all of them, and one for the tariffs that they have."""
    money = _Moneys(user)
    rows = _sessions(span, user, site).annotate(**annotations).order_by()
    rows = rows.values(by, *(["price__version"] if money.may else [])).annotate(
        **_summed(money), **({"spelt": spelt} if spelt is not None else {})
    )
    found = _Grouped()
    for row in rows:
        amounts = money.of(row["price__version"], row["amount"]) if money.may else ()
        found[row[by]] = found.get(row[by], Sums()) + _sums(row, amounts)
        found.spelt[row[by]] = row.get("spelt") or ""
    return found


def _sessions(span: Span, user: Any, site: Site | None) -> Any:
    rows = Transaction.objects.filter(
        IN_TOTALS, started_at__gte=span.since, started_at__lt=span.until
    )
    if site is not None:
        rows = rows.filter(charge_point__site=site)
    return visible(rows, user)


def _months(span: Span) -> Iterator[date]:
    """The first day of each month that the days are of."""
    day = span.first.replace(day=1)
    while day <= span.last:
        yield day
        day = (day + timedelta(days=32)).replace(day=1)


def _number_of(months: list[date], span: Span) -> Case:
    """In which of these months a session began; the database compares moments, and knows no
    calendar (SQLite would ask Python for each session)."""
    return Case(
        *(
            When(started_at__gte=Span(months[at], span.last, span.zone).since, then=at)
            for at in range(len(months) - 1, 0, -1)
        ),
        default=Value(0),
    )


def _counted() -> Any:
    return Case(When(PLAUSIBLE, then=Coalesce("energy", Decimal())), default=Decimal())


def _lasted() -> Any:
    """Until the stop, or the last meter value; a clock that went back is 0."""
    end = Coalesce("stopped_at", "meter_last_at", "started_at")
    nothing = Value(ZERO, DurationField())
    return Greatest(
        Coalesce(TimeBetween("started_at", end), nothing), nothing, output_field=DurationField()
    )


def _priced() -> Any:
    return Sum("price__amount", filter=Q(price__state=SessionPrice.State.PRICED))


def _summed(money: "_Moneys") -> dict[str, Any]:
    """What the database adds up."""
    found = {"n": Count("pk"), "wh": Sum(_counted()), "lasted": Sum(_lasted())}
    return found | ({"amount": _priced()} if money.may else {})


def _sums(row: Mapping[str, Any], amounts: tuple[tuple[Money, Decimal], ...]) -> Sums:
    wh = exact(row["wh"] or Decimal())
    return Sums(row["n"], wh, row["lasted"] or ZERO, amounts)


class _Moneys:
    """The currency of each tariff version, and whether its prices include the tax."""

    def __init__(self, user: Any) -> None:
        self.may = user is None or user.has_perm("billing.view_sessionprice")
        self._known: Mapping[int, Money] | None = None

    def of(self, version: int | None, amount: Decimal | None) -> tuple[tuple[Money, Decimal], ...]:
        if version is None or amount is None or not self.may:
            return ()
        amount = exact(amount)
        if self._known is None:
            columns = ("pk", "document__currency", "document__tax_included")
            self._known = {
                pk: (currency or "EUR", bool(gross))
                for pk, currency, gross in TariffVersion.objects.values_list(*columns)
            }
        return ((self._known[version], amount),)


def _owners(user: Any) -> dict[str, str]:
    """The owner of each id tag in lower case, or of its group."""
    if not may_see_owners(user):
        return {}
    rows = visible(IdTag.objects.all(), user).values_list("pk", "id_tag", "owner", "parent_id")
    tags = {pk: (id_tag.lower(), owner, parent) for pk, id_tag, owner, parent in rows}
    nobody = ("", "", None)
    return {tag: owner or tags.get(parent, nobody)[1] for tag, owner, parent in tags.values()}


def _keys(found: Iterable[Any]) -> list[Any]:
    return [key for key in found if key is not None]


def _by_energy(named: Mapping[Any, tuple[str, ...]], found: Mapping[Any, Sums]) -> Found:
    keys = sorted(found, key=lambda key: (-found[key].wh, named[key]))
    return [(named[key], found[key]) for key in keys]


def _report(
    name: str,
    title: str,
    head: tuple[str, ...],
    found: Found,
    label: Callable[[tuple[str, ...]], str],
) -> Report:
    moneys = sorted({money for _, sums in found for money, _ in sums.amounts})
    total = sum((sums for _, sums in found), Sums())
    bars = tuple((label(names), float(sums.wh) / 1000) for names, sums in found)
    return Report(
        name,
        title,
        (
            *head,
            gettext_noop("sessions"),
            gettext_noop("energy (kWh)"),
            gettext_noop("duration (h)"),
            *map(_column, moneys),
        ),
        tuple((*names, *_cells(sums, moneys)) for names, sums in found),
        len(head),
        (gettext_noop("Energy"), "kWh", bars[-MOST_BARS:] if name == "month" else bars[:MOST_BARS]),
        (gettext_noop("All"), *[""] * (len(head) - 1), *_cells(total, moneys)) if found else (),
        gettext_noop(
            "Sessions that began on these days. Amounts are those of sessions that have a price."
        ),
    )


def _cells(sums: Sums, moneys: Iterable[Money]) -> list[str]:
    amounts = dict(sums.amounts)
    shown = [str(rounded(amounts[money], money[0])) if money in amounts else "" for money in moneys]
    return [str(sums.sessions), kwh(sums.wh), hours(sums.lasted), *shown]


def _column(money: Money) -> str:
    currency, is_gross = money
    return f"amount ({currency}, {'with' if is_gross else 'without'} tax)"
