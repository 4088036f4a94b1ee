"""What comes twice, late, or with another number than it should."""

import json
from datetime import timedelta

from tests.field.catalogue import case
from tests.field.charger import Ground, register
from tests.field.judge import (
    charge_point,
    commands,
    kept,
    nothing_failed,
    refusals,
    session,
    sessions,
    undecided,
    wh,
)

HOUR = 3600


@case("c80", "steve-community/steve#955, steve-community/steve#1293")
def a_stop_that_comes_three_times(ground: Ground) -> None:
    """The same stop again and again, each dated a second later: one end, and nothing to decide."""
    charger = ground.charger("WALLE-FIELD80")
    charger.boot()
    number = charger.start(1000, ground.at(-HOUR))
    for place in range(3):
        charger.stop(number, 3000, ground.at(-30 + place), reason="Local")
    ended = session(charger)
    assert (ended.state, wh(ended), ended.confidence, ended.flags) == ("stopped", 2000, "high", "")
    assert undecided(charger) == []
    charger.stop(number, 9000, ground.at(), reason="Local")
    assert wh(session(charger)) == 2000
    assert len(undecided(charger)) == 1


@case("c81", "citrineos/citrineos-core#880")
def a_stop_again_with_its_samples(ground: Ground) -> None:
    """The answer was lost, and StopTransaction comes anew with its transactionData: kept once."""
    charger = ground.charger("RETRY-FIELD81")
    charger.boot()
    number = charger.start(1000, ground.at(-HOUR))
    data = [
        {"timestamp": ground.at(-HOUR + place), "sampledValue": [register(1000 + place)]}
        for place in (600, 1200, 1800)
    ]
    stopped = ground.at()
    for _ in range(3):
        charger.stop(number, 3000, stopped, reason="Local", transactionData=data)
    assert (wh(session(charger)), session(charger).flags) == (2000, "")
    assert kept(charger) == 3
    assert undecided(charger) == []


@case("c82", "evcc#25708")
def a_stop_whose_samples_are_empty(ground: Ground) -> None:
    """sonnen: transactionData with an empty sampledValue, in a stop of hours ago."""
    charger = ground.charger("SONNEN-FIELD82")
    charger.boot("sonnen", "sonnenCharger")
    number = charger.start(780000, ground.at(-8 * HOUR), tag="148ba065")
    stopped = ground.at(-7 * HOUR)
    data = [{"sampledValue": [], "timestamp": stopped}]
    charger.stop(number, 790000, stopped, reason="Local", idTag="148ba065", transactionData=data)
    assert (wh(session(charger)), session(charger).confidence) == (10000, "high")
    assert (kept(charger), refusals(charger)) == (0, [])


@case("c83", "matth-x/MicroOcpp#154, dallmann-consulting/OCPP.Core#36")
def a_start_with_more_than_it_should_have(ground: Ground) -> None:
    """reservationId -1, a field that OCPP does not know, and a field that is there twice."""
    charger = ground.charger("MORE-FIELD83")
    charger.boot()
    start = {"connectorId": 1, "idTag": "987654", "meterStart": 0, "timestamp": ground.at(-60)}
    text = json.dumps({**start, "reservationId": -1, "additional": {"a": [1]}})
    twice = text[:-1] + ', "connectorId": 1}'
    answer = charger.say(f'[2,"E866401000005C049EF","StartTransaction",{twice}]')
    assert answer is not None
    assert answer[0] == 3, answer
    assert (session(charger).id_tag, session(charger).connector) == ("987654", 1)


@case("c84", "dallmann-consulting/OCPP.Core#16")
def an_hour_of_one_digit(ground: Ground) -> None:
    """A simulator writes T9:05:03Z, and gives its first Call the message type 1."""
    charger = ground.charger("HOUR-FIELD84")
    charger.boot()
    day = (ground.now - timedelta(days=1)).date()
    start = {"connectorId": 1, "idTag": "12345678", "timestamp": f"{day}T9:05:03Z"}
    start |= {"meterStart": 0, "reservationId": 0}
    charger.say(json.dumps([1, "ETPCN52r6YfYsB0xI2G2imfhjDf3RoUVoVe9", "StartTransaction", start]))
    assert sessions(charger) == []
    number = charger.result("StartTransaction", start)["transactionId"]
    charger.stop(number, 2000, f"{day}T9:45:03Z")
    ended = session(charger)
    assert ended.stopped_at is not None
    assert ended.stopped_at - ended.started_at == timedelta(minutes=40)
    assert (ended.started_at.hour, ended.flags) == (9, "")


@case("c85", "mobilityhouse/ocpp#297", in_process=True)
def an_answer_with_another_number(ground: Ground) -> None:
    """EN+ answers SetChargingProfile with an id that nobody has asked with: the next one flows."""
    other = '[3,"ff80ff4a-c1b6-41b0-bcb8-efde1f6c902b",{"status":"Accepted"}]'
    charger = ground.charger("ENI-FIELD85", {"SetChargingProfile": other})
    charger.boot("EN+", "AC011K")
    period = {"startPeriod": 0, "limit": 8.6}
    profile = {
        "chargingProfileId": 7370,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]},
    }
    payload = json.dumps({"connectorId": 1, "csChargingProfiles": profile})
    ground.levity("send_command", charger.identity, "SetChargingProfile", payload)
    ground.wait(2)
    ground.levity("send_command", charger.identity, "Reset", '{"type":"Soft"}')
    ground.wait(100)
    assert commands(charger, "SetChargingProfile")[0].state not in ("queued", "sent", "answered")
    assert commands(charger, "Reset")[0].state == "answered"
    nothing_failed(charger)


@case("c86", "matth-x/MicroOcpp#174, #227, c-jimenez/open-ocpp#204", in_process=True)
def a_power_cut_and_a_meter_that_has_forgotten(ground: Ground) -> None:
    """After a power cut the stop says PowerLoss, 0 Wh and no tag: the samples are the bill."""
    charger = ground.charger("CUT-FIELD86")
    charger.boot("ABCD", "AC")
    charger.status("Preparing", 1, ground.at())
    number = charger.start(0, ground.at(), tag="BAEDFCDE")
    charger.status("Charging", 1, ground.at())
    for rise in (600, 1200, 1800):
        ground.wait(600)
        charger.meter(ground.at(), register(rise), transaction=number)
    charger.leave()
    charger.come_back()
    charger.boot("ABCD", "AC")
    charger.stop(number, 0, ground.at(), reason="PowerLoss", idTag="")
    ended = session(charger)
    assert (ended.state, wh(ended), ended.stop_reason) == ("stopped", 1800, "PowerLoss"), (
        ended.flags
    )
    assert ended.confidence == "low"
    assert undecided(charger) == []


@case("c87", "matth-x/MicroOcpp#66")
def it_says_charging_before_its_start(ground: Ground) -> None:
    """From Available to Charging, and then the StartTransaction: it is not asked to start."""
    charger = ground.charger("EARLY-FIELD87")
    charger.boot()
    charger.status("Available", 1, ground.at(-60))
    charger.status("Charging", 1, ground.at(-30))
    number = charger.start(500, ground.at(-29), tag="ANNA")
    charger.meter(ground.at(), register(530), transaction=number)
    ground.wait(3)
    assert charger.asked_to("RemoteStartTransaction") == []
    assert (session(charger).state, wh(session(charger))) == ("active", 30)


@case("c88", "matth-x/MicroOcpp#17")
def it_starts_with_another_tag_than_it_asked_for(ground: Ground) -> None:
    """Authorize for FFFFFF, then a start for A0-00-00-00: on the books with what it said."""
    charger = ground.charger("TAG-FIELD88")
    charger.boot()
    charger.result("Authorize", {"idTag": "FFFFFF"})
    number = charger.start(0, ground.at(-60), tag="A0-00-00-00")
    charger.stop(number, 100, ground.at())
    assert (session(charger).id_tag, wh(session(charger))) == ("A0-00-00-00", 100)


@case("c89", "steve-community/steve#1259, lbbrhzn/ocpp#1155, mobilityhouse/ocpp#128")
def a_boot_with_long_names(ground: Ground) -> None:
    """A model of 300 letters and serials of 26: accepted, and kept as far as there is room."""
    charger = ground.charger("LONG-FIELD89")
    serial = "3N182720082F1S1B7551700000"
    said = charger.boot("Schneider Electric", "M" * 300, chargePointSerialNumber=serial)
    assert said["status"] == "Accepted"
    row = charge_point(charger)
    assert (row.serial_number, row.model.startswith("M" * 20)) == (serial, True)
