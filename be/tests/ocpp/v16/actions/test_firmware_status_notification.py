"""FirmwareStatusNotification (OCPP 1.6, 4.5)."""

from levity.ocpp.effects import FileReported, UpdateChargePoint
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.firmware_status_notification import firmware_status_notification
from tests.ocpp.states import request

KINDS = ("firmware", "signed_firmware")
STATES = {"Idle": "", "DownloadFailed": "failed", "Banana": ""}


def test_the_status_is_shown_with_the_charge_point_whatever_it_is() -> None:
    """Unknown words are kept as text."""
    for status in STATES:
        assert firmware_status_notification(
            request("FirmwareStatusNotification", {"status": status})
        ) == Response(
            {},
            (
                UpdateChargePoint({"firmware_status": status}),
                FileReported(KINDS, status, STATES[status]),
            ),
        )
