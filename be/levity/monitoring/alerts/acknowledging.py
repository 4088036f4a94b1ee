"""Alerts that somebody takes care of."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from levity.monitoring.models import Alert
from levity.ocpp.audit import Who
from levity.ocpp.deciding import Decided, Left, allowed, decide_all

__all__ = ["CHANGE", "acknowledge", "withdraw_acknowledgement"]

CHANGE = "operation.change_alert"


def acknowledge(rows: QuerySet[Alert], who: Who) -> Decided:
    """Take care of these; earlier acknowledgements stay."""
    name = "" if who is None else who.get_username()[:150]
    values = {"acknowledged_at": timezone.now(), "acknowledged_by": name}
    return _set(rows, who, "acknowledged", values, is_taken=True)


def withdraw_acknowledgement(rows: QuerySet[Alert], who: Who) -> Decided:
    """Withdraw the acknowledgement of these."""
    values = {"acknowledged_at": None, "acknowledged_by": ""}
    return _set(rows, who, "acknowledgement withdrawn", values, is_taken=False)


def _set(
    rows: QuerySet[Alert], who: Who, what: str, values: dict[str, Any], *, is_taken: bool
) -> Decided:
    rows = allowed(rows, who, CHANGE)
    total = rows.count()
    done = decide_all(
        rows,
        who,
        what,
        lambda some: some.update(**values),
        only=Q(acknowledged_at__isnull=is_taken),
    )
    return Decided(done, (Left(total - done, "nothing to change"),) if total > done else ())
