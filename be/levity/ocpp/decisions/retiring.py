"""Charge points that are gone for good: out of lists, counts and alerts, and still on the books.

Sessions of years name them, so nobody deletes them. One that connects again is in use again, by
itself: chargers are moved, repaired and replaced under their old name.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from levity.ocpp.models import DEMO, ChargePoint

__all__ = ["DEMO", "back_in_use", "bring_back", "retire"]

log = logging.getLogger(__name__)


def retire(
    rows: Iterable[ChargePoint], now: datetime
) -> tuple[list[ChargePoint], list[ChargePoint]]:
    """(those that are retired now, those that are not because they are connected)."""
    rows = list(rows)
    done = [row for row in rows if not row.online]
    ChargePoint.objects.filter(
        pk__in=[row.pk for row in done], retired_at__isnull=True, connection__isnull=True
    ).update(retired_at=now)
    return done, [row for row in rows if row.online]


def bring_back(rows: Iterable[ChargePoint]) -> None:
    """In use again, connected or not."""
    ChargePoint.objects.filter(pk__in=[row.pk for row in rows]).update(retired_at=None)


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
                f"In use again since {now:%Y-%m-%d %H:%M} UTC: it was retired on "
                f"{row.retired_at:%Y-%m-%d} and has connected."
            )
            ChargePoint.objects.filter(pk=row.pk).update(
                retired_at=None, notes="\n".join(part for part in (row.notes.strip(), said) if part)
            )
            log.warning("%s was retired, has connected, and is in use again", row.identity)
    return len(rows)
