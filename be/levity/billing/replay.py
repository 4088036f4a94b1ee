"""What a tariff would have cost: priced over the sessions of a past month, nothing stored."""

from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from levity.billing.readings import Usages
from levity.billing.rules.lines import Line, sums_of
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

CHUNK, MOST = 500, 20_000
"""Sessions that are read at once, and of a month at most."""
COLUMNS = (
    *("id", "charge_point_id", "connector", "id_tag", "started_at", "stopped_at", "energy"),
    "meter_start",
)


@frozen
class Replayed:
    """What the sessions of some time would have cost."""

    sessions: int
    wh: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    without_price: int
    """Sessions for which the tariff has no price, or whose times make no sense."""
    is_cut: bool
    """True if there were more than `MOST`."""


def replay(tariff: Tariff, since: datetime, until: datetime, who: Any = None) -> Replayed:
    """The sessions that began in this time, that are over and can be true, priced by this tariff.

    Tiers and a free quota are of each household, and of each card that is nobody's. Fees of a month
    are not in it. Amounts are rounded and taxed as on one statement of all of them.
    """
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
    found = list(rows.order_by("started_at", "pk").values_list(*COLUMNS)[: MOST + 1])
    held, now = holders(), timezone.now()
    lines: list[Line] = []
    before: dict[object, Decimal] = {}
    wh, failed = Decimal(), 0
    for at in range(0, min(len(found), MOST), CHUNK):
        chunk = [_session(row, tariff) for row in found[at : min(at + CHUNK, MOST)]]
        usages = Usages([session for session, _ in chunk])
        stays = Stays([session for session, _ in chunk] if tariff.idle else [], now)
        for session, id_tag in chunk:
            whose = _whose(held, session, id_tag, tariff.zone)
            wh += session.wh
            try:
                stay = stays.of(session) if tariff.idle else None
                priced = price(tariff, usages.of(session, stay), before.get(whose, Decimal()))
            except (BadUsage, NoPrice):
                failed += 1
                continue
            before[whose] = before.get(whose, Decimal()) + session.wh / 1000
            lines += priced.lines
    sums = sums_of(lines, tariff.currency, tariff.gross)
    count = min(len(found), MOST)
    return Replayed(count, wh, sums.net, sums.tax, sums.gross, failed, len(found) > MOST)


def _session(row: tuple[Any, ...], tariff: Tariff) -> tuple[ToPrice, str]:
    pk, charge_point, connector, id_tag, start, end, wh, meter_start = row
    return ToPrice(pk, charge_point, connector, start, end, wh, meter_start, tariff), id_tag


def _whose(held: Any, session: ToPrice, id_tag: str, zone: tzinfo) -> object:
    """Who has a month of their own; sessions of two months are never in one replay."""
    day = timezone.localtime(session.start, zone).date()
    household = held.payer(session.charge_point, session.connector, id_tag, day).household
    return household if household is not None else id_tag
