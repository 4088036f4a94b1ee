"""SignedFirmwareStatusNotification (OCPP 1.6 security whitepaper, 5.17): an update goes on."""

from levity.ocpp.effects import UpdateChargePoint
from levity.ocpp.request import Request, Response
from levity.ocpp.wire.fields import text
from levity.ocpp.wire.words import FIRMWARE

__all__ = ["signed_firmware_status_notification"]


def signed_firmware_status_notification(request: Request) -> Response:
    """Show it with the charge point."""
    status = FIRMWARE.meant(text(request.payload, "status", 64))
    return Response({}, (UpdateChargePoint({"firmware_status": status}),))
