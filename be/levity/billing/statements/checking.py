"""What is to be looked at before the statements of a period are closed."""

from collections import Counter
from typing import Any

from django.db.models import QuerySet

from levity.billing.models import SessionPrice
from levity.billing.statements.periods import RunPeriod
from levity.ocpp.visibility import visible

__all__ = ["SHOWN", "how_many_wait", "waiting"]

SHOWN = 200


def waiting(period: RunPeriod, who: Any = None) -> QuerySet[SessionPrice]:
    """Sessions that wait, of this period and of those that are closed: held back unless somebody
    decides."""
    rows = SessionPrice.objects.filter(
        period.at("transaction__charge_point__"),
        state=SessionPrice.State.WAITS,
        ended_at__gte=period.books_since,
        ended_at__lt=period.until,
    )
    shown = visible(rows, who) if who is not None else rows
    return shown.select_related("transaction__charge_point__site", "household").order_by(
        "reason", "ended_at", "pk"
    )


def how_many_wait(rows: QuerySet[SessionPrice]) -> dict[str, int]:
    """By reason."""
    return dict(Counter(rows.values_list("reason", flat=True)))
