"""What a worker does now and then: notice edges that died without a word."""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint, Edge
from levity.ocpp.store import connections_lost

__all__ = ["forget_edges", "sweep"]

log = logging.getLogger(__name__)


def sweep(now: datetime) -> None:
    """Take the chargers of edges that are silent for too long off line."""
    silent = now - timedelta(seconds=setting("OCPP_EDGE_TIMEOUT"))
    gone = list(Edge.objects.filter(last_seen_at__lt=silent).values_list("pk", flat=True))
    if gone:
        forget_edges(gone, now)


def forget_edges(edges: list[str], now: datetime) -> None:
    """These edges are dead: nothing is connected to them any more.

    A charger that is connected all the same (its edge was only cut off) is back on line with its
    next frame.
    """
    with transaction.atomic():
        lost = list(
            ChargePoint.objects.filter(edge__in=edges, connection__isnull=False)
            .order_by("pk")
            .values_list("pk", "identity", "connection", "edge_id")
        )
        ChargePoint.objects.filter(edge__in=edges).update(
            connection=None, edge=None, disconnected_at=now
        )
        connections_lost({str(item[2]): now for item in lost})
        Edge.objects.filter(pk__in=edges).delete()
    log.warning("edge %s is silent; %d charge points are off line", ", ".join(edges), len(lost))
