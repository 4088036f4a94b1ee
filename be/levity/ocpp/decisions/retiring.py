"""Charge points that are gone for good: out of lists, counts and alerts, and still recorded.

Sessions of years name them, so nobody deletes them. One that connects again is in use again, by
itself: chargers are moved, repaired and replaced under their old name.
"""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from levity.ocpp.audit import Who
from levity.ocpp.deciding import Decided, Left, allowed, decide_all
from levity.ocpp.models import DEMO, ChargePoint

__all__ = ["CONNECTED", "DEMO", "back_in_use", "bring_back", "retire"]

log = logging.getLogger(__name__)

CHANGE = "ocpp.change_chargepoint"
CONNECTED = "connected"
NAMED = 20


def retire(rows: QuerySet[ChargePoint], who: Who, now: datetime) -> Decided:
    """Retire those that are not connected; the others would be back at once."""
    rows = allowed(rows, who, CHANGE)
    before = rows.filter(retired_at__isnull=False).count()
    done = decide_all(
        rows,
        who,
        "retired",
        lambda found: found.update(retired_at=now),
        only=Q(retired_at__isnull=True, connection__isnull=True),
        before=["retired_at"],
        after={"retired_at": now},
    )
    connected = rows.filter(retired_at__isnull=True, connection__isnull=False)
    left = []
    if count := connected.count():
        names = tuple(str(row) for row in connected.order_by("pk")[:NAMED])
        left.append(Left(count, CONNECTED, names))
    if before:
        left.append(Left(before, "retired already"))
    return Decided(done, tuple(left))


def bring_back(rows: QuerySet[ChargePoint], who: Who) -> Decided:
    """In use again, connected or not."""
    rows = allowed(rows, who, CHANGE)
    total = rows.count()
    done = decide_all(
        rows,
        who,
        "brought back into use",
        lambda found: found.update(retired_at=None),
        only=Q(retired_at__isnull=False),
        before=["retired_at"],
        after={"retired_at": None},
    )
    return Decided(done, (Left(total - done, "in use already"),) if total > done else ())


def back_in_use(now: datetime) -> int:
    """Those that were retired and have connected are in use again; how many. A note says so."""
    with transaction.atomic():
        rows = list(
            ChargePoint.objects.select_for_update(of=("self",)).filter(
                retired_at__isnull=False, connection__isnull=False
            )
        )
        for row in rows:
            said = (
                f"Back in use since {now:%Y-%m-%d %H:%M} UTC: it was retired on "
                f"{row.retired_at:%Y-%m-%d} and has connected."
            )
            ChargePoint.objects.filter(pk=row.pk).update(
                retired_at=None, notes="\n".join(part for part in (row.notes.strip(), said) if part)
            )
            log.warning(
                "%s was retired, has connected, and was brought back into use", row.identity
            )
    return len(rows)
