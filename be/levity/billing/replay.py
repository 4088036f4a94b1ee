"""What a tariff would have cost: priced over the sessions of a past month, nothing stored."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from levity.billing.readings import Usages
from levity.billing.rules.lines import Sums, sums_at
from levity.billing.rules.pricing import price
from levity.billing.rules.tariff import NoPrice, Tariff
from levity.billing.rules.usage import BadUsage
from levity.billing.stays import Stays
from levity.billing.to_price import ToPrice
from levity.billing.used import holders
from levity.ocpp.models import Transaction
from levity.ocpp.models.transaction import IN_TOTALS, PLAUSIBLE
from levity.ocpp.visibility import visible
from levity_ws.frozen import frozen

__all__ = ["MOST", "Replayed", "replay"]

CHUNK, MOST = 250, 20_000
"""Sessions that are read at once, and of a month at most."""
COLUMNS = (
    *("id", "charge_point_id", "connector", "id_tag", "started_at", "stopped_at", "energy"),
    "meter_start",
)
Place = tuple[datetime, int]
"""When a session began, and its number: the order in which they are taken."""


@frozen
class Replayed:
    """What the sessions of some time would have cost, as far as they were taken."""

    currency: str
    gross_prices: bool
    sessions: int = 0
    wh: Decimal = Decimal()
    amounts: tuple[tuple[Decimal, Decimal], ...] = ()
    """(tax in percent, amount) of all lines with that tax, as the prices are: net or gross."""
    without_price: int = 0
    """Sessions for which the tariff has no price, or whose times make no sense."""
    at: Place | None = None
    """There are more sessions, behind this one; None: these are all."""
    is_cut: bool = False
    """True if there were more than `MOST`."""

    @property
    def net(self) -> Decimal:
        """Rounded and taxed as on one statement of all of them."""
        return self._sums.net

    @property
    def tax(self) -> Decimal:
        """The same."""
        return self._sums.tax

    @property
    def gross(self) -> Decimal:
        """The same."""
        return self._sums.gross

    @property
    def _sums(self) -> Sums:
        return sums_at(dict(self.amounts), self.currency, self.gross_prices)


def replay(
    tariff: Tariff,
    since: datetime,
    until: datetime,
    who: Any = None,
    *,
    so_far: Replayed | None = None,
    is_enough: Callable[[], bool] = lambda: False,
) -> Replayed:
    """The sessions that began in this time, that are over and can be true, priced by this tariff.

    After each portion that is read, `is_enough` is asked whether to go on later, with what there is
    `so_far`. A tariff with tiers or a free quota is not asked: it has to know the month.

    Tiers and a free quota are of each household, and of each card that is nobody's. Fees of a month
    are not in it. Amounts are rounded and taxed as on one statement of all of them.
    """
    found = so_far or Replayed(tariff.currency, tariff.gross)
    held, now = holders(), timezone.now()
    before: dict[object, Decimal] = {}
    rows = _sessions(since, until, who)
    while True:
        chunk = list(_behind(rows, found.at)[: CHUNK + 1])
        taken = chunk[: min(CHUNK, MOST - found.sessions)]
        found = _with(found, taken, tariff, held, before, now)
        if len(taken) == len(chunk):
            return replace(found, at=None)
        if found.sessions >= MOST:
            return replace(found, at=None, is_cut=True)
        if not tariff.depends_on_month and is_enough():
            return found


def _sessions(since: datetime, until: datetime, who: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = Transaction.objects.filter(
        IN_TOTALS,
        PLAUSIBLE,
        started_at__gte=since,
        started_at__lt=until,
        stopped_at__isnull=False,
        energy__isnull=False,
    )
    if who is not None:
        rows = visible(rows, who)
    return rows.order_by("started_at", "pk").values_list(*COLUMNS)


def _behind(rows: QuerySet[Any], at: Place | None) -> QuerySet[Any]:
    if at is None:
        return rows
    began, pk = at
    return rows.filter(Q(started_at__gt=began) | Q(started_at=began, pk__gt=pk)).filter(
        started_at__gte=began
    )


def _with(
    found: Replayed,
    rows: list[Any],
    tariff: Tariff,
    held: Any,
    before: dict[object, Decimal],
    now: datetime,
) -> Replayed:
    """The same with these sessions."""
    chunk = [_session(row, tariff) for row in rows]
    usages = Usages([session for session, _ in chunk])
    stays = Stays([session for session, _ in chunk] if tariff.idle else [], now)
    amounts, wh, failed = defaultdict(Decimal, found.amounts), found.wh, found.without_price
    for session, id_tag in chunk:
        wh += session.wh
        # Whose it is decides nothing but the tiers.
        whose = _whose(held, session, id_tag, tariff.zone) if tariff.depends_on_month else None
        try:
            stay = stays.of(session) if tariff.idle else None
            priced = price(tariff, usages.of(session, stay), before.get(whose, Decimal()))
        except (BadUsage, NoPrice):
            failed += 1
            continue
        if tariff.depends_on_month:
            before[whose] = before.get(whose, Decimal()) + session.wh / 1000
        for line in priced.lines:
            amounts[line.vat] += line.amount
    last = (rows[-1][4], rows[-1][0]) if rows else found.at
    return replace(
        found,
        sessions=found.sessions + len(rows),
        wh=wh,
        amounts=tuple(amounts.items()),
        without_price=failed,
        at=last,
    )


def _session(row: tuple[Any, ...], tariff: Tariff) -> tuple[ToPrice, str]:
    pk, charge_point, connector, id_tag, start, end, wh, meter_start = row
    return ToPrice(pk, charge_point, connector, start, end, wh, meter_start, tariff), id_tag


def _whose(held: Any, session: ToPrice, id_tag: str, zone: tzinfo) -> object:
    """Who has a month of their own; sessions of two months are never in one replay."""
    day = timezone.localtime(session.start, zone).date()
    household = held.payer(session.charge_point, session.connector, id_tag, day).household
    return household if household is not None else id_tag
