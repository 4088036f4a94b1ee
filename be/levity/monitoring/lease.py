"""One process of all does it: a lease in the database, which outlives nobody for long."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from levity.monitoring.models import Duty

__all__ = ["LEASE", "give_back", "take"]

LEASE = timedelta(seconds=60)


def take(name: str, holder: str, now: datetime, report: dict[str, Any] | None = None) -> bool:
    """True if `holder` has this duty for the next minute; again and again, as long as it asks.

    `report` is what the duty's holder wants everybody to read.
    """
    values: dict[str, Any] = {"holder": holder, "until": now + LEASE}
    if report is not None:
        values["report"] = report
    # A lease that ends in the far future was taken by a clock that has been set back since.
    free = Q(holder=holder) | Q(until__lt=now) | Q(until__gt=now + 2 * LEASE)
    if Duty.objects.filter(free, name=name).update(**values):
        return True
    if Duty.objects.filter(name=name).exists():
        return False
    try:
        with transaction.atomic():
            Duty.objects.create(name=name, **values)
    except IntegrityError:
        return False
    return True


def give_back(name: str, holder: str, now: datetime) -> None:
    """Let the next one take over at once."""
    Duty.objects.filter(name=name, holder=holder).update(until=now - LEASE)
