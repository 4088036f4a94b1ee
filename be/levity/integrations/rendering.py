"""An event as receivers get it: the same shape in the feed, in webhooks and on the command line."""

from collections.abc import Mapping
from typing import Any

import orjson

from levity.integrations.models import Event
from levity.ocpp.events import plain
from levity.ocpp.models import Site

__all__ = ["as_json", "body", "public_id", "site_names"]


def public_id(event: Event) -> str:
    """Sorts as events do. With its time, because a restored database gives numbers once more."""
    return f"evt_{event.pk:016x}{int(event.at.timestamp()):010x}"


def site_names() -> dict[int, str]:
    """The names of all sites."""
    return dict(Site.objects.values_list("pk", "name"))


def as_json(event: Event, names: Mapping[int, str], *, with_tags: bool) -> dict[str, Any]:
    """What a receiver is told. `timestamp` is `occurred_at` by the name that Standard Webhooks
    have for it."""
    data = dict(event.data)
    if with_tags and event.id_tag:
        data["id_tag"] = event.id_tag
    at = plain(event.at)
    return {
        "id": public_id(event),
        "type": event.type,
        "timestamp": at,
        "occurred_at": at,
        "site": names.get(event.site) if event.site else None,
        "charge_point": event.identity or None,
        "data": data,
    }


def body(event: Event, names: Mapping[int, str], *, with_tags: bool) -> bytes:
    """The same as a request's body; always the same bytes for the same event."""
    return orjson.dumps(as_json(event, names, with_tags=with_tags))
