"""Chargers whose messages are too large: each repeats the message until it is accepted."""

from datetime import datetime, timedelta

from django.db.models.functions import Lower

from levity.monitoring.alerts.conditions.finding import AT_MOST, Finding, plain
from levity.ocpp.models import ChargePoint, RefusedHandshake

__all__ = ["frames_too_large"]

REMEMBERED = timedelta(hours=6)
"""Longer than a charger waits between two attempts."""


def frames_too_large(now: datetime) -> list[Finding]:
    """Connections that were closed with 1009, by charge point."""
    rows = (
        RefusedHandshake.objects.filter(reason="frame-too-large", last_at__gte=now - REMEMBERED)
        .order_by("pk")
        .values_list("identity", "detail", "count", "last_at")[:AT_MOST]
    )
    found = {row[0].lower(): row for row in rows}
    known = {
        key: (pk, site)
        for key, pk, site in ChargePoint.objects.annotate(key=Lower("identity"))
        .filter(key__in=list(found))
        .values_list("key", "pk", "site")
    }
    return [
        Finding(
            "frame-too-large",
            key,
            f"{plain(identity, 48)} can't deliver a message because it is too large",
            f"{plain(detail)}; {count} times. Raise LEVITY_MAX_FRAME_SIZE.",
            charge_point=known.get(key, (None, None))[0],
            site=known.get(key, (None, None))[1],
            at=last_at,
        )
        for key, (identity, detail, count, last_at) in found.items()
    ]
