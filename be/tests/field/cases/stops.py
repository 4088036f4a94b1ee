"""StopTransactions that say too little, too much, or come twice."""

import json

from tests.field.catalogue import case
from tests.field.charger import Ground, register, sampled
from tests.field.judge import quarantined, refusals, session, sessions, wh

HOUR = 3600


@case("c53", "lorenzodonini/ocpp-go#114")
def a_meter_stop_of_minus_one(ground: Ground) -> None:
    """meterStop is -1 where the meter can't be read: the samples are the bill."""
    charger = ground.charger("NEG-FIELD53")
    charger.boot()
    number = charger.start(5000, ground.at(-HOUR))
    for i in (1, 2, 3):
        charger.meter(ground.at(-HOUR + i * 900), register(5000 + 1000 * i), transaction=number)
    charger.stop(number, -1, ground.at())
    ended = session(charger)
    assert (ended.state, wh(ended), ended.energy_source) == ("stopped", 3000, "samples"), (
        ended.flags
    )
    assert ended.confidence == "low"
    assert ended.flags
    bare = ground.charger("NEGB-FIELD53")
    bare.boot()
    number = bare.start(0, ground.at(-HOUR))
    bare.stop(number, -1, ground.at())
    ended = session(bare)
    assert ended.state == "stopped"
    assert (wh(ended) or 0, ended.confidence) == (0, "low"), ended.flags
    none = ground.charger("NEGC-FIELD53")
    none.boot()
    number = none.start(-1, ground.at(-HOUR))
    none.meter(ground.at(-HOUR / 2), register(8000000), transaction=number)
    none.meter(ground.at(-HOUR / 4), register(8001000), transaction=number)
    none.stop(number, 8002000, ground.at())
    ended = session(none)
    assert wh(ended) in (2000, 1000), (wh(ended), ended.flags)


@case("c54", "dallmann-consulting/OCPP.Core#33", in_process=True)
def a_stop_below_its_start(ground: Ground) -> None:
    """meterStop is less than meterStart: no negative energy, and doubted."""
    charger = ground.charger("LOW-FIELD54")
    charger.boot()
    number = charger.start(12000, ground.at())
    ground.wait(3600)
    charger.stop(number, 4000, ground.at())
    ended = session(charger)
    assert ended.state == "stopped"
    assert (wh(ended) or 0) >= 0
    assert ended.confidence == "low"
    assert ended.flags


@case("c56", "ChargeTimeEU/Java-OCA-OCPP#74", in_process=True)
def a_second_start_where_the_stop_should_be(ground: Ground) -> None:
    """Schneider EVlink: at the end a StartTransaction with meterStart 0, then Available."""
    charger = ground.charger("EVL-FIELD56")
    charger.boot("Schneider Electric", "EVB1A22P4KI")
    charger.status("Preparing", 1, ground.at(-HOUR - 5))
    number = charger.start(0, ground.at(-HOUR))
    charger.status("Charging", 1, ground.at(-HOUR))
    charger.meter(ground.at(-HOUR / 2), register(2500), transaction=number)
    charger.start(0, ground.at())
    charger.status("Available", 1, ground.at())
    ground.wait(2 * HOUR)
    found = sessions(charger)
    assert [item.state for item in found if item.state == "active"] == []
    assert sum(wh(item) or 0 for item in found) == 2500, [(wh(i), i.flags) for i in found]


@case("c63", "road-labs/chargestation-one#61")
def a_stop_with_fields_of_its_own(ground: Ground) -> None:
    """connectorId and disconnectReason in StopTransaction, and 1.6250000000000002 kWh."""
    charger = ground.charger("RL-FIELD63")
    charger.boot()
    number = charger.start(0, ground.at(-HOUR), tag="FF88888801")
    at = ground.at()
    data = [
        {
            "sampledValue": [
                sampled(
                    "1.6250000000000002",
                    "Energy.Active.Import.Register",
                    "kWh",
                    context="Sample.Periodic",
                    format="Raw",
                    location="Outlet",
                )
            ],
            "timestamp": at,
        }
    ]
    charger.stop(
        number,
        1625,
        at,
        connectorId=1,
        idTag="FF88888801",
        disconnectReason="EVDisconnected",
        transactionData=data,
    )
    assert (wh(session(charger)), session(charger).confidence, session(charger).flags) == (
        1625,
        "high",
        "",
    )
    assert refusals(charger) == []


@case("c72", "lbbrhzn/ocpp#2030")
def a_tag_with_two_control_signs_more(ground: Ground) -> None:
    """Ocular LTE Plus: the tag of 20 letters comes back with 0x10 and 0x0E, raw in the JSON."""
    charger = ground.charger("OCU-FIELD72")
    charger.boot("Ocular", "LTE Plus V3")
    number = charger.start(0, ground.at(-HOUR), tag="BA86I250X5G6MOD5DLKD")
    stop = {
        "meterStop": 1388,
        "idTag": "BA86I250X5G6MOD5DLKD@",
        "transactionId": number,
        "timestamp": ground.at(),
        "reason": "EVDisconnected",
    }
    answer = charger.say(
        json.dumps([2, "100000023", "StopTransaction", stop]).replace("@", "\x10\x0e")
    )
    assert answer is not None
    assert answer[:2] == [3, "100000023"]
    assert (session(charger).state, wh(session(charger))) == ("stopped", 1388)


@case("c75", "mikuso/ocpp-rpc#43")
def it_charges_on_after_an_emergency_stop(ground: Ground) -> None:
    """StopTransaction for an EmergencyStop, but it charges on, and stops once more for good."""
    charger = ground.charger("EMG-FIELD75")
    charger.boot()
    charger.status("Preparing", 1, ground.at(-HOUR))
    number = charger.start(10000, ground.at(-HOUR))
    charger.status("Charging", 1, ground.at(-HOUR))
    charger.stop(number, 10050, ground.at(-HOUR + 60), reason="EmergencyStop")
    for place in (1, 2, 3):
        charger.meter(
            ground.at(-HOUR + place * 900), register(10050 + 1000 * place), transaction=number
        )
    charger.stop(number, 14000, ground.at(), reason="Remote")
    total = sum(wh(i) or 0 for i in sessions(charger))
    assert total == 4000 or quarantined(charger), (total,)


@case("c76", "citrineos/citrineos-core#970")
def a_stop_without_a_reason_is_local(ground: Ground) -> None:
    """No reason in StopTransaction: OCPP 1.6 Edition 2, 4.10: assume Local."""
    charger = ground.charger("LOC-FIELD76")
    charger.boot()
    number = charger.start(0, ground.at(-HOUR), tag="ANNA")
    charger.stop(number, 1000, ground.at(), idTag="ANNA")
    assert session(charger).stop_reason in ("", "Local"), session(charger).stop_reason
