"""Every make against an independent central system: the PyPI package `ocpp`, with its schemas on.

What breaks a schema here must be a quirk that says so, and nothing else.
"""

import asyncio

import pytest
from ocpp.exceptions import OCPPError
from ocpp.routing import on
from ocpp.v16 import ChargePoint as CentralSystemSide
from ocpp.v16 import call, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action

from levity.simulator.makes import PROFILES
from levity.simulator.memory import MemoryDialer
from tests.simulator.scripted import in_virtual_time, stage

NOW = "2024-05-01T10:00:00Z"


class CentralSystem(CentralSystemSide):
    """The package's own class, answering Accepted to everything."""

    def __init__(self, identity, link):
        super().__init__(identity, link, response_timeout=90)
        self.transactions = 0

    @on(Action.boot_notification)
    def on_boot(self, **_):
        return call_result.BootNotification(current_time=NOW, interval=600, status="Accepted")

    @on(Action.heartbeat)
    def on_heartbeat(self):
        return call_result.Heartbeat(current_time=NOW)

    @on(Action.authorize)
    def on_authorize(self, **_):
        return call_result.Authorize(id_tag_info=IdTagInfo(status="Accepted"))

    @on(Action.start_transaction)
    def on_start(self, **_):
        self.transactions += 1
        info = IdTagInfo(status="Accepted")
        return call_result.StartTransaction(transaction_id=self.transactions, id_tag_info=info)

    @on(Action.stop_transaction)
    def on_stop(self, **_):
        return call_result.StopTransaction()

    @on(Action.status_notification)
    def on_status(self, **_):
        return call_result.StatusNotification()

    @on(Action.meter_values)
    def on_meter_values(self, **_):
        return call_result.MeterValues()

    @on(Action.data_transfer)
    def on_data_transfer(self, **_):
        return call_result.DataTransfer(status="Accepted")

    @on(Action.diagnostics_status_notification)
    def on_diagnostics(self, **_):
        return call_result.DiagnosticsStatusNotification()

    @on(Action.firmware_status_notification)
    def on_firmware(self, **_):
        return call_result.FirmwareStatusNotification()


QUESTIONS = (
    call.GetConfiguration(key=["HeartbeatInterval", "Unheard"]),
    call.GetConfiguration(),
    call.ChangeConfiguration(key="HeartbeatInterval", value="900"),
    call.ChangeAvailability(connector_id=1, type="Operative"),
    call.ClearCache(),
    call.DataTransfer(vendor_id="levity"),
    call.TriggerMessage(requested_message="StatusNotification"),
    call.TriggerMessage(requested_message="MeterValues", connector_id=1),
    call.RemoteStartTransaction(id_tag="ALFEN-REMOTE", connector_id=1),
    call.RemoteStopTransaction(transaction_id=2),
    call.UnlockConnector(connector_id=1),
    call.GetDiagnostics(location="ftp://localhost/"),
    call.UpdateFirmware(location="ftp://localhost/", retrieve_date=NOW),
    call.ClearChargingProfile(),
    call.GetCompositeSchedule(connector_id=1, duration=60),
    call.GetLocalListVersion(),
    call.ReserveNow(connector_id=1, expiry_date=NOW, id_tag="T", reservation_id=1),
    call.CancelReservation(reservation_id=1),
    call.Reset(type="Soft"),
)


async def whole_life(make):
    """Sessions, a fault, every question; returns the refused Calls and the unanswered questions."""
    systems = []

    async def accept(identity, _profile, link):
        systems.append(CentralSystem(identity, link))
        await systems[-1].start()

    scene = stage(PROFILES[make])
    charge_point = scene.charge_point
    charge_point._dialer = MemoryDialer(accept)
    living = asyncio.ensure_future(charge_point.run())
    await charge_point.ready()
    charge_point.plug_in()
    await charge_point.present_tag("CARD1")
    await asyncio.sleep(200)
    charge_point.stop(tag="CARD1")
    charge_point.unplug()
    charge_point.fault()
    await asyncio.sleep(5)
    charge_point.recover()
    charge_point.plug_in()
    await asyncio.sleep(5)
    odd = []
    for question in QUESTIONS:
        if not await charge_point._until(lambda: charge_point.online, 60):
            odd.append(type(question).__name__)
            continue
        try:
            await systems[-1].call(question, suppress=False)
        except (TimeoutError, OCPPError) as error:
            odd.append(f"{type(question).__name__}: {type(error).__name__}")
        await asyncio.sleep(2)
    await charge_point.quiet(within=600)
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    refused = {
        (entry.action, entry.payload["code"])
        for entry in scene.ledger.entries
        if entry.event == "error"
    }
    results = {entry.action for entry in scene.ledger.entries if entry.event == "result"}
    return refused, odd, results


# The package's word for what OCPP-J 1.6 calls FormationViolation is FormatViolation.
BREAKS_THE_SCHEMA = {
    "zaptec": {("StatusNotification", "FormatViolation")},
    "legrand": {("StatusNotification", "FormatViolation")},
    "openevse": {("MeterValues", "TypeConstraintViolation")},
}
FIRMWARE = ["GetDiagnostics: NotSupportedError", "UpdateFirmware: NotSupportedError"]
OTHERS = [
    "GetLocalListVersion: NotSupportedError",
    "ReserveNow: NotSupportedError",
    "CancelReservation: NotSupportedError",
]
REFUSES = {
    "generic": [],
    # Both questions break off in the middle of the JSON, and the charger boots.
    "grizzl-e": ["GetConfiguration: TimeoutError"] * 2 + FIRMWARE + OTHERS,
    "grizzl-e-05.653": FIRMWARE + OTHERS,
    "grizzl-e-connect": FIRMWARE + OTHERS,
    # Its answer, 65 s late, falls into the reboot that ends the firmware update.
    "mennekes": ["ClearChargingProfile: TimeoutError", *OTHERS],
}


@pytest.mark.parametrize("make", list(PROFILES))
def test_make_keeps_to_the_official_schemas_but_for_its_quirks(make):
    refused, odd, results = in_virtual_time(whole_life(make))
    assert refused == BREAKS_THE_SCHEMA.get(make, set())
    assert odd == REFUSES.get(make, OTHERS)
    assert results >= {
        "BootNotification",
        "StatusNotification",
        "Authorize",
        "StartTransaction",
        "StopTransaction",
    }
