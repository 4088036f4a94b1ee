"""BootNotification (OCPP 1.6, 4.2)."""

from typing import Any

import pytest

from levity.ocpp.effects import ResetConnectors, UpdateChargePoint
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.boot_notification import boot_notification
from tests.ocpp.charger import NOW
from tests.ocpp.states import charge_point, request

EMPTY = {
    "vendor": "",
    "model": "",
    "serial_number": "",
    "charge_box_serial_number": "",
    "firmware_version": "",
    "iccid": "",
    "imsi": "",
    "meter_type": "",
    "meter_serial_number": "",
    "booted_at": NOW,
}


def test_what_a_grizzl_e_says_of_itself_is_kept() -> None:
    """A public capture (lb#442): iccid "-9", meterType "SW"."""
    payload = {
        "chargePointSerialNumber": "GRS-1",
        "chargePointModel": "GRS-*",
        "chargePointVendor": "United Chargers",
        "firmwareVersion": "05.633:0",
        "meterType": "SW",
        "iccid": "-9",
        "imsi": "1",
    }
    assert boot_notification(request("BootNotification", payload)) == Response(
        {"status": "Accepted", "currentTime": "2026-11-22T12:00:00.000Z", "interval": 300},
        (
            UpdateChargePoint(
                {
                    **EMPTY,
                    "vendor": "United Chargers",
                    "model": "GRS-*",
                    "serial_number": "GRS-1",
                    "firmware_version": "05.633:0",
                    "iccid": "-9",
                    "imsi": "1",
                    "meter_type": "SW",
                }
            ),
            ResetConnectors(),
        ),
    )


@pytest.mark.parametrize(
    ("registration", "interval"), [("Accepted", 45), ("Pending", 7), ("Rejected", 7)]
)
def test_the_interval_says_when_to_come_back(registration: str, interval: int) -> None:
    """4.2: the heartbeat if it is accepted, the next try if it is not."""
    known = charge_point(registration=registration, heartbeat_interval=45, retry_interval=7)
    response = boot_notification(request("BootNotification", {}, charge_point=known))
    assert (response.payload["status"], response.payload["interval"]) == (registration, interval)


@pytest.mark.parametrize(
    ("sent", "kept"), [("x" * 300, "x" * 255), (None, ""), (5, "5"), (1.5, "1.5"), (True, "True")]
)
def test_a_field_of_any_shape_is_kept_as_text(sent: Any, kept: str) -> None:
    """33-character serial numbers (Schneider, Siemens), numbers, null."""
    response = boot_notification(request("BootNotification", {"chargePointModel": sent}))
    assert response.effects[0] == UpdateChargePoint({**EMPTY, "model": kept})
