"""What chargers say beside the sessions, and what they can bear to be asked."""

import json

from tests.field.catalogue import case
from tests.field.charger import Ground, register, sampled
from tests.field.judge import kept, nothing_failed, session, sessions, status, wh

HOUR = 3600


@case("c57", "steve-community/steve#1347")
def a_queue_of_hours_whose_tag_is_the_serial(ground: Ground) -> None:
    """Alfen: after its boot a start of three hours ago with its own serial as the tag."""
    charger = ground.charger("ALF-FIELD57")
    charger.boot(
        "Alfen BV",
        "NG910-60023",
        chargePointSerialNumber="ACE0177000",
        firmwareVersion="6.5.0-4217",
    )
    number = charger.start(2145278, ground.at(-3 * HOUR - 300), tag="ACE0177000")
    charger.meter(ground.at(-2 * HOUR), register(2147278), transaction=number)
    charger.stop(number, 2149278, ground.at(-HOUR), idTag="ACE0177000")
    ended = session(charger)
    assert (ended.state, wh(ended), ended.confidence, ended.flags) == ("stopped", 4000, "high", "")
    assert ended.id_tag == "ACE0177000"


@case("c70", "matth-x/MicroOcpp#363", in_process=True)
def preparing_without_a_car(ground: Ground) -> None:
    """Preparing after each boot, and every RemoteStart is rejected: no storm of commands."""
    charger = ground.charger("PRE-FIELD70", {"RemoteStartTransaction": {"status": "Rejected"}})
    charger.boot("ABCD", "AC", chargePointSerialNumber="ABCD", firmwareVersion="0.0.7")
    charger.status("Available", 0, ground.at())
    charger.status("Preparing", 1, ground.at())
    ground.wait(60)
    ground.wait(600)
    assert 1 <= len(charger.asked_to("RemoteStartTransaction")) <= 3
    nothing_failed(charger)


@case("c73", "lbbrhzn/ocpp#1510, #1414")
def nothing_is_asked_before_the_boot(ground: Ground) -> None:
    """Wallbox Pulsar Max: it leaves when it is asked something before its BootNotification."""
    charger = ground.charger("PLM-FIELD73")
    ground.wait(2)
    assert charger.asked == []
    charger.boot(
        "Wall Box Chargers",
        "PLP2-M-2-4",
        chargePointSerialNumber="530000",
        meterType="Internal NON compliant",
        meterSerialNumber="",
        iccid="",
        chargeBoxSerialNumber="530000",
        firmwareVersion="6.6.12",
        imsi="",
    )


@case("c74", "lbbrhzn/ocpp#649")
def statuses_without_a_boot(ground: Ground) -> None:
    """Wallbox: reconnects and says its statuses in several lines, without a boot."""
    charger = ground.charger("WBN-FIELD74")
    said = {
        "info": "",
        "vendorId": "com.wallbox",
        "vendorErrorCode": "",
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Available",
        "timestamp": ground.at(-1),
    }
    text = (
        '[2,"888482339","StatusNotification",\n{\n'
        + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in said.items())
        + "\n}\n]"
    )
    assert charger.say(text) == [3, "888482339", {}]
    assert status(charger) == "Available"


@case("c77", "lbbrhzn/ocpp#45, lorenzodonini/ocpp-go#188")
def an_idle_alfen_names_no_transaction(ground: Ground) -> None:
    """Alfen 2021: 2^63-1 while nobody charges, phases L1-L2, L2-L3 and L3-L1."""
    charger = ground.charger("ALI-FIELD77")
    charger.boot("Alfen BV", "NG920")
    more = {"context": "Sample.Periodic", "location": "Outlet"}
    charger.meter(
        ground.at(),
        sampled("0.000", "Current.Import", "A", phase="L1", **more),
        sampled("394.800", "Voltage", "V", phase="L2-L3", **more),
        sampled("397.500", "Voltage", "V", phase="L3-L1", **more),
        transaction=9223372036854775807,
    )
    assert kept(charger) == 3
    assert sessions(charger) == []


@case("c78", "mobilityhouse/ocpp#462")
def a_data_transfer_whose_data_is_an_object(ground: Ground) -> None:
    """DataTransfer: data is an object, not a string."""
    charger = ground.charger("BTC-FIELD78")
    charger.boot()
    said = charger.result(
        "DataTransfer",
        {"vendorId": "btc", "messageId": "stationMode", "data": {"StationMode": "paymentMode"}},
    )
    assert said["status"] in ("Accepted", "UnknownVendorId", "UnknownMessageId", "Rejected")
    for data in (["a"], 5, None, True):
        assert charger.call("DataTransfer", {"vendorId": "btc", "data": data})[0] == 3
