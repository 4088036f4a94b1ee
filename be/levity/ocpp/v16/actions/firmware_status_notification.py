"""FirmwareStatusNotification (OCPP 1.6, 4.5): how a firmware update goes."""

from levity.ocpp.effects import UpdateChargePoint
from levity.ocpp.request import Request, Response
from levity.ocpp.wire.fields import text
from levity.ocpp.wire.words import FIRMWARE

__all__ = ["firmware_status_notification"]


def firmware_status_notification(request: Request) -> Response:
    """Show it with the charge point."""
    status = FIRMWARE.meant(text(request.payload, "status", 64))
    return Response({}, (UpdateChargePoint({"firmware_status": status}),))
