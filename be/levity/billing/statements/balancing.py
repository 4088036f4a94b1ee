"""Where the energy of a period went, of the rows."""

from decimal import Decimal
from typing import Any

from django.db.models import Q

from levity.billing.models import SessionPrice
from levity.billing.rules.balance import Balance, Counted, balance
from levity.billing.rules.treatment import NOBODYS
from levity.billing.statements.periods import RunPeriod
from levity.ocpp.models import Transaction
from levity.ocpp.models.transaction import IN_TOTALS

__all__ = ["as_json", "balance_of"]

COLUMNS = (
    *("charge_point_id", "connector", "started_at", "stopped_at", "state"),
    *("meter_start", "meter_stop", "meter_last", "energy", "price__state", "price__reason"),
)
BY_STATE = {"priced": "billed", "common": "common", "excluded": "excluded"}


def balance_of(period: RunPeriod) -> Balance:
    """Of the sessions that ended in the period, or ran at its end."""
    ended = Q(stopped_at__gte=period.since)
    running = Q(state=Transaction.State.ACTIVE) | Q(stopped_at__isnull=True)
    rows = Transaction.objects.filter(
        IN_TOTALS, period.at("charge_point__"), ended | running, started_at__lt=period.until
    )
    return balance(_counted(row, period) for row in rows.values_list(*COLUMNS).iterator())


def as_json(found: Balance) -> dict[str, Any]:
    """As it is stored, in Wh."""
    return {
        "moved": str(found.moved),
        "outside": str(found.outside),
        "difference": str(found.difference),
        **{kind: str(wh) for kind, wh in found.by_kind.items()},
        "sessions": found.sessions,
    }


def _counted(row: tuple[Any, ...], period: RunPeriod) -> Counted:
    place, connector, start, stop, state, first, last, newest, wh, price, reason = row
    is_over = state != Transaction.State.ACTIVE and stop is not None and stop < period.until
    if not is_over:
        kind = "carried"
    elif price == SessionPrice.State.WAITS or price is None:
        kind = "nobodys" if reason == NOBODYS else "held"
    else:
        kind = BY_STATE[price]
    register = last if last is not None else newest
    return Counted((place, connector or 0), start, first, register, wh or Decimal(), kind)
