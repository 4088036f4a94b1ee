"""Heartbeat (OCPP 1.6, 4.6): the charger is alive and wants to know the time."""

from levity.ocpp.request import Request, Response
from levity.ocpp.wire.fields import wire_time

__all__ = ["heartbeat"]


def heartbeat(request: Request) -> Response:
    """The time; that the charger is alive, its frame has told already."""
    return Response({"currentTime": wire_time(request.received_at)})
