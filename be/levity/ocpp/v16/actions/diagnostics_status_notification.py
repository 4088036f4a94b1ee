"""DiagnosticsStatusNotification (OCPP 1.6, 4.4): how the upload of diagnostics goes."""

from levity.ocpp.effects import UpdateChargePoint
from levity.ocpp.request import Request, Response
from levity.ocpp.wire.fields import text
from levity.ocpp.wire.words import UPLOADS

__all__ = ["diagnostics_status_notification"]


def diagnostics_status_notification(request: Request) -> Response:
    """Show it with the charge point."""
    status = UPLOADS.meant(text(request.payload, "status", 64))
    return Response({}, (UpdateChargePoint({"diagnostics_status": status}),))
