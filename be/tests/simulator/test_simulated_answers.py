"""What simulated chargers answer to the central system's Calls, and what they do then."""

from dataclasses import replace
from random import Random

import pytest

from levity.simulator.answers import (
    BootAgain,
    ChangeOperative,
    LimitPower,
    Reboot,
    Reply,
    RunDiagnostics,
    RunFirmwareUpdate,
    SetKey,
    StartRemotely,
    State,
    Trigger,
    Unlock,
    answer_to,
)
from levity.simulator.configuration import FIXED_KEYS, configuration_keys
from levity.simulator.connector import Connector
from levity.simulator.makes import PROFILES
from levity.simulator.profiles import Profile
from tests.simulator.scripted import EPOCH, PLAIN, Stage, play


def state(profile: Profile = PLAIN, *, plugged: bool = False) -> State:
    connector = Connector(1, profile, Random(1))
    if plugged:
        connector.plug_in(EPOCH)
    return State(profile, [connector], configuration_keys(profile), FIXED_KEYS, EPOCH)


def status(word, *deeds):
    return Reply({"status": word}, deeds=deeds)


SCHEDULE = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
        }
    },
}


@pytest.mark.parametrize(
    ("action", "payload", "reply"),
    [
        ("ClearCache", {}, status("Accepted")),
        ("DataTransfer", {"vendorId": "x"}, status("UnknownVendorId")),
        ("Reset", {"type": "Soft"}, status("Accepted", Reboot("SoftReset"))),
        (
            "ChangeAvailability",
            {"connectorId": 0, "type": "Inoperative"},
            status("Accepted", ChangeOperative(0, False)),
        ),
        ("ChangeAvailability", {"connectorId": 9, "type": "Operative"}, status("Rejected")),
        (
            "ChangeConfiguration",
            {"key": "HeartbeatInterval", "value": "60"},
            status("Accepted", SetKey("HeartbeatInterval", "60")),
        ),
        (
            "ChangeConfiguration",
            {"key": "HeartbeatInterval", "value": "often"},
            status("Rejected"),
        ),
        ("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "2"}, status("Rejected")),
        ("ChangeConfiguration", {"key": "Unheard", "value": "2"}, status("NotSupported")),
        (
            "GetConfiguration",
            {"key": ["NumberOfConnectors", "Unheard"]},
            Reply(
                {
                    "configurationKey": [
                        {"key": "NumberOfConnectors", "readonly": True, "value": "1"}
                    ],
                    "unknownKey": ["Unheard"],
                }
            ),
        ),
        (
            "TriggerMessage",
            {"requestedMessage": "BootNotification"},
            status("Accepted", BootAgain()),
        ),
        (
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 1},
            status("Accepted", Trigger("MeterValues", 1)),
        ),
        (
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 5},
            status("Rejected"),
        ),
        ("TriggerMessage", {"requestedMessage": "Nonsense"}, status("NotImplemented")),
        ("UnlockConnector", {"connectorId": 1}, status("Unlocked", Unlock(1))),
        ("UnlockConnector", {"connectorId": 7}, status("NotSupported")),
        ("RemoteStopTransaction", {"transactionId": 1}, status("Rejected")),
        (
            "GetDiagnostics",
            {"location": "ftp://x"},
            Reply(
                {"fileName": "diagnostics-20240501.log"},
                deeds=(RunDiagnostics("ftp://x", "diagnostics-20240501.log"),),
            ),
        ),
        ("UpdateFirmware", {"location": "ftp://x"}, Reply(deeds=(RunFirmwareUpdate("ftp://x"),))),
        ("SetChargingProfile", SCHEDULE, status("Accepted", LimitPower(1, 6900.0))),
        ("ClearChargingProfile", {}, status("Unknown")),
        ("GetCompositeSchedule", {"connectorId": 1, "duration": 60}, status("Rejected")),
        ("GetLocalListVersion", {}, Reply({"listVersion": 0})),
        ("Sing", {}, Reply(error="NotImplemented", description="no action 'Sing'")),
        ("Reset", {}, Reply(error="FormationViolation", description="Reset: KeyError('type')")),
    ],
)
def test_answers(action, payload, reply):
    assert answer_to(state(), action, payload) == reply


def test_remote_start_takes_the_plugged_connector():
    wanted = {"idTag": "T"}
    accepted = status("Accepted", StartRemotely(1, "T"))
    assert answer_to(state(plugged=True), "RemoteStartTransaction", wanted) == accepted


def test_grizzl_e_accepts_a_remote_start_right_after_preparing_and_ignores_it():
    plugged = state(PROFILES["grizzl-e"], plugged=True)
    assert answer_to(plugged, "RemoteStartTransaction", {"idTag": "T"}) == status("Accepted")


def test_alfen_wants_its_own_tag():
    alfen = state(PROFILES["alfen"], plugged=True)
    assert answer_to(alfen, "RemoteStartTransaction", {"idTag": "T"}) == status("Rejected")
    wanted = {"idTag": "ALFEN-REMOTE"}
    accepted = status("Accepted", StartRemotely(1, "ALFEN-REMOTE"))
    assert answer_to(alfen, "RemoteStartTransaction", wanted) == accepted


def test_wallbox_refuses_a_charging_profile_with_a_protocol_error():
    wanted = {"idTag": "T", "chargingProfile": {}}
    reply = answer_to(state(PROFILES["wallbox"], plugged=True), "RemoteStartTransaction", wanted)
    assert reply.error == "ProtocolError"


def test_what_is_in_no_feature_profile_is_not_supported():
    reply = answer_to(state(PROFILES["grizzl-e"]), "ReserveNow", {})
    said = "Reservation is not supported"
    assert reply == Reply(error="NotSupported", description=said)


def test_grizzl_e_breaks_off_its_configuration_and_boots():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        await scene.system.call("GetConfiguration", {}, "g")
        await scene.after(60)

    scene = play(story, PROFILES["grizzl-e"])
    assert scene.system.replies["g"] == '[3,"g",{"configurationKey":[]'
    assert len(scene.system.of("BootNotification")) == 2


def test_abb_accepts_the_measurands_and_dies_of_them():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        wanted = {"key": "MeterValuesSampledData", "value": "Voltage"}
        await scene.system.call("ChangeConfiguration", wanted, "c")
        await scene.after(60)

    scene = play(story, PROFILES["abb"])
    assert scene.system.reply("c") == [3, "c", {"status": "Accepted"}]
    assert scene.system.connections == 2


def test_mennekes_answers_after_a_minute_while_its_own_calls_go_on():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        await scene.charge_point.quiet(within=5)
        await scene.system.call("ClearCache", {}, "c")
        await scene.after(60)
        assert scene.system.replies == {}
        scene.charge_point.plug_in()
        await scene.charge_point.quiet(within=1)
        await scene.after(10)

    scene = play(story, PROFILES["mennekes"])
    assert scene.system.reply("c") == [3, "c", {"status": "Accepted"}]


def test_diagnostics_and_firmware_run_through_their_statuses():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        await scene.system.call("GetDiagnostics", {"location": "ftp://x"}, "d")
        await scene.system.call("UpdateFirmware", {"location": "ftp://x"}, "f")
        await scene.after(60)

    scene = play(story)
    reported = [
        each.payload["status"]
        for each in scene.system.heard
        if each.action.endswith("eStatusNotification")
        or each.action == "DiagnosticsStatusNotification"
    ]
    assert sorted(reported) == sorted(
        ["Uploading", "Uploaded", "Downloading", "Downloaded", "Installing", "Installed"]
    )
    assert len(scene.system.of("BootNotification")) == 2


def test_inoperative_waits_for_the_end_of_the_transaction():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        await scene.charge_point.present_tag("T")
        wanted = {"connectorId": 1, "type": "Inoperative"}
        await scene.system.call("ChangeAvailability", wanted, "c")
        await scene.after(10)
        scene.charge_point.unplug()
        await scene.after(10)
        scene.charge_point.plug_in()
        await scene.after(10)

    scene = play(story)
    assert scene.system.reply("c") == [3, "c", {"status": "Scheduled"}]
    assert scene.system.actions()[-2:] == ["1 Available", "1 Unavailable"]


def test_power_follows_a_charging_profile():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        await scene.system.call("SetChargingProfile", SCHEDULE, "c")
        scene.charge_point.plug_in()
        await scene.charge_point.present_tag("T")
        await scene.after(200)

    scene = play(story)
    powers = [
        float(one["value"])
        for heard in scene.system.of("MeterValues")
        for one in heard.payload["meterValue"][0]["sampledValue"]
        if one["measurand"] == "Power.Active.Import"
    ]
    assert len(powers) == 3
    assert all(6000 < power <= 6900 for power in powers)


def test_triggered_meter_values_without_a_transaction_name_none():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        wanted = {"requestedMessage": "MeterValues"}
        await scene.system.call("TriggerMessage", wanted, "t")
        await scene.after(5)

    scene = play(story, replace(PLAIN, samples=PLAIN.samples[:1]))
    payload = scene.system.one("MeterValues")
    assert "transactionId" not in payload
    assert payload["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"
