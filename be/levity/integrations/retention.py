"""Old events are deleted: a receiver that was away for so long has missed them."""

from datetime import datetime, timedelta
from typing import Any

from levity.integrations.conf import setting
from levity.integrations.models import Event

__all__ = ["forget_events", "forget_tag", "forget_with_messages"]

AT_ONCE = 5000


def forget_events(now: datetime, at_once: int = AT_ONCE) -> int:
    """Delete some of the oldest events if they are too old; how many."""
    days = setting("INTEGRATIONS_EVENT_DAYS")
    oldest = list(Event.objects.order_by("id").values_list("id", "at")[:at_once])
    before = now - timedelta(days=days)
    # The order of ids is that of times, nearly: at the first that is young we stop.
    last = 0
    for pk, at in oldest:
        if at >= before:
            break
        last = pk
    return Event.objects.filter(id__lte=last).delete()[0] if last else 0


def forget_with_messages(*, now: datetime, **_: Any) -> None:
    """For the signal `pruned`."""
    while forget_events(now) == AT_ONCE:
        pass


def forget_tag(*, id_tag: str, pseudonym: str, dry_run: bool, **_: Any) -> tuple[str, int]:
    """For the signal `forgotten`. Only the column of tags has them: `data` never does."""
    rows = Event.objects.filter(id_tag__iexact=id_tag)
    return "events", rows.count() if dry_run else rows.update(id_tag=pseudonym)
