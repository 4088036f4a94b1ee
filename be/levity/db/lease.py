"""A single process does it: a lease in the database, which expires soon after its holder ends."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

__all__ = ["LEASE", "give_back", "take"]

LEASE = timedelta(seconds=60)


def take(
    duties: Any, name: str, holder: str, now: datetime, report: dict[str, Any] | None = None
) -> bool:
    """True if `holder` has this duty for the next minute; call it again to keep the duty. `report`
    is what the holder tells all other processes. `duties`: a model with `name`, `holder`, `until`
    and `report`.
    """
    values: dict[str, Any] = {"holder": holder, "until": now + LEASE}
    if report is not None:
        values["report"] = report
    # A lease that ends in the far future was taken before the clock was set back.
    free = Q(holder=holder) | Q(until__lt=now) | Q(until__gt=now + 2 * LEASE)
    if duties.objects.filter(free, name=name).update(**values):
        return True
    if duties.objects.filter(name=name).exists():
        return False
    try:
        with transaction.atomic():
            duties.objects.create(name=name, **values)
    except IntegrityError:
        return False
    return True


def give_back(duties: Any, name: str, holder: str, now: datetime) -> None:
    """Let another process take over at once."""
    duties.objects.filter(name=name, holder=holder).update(until=now - LEASE)
