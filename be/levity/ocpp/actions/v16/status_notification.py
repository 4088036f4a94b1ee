"""StatusNotification (OCPP 1.6, 4.9): a connector changed."""

from levity.ocpp.effects import ConnectorStatus
from levity.ocpp.fields import MAX_CONNECTOR, integer, text
from levity.ocpp.request import Request, Response

__all__ = ["status_notification"]


def status_notification(request: Request) -> Response:
    """Remember it. Connector 0 is the charge point as a whole; unknown words are kept as text."""
    payload = request.payload
    return Response(
        {},
        (
            ConnectorStatus(
                connector=integer(payload, "connectorId", 0, MAX_CONNECTOR),
                status=text(payload, "status", 64),
                error_code=text(payload, "errorCode", 64),
                info=text(payload, "info"),
                vendor_id=text(payload, "vendorId"),
                vendor_error_code=text(payload, "vendorErrorCode"),
                reported_at=request.time("timestamp"),
            ),
        ),
    )
