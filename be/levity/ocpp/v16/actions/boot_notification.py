"""BootNotification (OCPP 1.6, 4.2): the charger introduces itself."""

from collections.abc import Mapping

from levity.ocpp.chargers.quirks.matching import profile_for
from levity.ocpp.conf import setting
from levity.ocpp.effects import Effect, FirmwareChanged, ResetConnectors, UpdateChargePoint
from levity.ocpp.request import ChargePointState, Request, Response
from levity.ocpp.rules.intervals import heartbeat_interval
from levity.ocpp.wire.fields import text, wire_time

__all__ = ["boot_notification"]

FIELDS = {
    "chargePointVendor": "vendor",
    "chargePointModel": "model",
    "chargePointSerialNumber": "serial_number",
    "chargeBoxSerialNumber": "charge_box_serial_number",
    "firmwareVersion": "firmware_version",
    "iccid": "iccid",
    "imsi": "imsi",
    "meterType": "meter_type",
    "meterSerialNumber": "meter_serial_number",
}


def boot_notification(request: Request) -> Response:
    """Tell it the time, the heartbeat interval, and whether it is registered."""
    charge_point = request.charge_point
    values = {field: text(request.payload, name) for name, field in FIELDS.items()}
    return Response(
        {
            "status": charge_point.registration,
            "currentTime": wire_time(request.received_at),
            # 4.2: unless it is accepted, this is when it may ask again.
            "interval": (
                _interval(charge_point, values)
                if charge_point.registration == "Accepted"
                else charge_point.retry_interval
            ),
        },
        (
            UpdateChargePoint({**values, "booted_at": request.received_at}),
            ResetConnectors(),
            *_update(charge_point.firmware_version, values["firmware_version"]),
        ),
    )


def _update(before: str, after: str) -> tuple[Effect, ...]:
    return (FirmwareChanged(before, after),) if before and after and before != after else ()


def _interval(charge_point: ChargePointState, said: Mapping[str, str]) -> int:
    """Seconds between heartbeats, by the make that it says it is now."""
    named, overrides = charge_point.quirk_choice
    quirks = profile_for(
        said["vendor"], said["model"], said["firmware_version"], named=named, overrides=overrides
    )
    if quirks.heartbeat_interval == charge_point.quirks.heartbeat_interval:
        return charge_point.heartbeat_interval
    default = setting("OCPP_HEARTBEAT_INTERVAL")
    return heartbeat_interval(
        charge_point.own_interval, charge_point.learned_silence, quirks, default
    )
