"""Whole sessions of one simulated charger against a scripted central system, in virtual time."""

from dataclasses import replace

import pytest

from levity.simulator.makes import PROFILES
from levity.simulator.profiles import AfterPowerLoss
from tests.simulator.scripted import PLAIN, Stage, play

BOOTED = ["BootNotification", "0 Available", "1 Available"]


async def local_session(scene: Stage) -> None:
    await scene.charge_point.ready()
    await scene.after(1)
    scene.charge_point.plug_in()
    await scene.after(5)
    assert await scene.charge_point.present_tag("CARD1")
    await scene.after(150)
    scene.charge_point.stop(tag="CARD1")
    await scene.after(5)
    scene.charge_point.unplug()
    await scene.charge_point.quiet(within=10)


def test_local_session_sends_every_message_in_order():
    scene = play(local_session)
    assert scene.system.actions() == [
        *BOOTED,
        "1 Preparing",
        "Authorize",
        "StartTransaction",
        "1 Charging",
        "MeterValues",
        "MeterValues",
        "StopTransaction",
        "1 Finishing",
        "1 Available",
    ]


def test_start_and_stop_carry_the_register_the_tag_and_the_time():
    scene = play(local_session)
    start, stop = scene.system.one("StartTransaction"), scene.system.one("StopTransaction")
    assert start == {
        "connectorId": 1,
        "idTag": "CARD1",
        "meterStart": start["meterStart"],
        "timestamp": "2024-05-01T10:00:06.000Z",
    }
    assert stop == {
        "transactionId": 1,
        "idTag": "CARD1",
        "meterStop": stop["meterStop"],
        "timestamp": "2024-05-01T10:02:36.000Z",
        "reason": "Local",
    }
    # 150 s at no more than 3 x 16 A are less than 460 Wh, and more than nothing.
    assert 200 < stop["meterStop"] - start["meterStart"] < 460


def test_meter_values_rise_and_power_is_plausible():
    scene = play(local_session)
    samples = [
        {one["measurand"]: float(one["value"]) for one in each["sampledValue"]}
        for heard in scene.system.of("MeterValues")
        for each in heard.payload["meterValue"]
    ]
    energies = [each["Energy.Active.Import.Register"] for each in samples]
    assert energies == sorted(energies)
    assert energies[0] > scene.system.one("StartTransaction")["meterStart"]
    assert energies[-1] <= scene.system.one("StopTransaction")["meterStop"]
    assert all(0 < each["Power.Active.Import"] <= 3 * 16 * 230 for each in samples)


def test_remote_start_and_remote_stop():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        await scene.after(1)
        await scene.system.call("RemoteStartTransaction", {"idTag": "anonymous"}, "a")
        assert await scene.charge_point.charging(within=5)
        await scene.after(90)
        await scene.system.call("RemoteStopTransaction", {"transactionId": 1}, "b")
        assert await scene.charge_point.not_charging(within=5)
        await scene.charge_point.quiet(within=5)

    scene = play(story)
    assert scene.system.reply("a") == [3, "a", {"status": "Accepted"}]
    assert scene.system.reply("b") == [3, "b", {"status": "Accepted"}]
    assert scene.system.one("StartTransaction")["idTag"] == "anonymous"
    assert scene.system.one("StopTransaction")["reason"] == "Remote"
    assert scene.system.of("Authorize") == []


def test_remote_start_before_the_cable_waits_for_the_cable():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        await scene.system.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "T"}, "a")
        assert not await scene.charge_point.charging(within=60)
        scene.charge_point.plug_in()
        assert await scene.charge_point.charging(within=1)

    play(story)


def test_refused_tag_starts_nothing():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        assert not await scene.charge_point.present_tag("CARD1")

    refusal = {"idTagInfo": {"status": "Blocked"}}
    scene = play(story, script={"Authorize": refusal})
    assert scene.system.of("StartTransaction") == []


def test_start_that_is_answered_invalid_stops_deauthorized():
    invalid = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}

    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        await scene.charge_point.present_tag("CARD1")
        await scene.charge_point.quiet(within=5)

    scene = play(story, script={"StartTransaction": invalid})
    assert scene.system.one("StopTransaction")["reason"] == "DeAuthorized"
    assert scene.system.one("StopTransaction")["transactionId"] == 7


def test_pulled_cable_stops_with_ev_disconnected():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        await scene.charge_point.present_tag("CARD1")
        scene.charge_point.unplug()
        await scene.charge_point.quiet(within=5)

    scene = play(story)
    assert scene.system.one("StopTransaction")["reason"] == "EVDisconnected"
    assert scene.system.actions()[-2:] == ["StopTransaction", "1 Available"]


def test_fault_ends_the_transaction_and_recovery_lets_the_car_charge_again():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        await scene.charge_point.present_tag("CARD1")
        scene.charge_point.fault("GroundFailure")
        await scene.after(10)
        scene.charge_point.recover()
        await scene.charge_point.quiet(within=5)

    scene = play(story)
    assert scene.system.actions()[-3:] == ["StopTransaction", "1 Faulted", "1 Preparing"]
    faulted = [each.payload for each in scene.system.of("StatusNotification")][-2]
    assert faulted["errorCode"] == "GroundFailure"


async def power_cut_story(scene: Stage) -> None:
    await scene.charge_point.ready()
    scene.charge_point.plug_in()
    await scene.charge_point.present_tag("CARD1")
    await scene.after(70)
    scene.charge_point.lose_power()
    await scene.after(90)
    await scene.charge_point.quiet(within=5)


@pytest.mark.parametrize(
    ("habit", "after_the_boot"),
    [
        (AfterPowerLoss.STOP, ["0 Available", "StopTransaction", "1 Finishing"]),
        (AfterPowerLoss.RESUME, ["0 Available", "1 Charging", "MeterValues"]),
        (AfterPowerLoss.FORGET, ["0 Available", "1 Preparing"]),
    ],
)
def test_power_cut_in_the_middle_of_a_transaction(habit, after_the_boot):
    scene = play(power_cut_story, replace(PLAIN, after_power_loss=habit))
    actions = scene.system.actions()
    second_boot = len(actions) - 1 - actions[::-1].index("BootNotification")
    assert second_boot > 0
    assert scene.system.connections == 2
    assert actions[second_boot + 1 :] == after_the_boot


def test_stop_after_a_power_cut_has_the_reason_and_the_register_of_the_cut():
    scene = play(power_cut_story)
    stop = scene.system.one("StopTransaction")
    last = scene.system.of("MeterValues")[-1].payload["meterValue"][0]["sampledValue"][0]
    assert stop["reason"] == "PowerLoss"
    # Ten seconds passed between the last sample and the cut.
    assert int(last["value"]) < stop["meterStop"] < int(last["value"]) + 40


def test_hard_reset_stops_before_it_boots():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        await scene.charge_point.present_tag("CARD1")
        await scene.system.call("Reset", {"type": "Hard"}, "r")
        await scene.after(60)

    scene = play(story)
    assert scene.system.reply("r") == [3, "r", {"status": "Accepted"}]
    assert scene.system.one("StopTransaction")["reason"] == "HardReset"
    assert scene.system.actions()[-4:] == [
        "1 Finishing",
        "BootNotification",
        "0 Available",
        "1 Preparing",
    ]


def test_nothing_but_boot_is_sent_until_it_is_accepted():
    """OCPP 1.6, 4.2: at the interval the central system names."""
    answers = iter(("Pending", "Rejected", "Accepted"))

    def boot(_payload):
        return {"status": next(answers), "currentTime": "2024-05-01T10:00:00Z", "interval": 30}

    async def story(scene: Stage) -> None:
        scene.charge_point.plug_in()
        await scene.charge_point.ready()
        await scene.charge_point.quiet(within=5)

    scene = play(story, script={"BootNotification": boot})
    assert [(each.at, each.action) for each in scene.system.heard[:4]] == [
        (0.0, "BootNotification"),
        (30.0, "BootNotification"),
        (60.0, "BootNotification"),
        (60.0, "StatusNotification"),
    ]


def test_heartbeats_come_at_the_interval_of_the_boot():
    async def story(scene: Stage) -> None:
        await scene.after(1900)

    scene = play(story)
    assert [each.at for each in scene.system.of("Heartbeat")] == [600.0, 1200.0, 1800.0]


@pytest.mark.parametrize(("asked_after", "boots_at"), [(10, 10.0), (None, 30.0)])
def test_wallbox_boots_when_it_is_asked_or_after_half_a_minute(asked_after, boots_at):
    async def story(scene: Stage) -> None:
        if asked_after is not None:
            await scene.after(asked_after)
            wanted = {"requestedMessage": "BootNotification"}
            await scene.system.call("TriggerMessage", wanted, "t")
        await scene.charge_point.ready()

    scene = play(story, PROFILES["wallbox"])
    assert [each.at for each in scene.system.of("BootNotification")] == [boots_at]


def test_car_that_nobody_starts_is_given_up():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        scene.charge_point.plug_in()
        await scene.after(130)

    scene = play(story)
    assert scene.system.actions() == [*BOOTED, "1 Preparing", "1 Finishing"]


def test_same_seed_writes_the_same_ledger_and_another_seed_another():
    ledgers = [play(local_session, seed=seed).ledger.entries for seed in (5, 5, 6)]
    assert ledgers[0] == ledgers[1]
    assert ledgers[0] != ledgers[2]


def test_grizzl_e_meter_values_count_from_the_start_while_start_and_stop_carry_the_register():
    scene = play(local_session, PROFILES["grizzl-e"])
    start, stop = scene.system.one("StartTransaction"), scene.system.one("StopTransaction")
    sampled = scene.system.of("MeterValues")[-1].payload["meterValue"][0]["sampledValue"]
    energy = float(sampled[-1]["value"])
    assert start["meterStart"] >= 1_000_000
    assert 0 < energy <= stop["meterStop"] - start["meterStart"] < 500
    assert sampled[-1] == {
        "value": f"{energy:.2f}",
        "context": "Sample.Periodic",
        "format": "Raw",
        "location": "Body",
        "measurand": "Energy.Active.Import.Register",
        "phase": "L1-N",
        "unit": "Wh",
    }


def test_grizzl_e_status_looks_like_the_capture():
    scene = play(local_session, PROFILES["grizzl-e"])
    preparing = scene.system.of("StatusNotification")[2]
    assert preparing.payload == {
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Preparing",
        "timestamp": "2024-05-01T10:00:01.000Z",
        "info": "Pilot and Charger:20h",
        "vendorId": "UC",
        "vendorErrorCode": "0",
    }
    number = scene.charge_point.serial.removeprefix("GRS-")
    assert len(preparing.unique_id) == len(number) + 8
    assert preparing.unique_id.startswith(number)


def test_easee_says_kwh_and_zaptec_one_element_per_measurand():
    easee = play(local_session, PROFILES["easee"])
    energy = easee.system.of("MeterValues")[0].payload["meterValue"][0]["sampledValue"][0]
    assert energy["unit"] == "kWh"
    assert 1000 < float(energy["value"]) < 1100
    zaptec = play(local_session, PROFILES["zaptec"])
    elements = zaptec.system.of("MeterValues")[0].payload["meterValue"]
    assert [len(each["sampledValue"]) for each in elements] == [1, 1, 1, 1, 1]
    assert zaptec.system.one("StartTransaction")["meterStart"] > 2**32


def test_alfen_counts_its_ids_from_one_and_again_after_a_reboot():
    async def story(scene: Stage) -> None:
        await scene.charge_point.ready()
        await scene.charge_point.quiet(within=5)
        await scene.charge_point.reboot("Reboot")
        await scene.after(60)

    scene = play(story, PROFILES["alfen"])
    assert [each.unique_id for each in scene.system.heard] == ["1", "2", "3", "1", "2", "3"]


def test_alfen_sends_meter_values_after_its_stop():
    scene = play(local_session, PROFILES["alfen"])
    assert scene.system.actions()[-4:] == [
        "StopTransaction",
        "MeterValues",
        "1 Finishing",
        "1 Available",
    ]
    assert scene.system.of("MeterValues")[-1].payload["transactionId"] == 1
