"""LogStatusNotification (OCPP 1.6 security whitepaper, 5.8): how the upload of a log goes."""

from levity.ocpp.effects import UpdateChargePoint
from levity.ocpp.request import Request, Response
from levity.ocpp.wire.fields import text
from levity.ocpp.wire.words import UPLOADS

__all__ = ["log_status_notification"]


def log_status_notification(request: Request) -> Response:
    """Show it with the charge point, where the older DiagnosticsStatusNotification stands, too."""
    status = UPLOADS.meant(text(request.payload, "status", 64))
    return Response({}, (UpdateChargePoint({"diagnostics_status": status}),))
