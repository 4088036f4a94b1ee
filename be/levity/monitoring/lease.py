"""A single process does it: a lease in the database, which expires soon after its holder ends."""

from datetime import datetime
from typing import Any

from levity.db import lease
from levity.monitoring.models import Duty

__all__ = ["give_back", "take"]


def take(name: str, holder: str, now: datetime, report: dict[str, Any] | None = None) -> bool:
    """See `levity.db.lease.take`."""
    return lease.take(Duty, name, holder, now, report)


def give_back(name: str, holder: str, now: datetime) -> None:
    """See `levity.db.lease.give_back`."""
    lease.give_back(Duty, name, holder, now)
