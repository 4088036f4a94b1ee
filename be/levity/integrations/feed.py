"""The event feed: events behind a cursor, in order, without one that is skipped.

Whoever reads it is a reader of the outbox from the first time on."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from levity.integrations.models import Event
from levity.integrations.order import Order
from levity.integrations.outbox import note_reader
from levity.integrations.rendering import as_json, site_names
from levity.ocpp import events
from levity.ocpp.visibility import is_limited
from levity_ws.frozen import frozen

__all__ = ["SEES_TAGS", "Feed", "read_feed"]

SEES_TAGS = "ocpp.view_idtag"
# Events that are looked through for one page, where a filter leaves few.
WINDOW = 20_000
LONGEST_NAME = 100
"""Of a reader. A token's is as long, and its owner's stands behind it."""


@frozen
class Feed:
    """One page."""

    events: list[dict[str, Any]]
    position: int
    """Go on behind this one."""
    has_more: bool


def read_feed(
    who: Any,
    after: int | None,
    now: datetime,
    *,
    types: Collection[str] = (),
    sites: Collection[int] = (),
    charge_point: str = "",
    limit: int = 100,
) -> Feed:
    """Events that this person or token may see; with `after` None, from now on."""
    # (Two that share a beginning as long as that are one reader, of the types of both.)
    note_reader(f"feed: {who.get_username()}"[:LONGEST_NAME], types, now)
    if not events.wanted(renew=False).issuperset(types or events.TYPES):
        events.refresh()
    horizon = Order().look(now)
    if after is None:
        return Feed([], horizon, has_more=False)
    end = min(horizon, after + WINDOW)
    rows = Event.objects.filter(id__gt=after, id__lte=end)
    if types:
        rows = rows.filter(type__in=types)
    if sites:
        rows = rows.filter(site__in=sites)
    if charge_point:
        rows = rows.filter(identity__iexact=charge_point)
    if is_limited(who):
        rows = rows.filter(site__in=list(who.account.sites.values_list("pk", flat=True)))
    found = list(rows.order_by("id")[: limit + 1])
    is_cut = len(found) > limit
    found = found[:limit]
    names, with_tags = site_names(), who.has_perm(SEES_TAGS)
    return Feed(
        [as_json(event, names, with_tags=with_tags) for event in found],
        found[-1].pk if is_cut else max(end, after),
        has_more=is_cut or end < horizon,
    )
