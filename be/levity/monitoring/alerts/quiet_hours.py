"""Quiet hours: when people don't want to be disturbed, in their own time zone."""

import datetime as dt
from datetime import datetime, time
from zoneinfo import ZoneInfo

__all__ = ["awake_at"]


def awake_at(
    now: datetime, quiet_from: time | None, quiet_until: time | None, zone: ZoneInfo
) -> datetime:
    """The next moment outside the quiet hours: `now` itself, or the end of the night.

    The hours are local times in `zone` and may cross midnight. If they are equal, or only one is
    given, there are no quiet hours.
    """
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return now
    here = now.astimezone(zone)
    clock = here.time()
    if quiet_from < quiet_until:
        quiet, tomorrow = quiet_from <= clock < quiet_until, False
    else:
        quiet, tomorrow = clock >= quiet_from or clock < quiet_until, clock >= quiet_from
    if not quiet:
        return now
    day = here.date() + dt.timedelta(days=1 if tomorrow else 0)
    return datetime.combine(day, quiet_until, zone).astimezone(dt.UTC)
