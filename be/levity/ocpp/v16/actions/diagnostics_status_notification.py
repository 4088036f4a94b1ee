"""DiagnosticsStatusNotification (OCPP 1.6, 4.4): how the upload of diagnostics goes."""

from levity.ocpp.effects import UpdateChargePoint
from levity.ocpp.request import Request, Response
from levity.ocpp.rules.file_jobs import DIAGNOSTICS, LOG
from levity.ocpp.v16.files import upload_report
from levity.ocpp.wire.fields import text

__all__ = ["diagnostics_status_notification"]

# Some report with the message of the other kind.
KINDS = (DIAGNOSTICS, LOG)


def diagnostics_status_notification(request: Request) -> Response:
    """Show it with the charge point, and with the job."""
    report = upload_report(KINDS, request.payload, text(request.payload, "status", 64))
    return Response({}, (UpdateChargePoint({"diagnostics_status": report.status}), report))
