"""FirmwareStatusNotification (OCPP 1.6, 4.5): how a firmware update goes."""

from levity.ocpp.effects import UpdateChargePoint
from levity.ocpp.request import Request, Response
from levity.ocpp.rules.file_jobs import FIRMWARE, SIGNED_FIRMWARE
from levity.ocpp.v16.files import firmware_report
from levity.ocpp.wire.fields import text

__all__ = ["firmware_status_notification"]

# Some report with the message of the other kind.
KINDS = (FIRMWARE, SIGNED_FIRMWARE)


def firmware_status_notification(request: Request) -> Response:
    """Show it with the charge point, and with the job."""
    report = firmware_report(KINDS, request.payload, text(request.payload, "status", 64))
    return Response({}, (UpdateChargePoint({"firmware_status": report.status}), report))
