"""Frames that are not as the schema says."""

import json

from tests.field.catalogue import case
from tests.field.charger import Ground, register
from tests.field.judge import commands, kept, nothing_failed, refusals, session, wh

HOUR = 3600


@case("c24", "lbbrhzn/ocpp#466, mobilityhouse/ocpp#661")
def an_idle_vestel_has_nothing_to_say(ground: Ground) -> None:
    """Vestel EVC04: sampledValue is empty while idle; a good element beside it counts."""
    charger = ground.charger("VES-FIELD24")
    charger.boot("VESTEL", "EVC04", firmwareVersion="v3.166.0")
    charger.meter(ground.at())
    empty = {"timestamp": ground.at(), "sampledValue": []}
    good = {"timestamp": ground.at(), "sampledValue": [register(5)]}
    charger.result("MeterValues", {"connectorId": 1, "meterValue": [empty, good]})
    assert kept(charger) == 1
    assert refusals(charger) == []


@case("c25", "evcc#3685")
def raw_nul_in_an_answer_and_in_a_start(ground: Ground) -> None:
    """Wallbe Pro: NUL bytes within a string: the command ends, the next one flows."""

    def padded(call: list[object]) -> str:
        key = {"key": "MeterSerial", "readonly": True, "value": "@"}
        return json.dumps([3, call[1], {"configurationKey": [key]}]).replace("@", "\0\0\0")

    charger = ground.charger("WBE-FIELD25", {"GetConfiguration": padded})
    charger.boot("wallbe", "Pro")
    ground.levity("send_command", charger.identity, "GetConfiguration", "{}")
    ground.wait(2)
    ground.levity("send_command", charger.identity, "Reset", '{"type":"Soft"}')
    ground.wait(2)
    assert commands(charger, "GetConfiguration")[0].state in ("answered", "refused")
    assert commands(charger, "Reset")[0].state == "answered"
    start = {
        "connectorId": 1,
        "idTag": "ANNA@",
        "meterStart": 1000,
        "timestamp": ground.at(-60),
    }
    answer = charger.say(json.dumps([2, "s1", "StartTransaction", start]).replace("@", "\0\0"))
    assert answer is not None
    assert (answer[0], answer[1]) == (3, "s1"), answer
    nothing_failed(charger)


@case("c26", "mobilityhouse/ocpp#230")
def message_ids_of_37_signs(ground: Ground) -> None:
    """Phihong: a counter before a text of 36 signs."""
    fixed = "c2d6e365-ac1v-4ea9-96ee-c0df52abc312"
    charger = ground.charger("PHI-FIELD26")
    boot = {"chargePointVendor": "Phihong Technology", "chargePointModel": "EA702CxTFxPx"}
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}
    start = {"connectorId": 1, "idTag": "ANNA", "meterStart": 1000, "timestamp": ground.at(-60)}
    for before, action, payload in (
        ("", "BootNotification", boot),
        ("4", "StatusNotification", status),
        ("5", "StartTransaction", start),
    ):
        answer = charger.call(action, payload, before + fixed)
        assert answer[:2] == [3, before + fixed], answer
    number = session(charger).pk
    stop = {"transactionId": number, "meterStop": 2000, "timestamp": ground.at()}
    answer = charger.call("StopTransaction", stop, f"16{fixed}")
    assert answer[:2] == [3, f"16{fixed}"], answer
    assert (session(charger).state, wh(session(charger))) == ("stopped", 1000)


@case("c29", "evcc#32170")
def a_vendor_without_a_name(ground: Ground) -> None:
    """Huawei SCharger: chargePointVendor is there and empty."""
    charger = ground.charger("HUA-FIELD29")
    said = charger.boot("", "SCharger-22KT-S0", firmwareVersion="V100R023C10SPC220")
    assert said["status"] == "Accepted"
    charger.stop(charger.start(100, ground.at(-60)), 200, ground.at())
    assert wh(session(charger)) == 100
