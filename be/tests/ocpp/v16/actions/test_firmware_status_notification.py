"""FirmwareStatusNotification (OCPP 1.6, 4.5)."""

from levity.ocpp.effects import UpdateChargePoint
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.firmware_status_notification import firmware_status_notification
from tests.ocpp.states import request


def test_the_status_is_shown_with_the_charge_point_whatever_it_is() -> None:
    """Unknown words are kept as text."""
    for status in ("Idle", "UploadFailed", "Banana"):
        assert firmware_status_notification(
            request("FirmwareStatusNotification", {"status": status})
        ) == Response({}, (UpdateChargePoint({"firmware_status": status}),))
