"""Keeping the line, and what is too large for it."""

import json
from time import monotonic
from typing import Any

from levity.ocpp.models import ChargePoint
from tests.field.catalogue import case
from tests.field.charger import Ground, register
from tests.field.judge import commands, session, wh

HOUR = 3600


@case("c27", "mobilityhouse/ocpp#99")
def pongs_as_text(ground: Ground) -> None:
    """A library that answers pings with the word "pong": what is real is served."""
    charger = ground.charger("PNG-FIELD27")
    charger.boot()
    for _ in range(5):
        charger.say("pong")
    assert "currentTime" in charger.result("Heartbeat", {})


def night(ground: Ground, number: int, step: int) -> dict[str, Any]:
    """A StopTransaction with all samples of eight hours, one every `step` seconds."""
    seconds = 8 * HOUR
    amperes = {"context": "Sample.Periodic", "measurand": "Current.Import", "location": "Outlet"}
    data = [
        {
            "timestamp": ground.at(after - seconds),
            "sampledValue": [
                register(1000 + after),
                *(
                    {**amperes, "value": "16.01", "phase": f"L{phase}", "unit": "A"}
                    for phase in (1, 2, 3)
                ),
            ],
        }
        for after in range(0, seconds, step)
    ]
    return {
        "transactionId": number,
        "meterStop": 1000 + seconds,
        "timestamp": ground.at(),
        "reason": "EVDisconnected",
        "transactionData": data,
    }


@case("c28", "EVerest/libocpp#651", sockets=True)
def all_samples_of_a_night_in_one_stop(ground: Ground) -> None:
    """StopTransaction of 150 kB and of 1.5 MB, of a charger that was here before: on the books."""
    for step, least in ((90, 128 * 1024), (10, 1024 * 1024)):
        charger = ground.charger(f"BIG{step}-FIELD28")
        charger.boot("EVerest", "Box")
        number = charger.start(1000, ground.at(-8 * HOUR))
        charger.meter(ground.at(-60), register(1000 + 8 * HOUR - 60), transaction=number)
        # One that nobody has seen before has 128 KiB, and comes again.
        charger.leave()
        charger.come_back()
        stop = night(ground, number, step)
        assert len(json.dumps(stop)) > least
        charger.result("StopTransaction", stop)
        ended = session(charger)
        assert (ended.state, wh(ended)) == ("stopped", 8 * HOUR), step


@case("c30", "lbbrhzn/ocpp#2080", sockets=True, quick=False)
def a_free2move_needs_a_slow_answer(ground: Ground) -> None:
    """Free2move eProWallbox drops the line when StartTransaction is answered at once."""
    charger = ground.charger("F2M-FIELD30")
    boot = ("Free2move eSolutions", "F2ME.EPROSE01TXX")
    charger.boot(*boot, firmwareVersion="2.9.3")
    slow = {"frame_gap": 1.5, "remote_start_delay": 1.0}
    ChargePoint.objects.filter(identity=charger.identity).update(quirk_overrides=slow)
    charger.leave()
    charger.come_back()
    charger.result("Heartbeat", {})
    charger.status("Preparing", 1, ground.at())
    begun = monotonic()
    charger.start(411462, ground.at(), tag="1964AB070A")
    assert monotonic() - begun >= 0.95


@case("c31", "lbbrhzn/ocpp#2030", in_process=True)
def a_line_that_ends_after_110_seconds_of_silence(ground: Ground) -> None:
    """Ocular, Cloudflare: the line is closed before the first heartbeat, again and again."""
    charger = ground.charger("OCU-FIELD31")
    for _ in range(4):
        told = charger.boot("Somebody", "If a proxy is in front")
        ground.wait(110)
        charger.leave()
        ground.wait(5)
        charger.come_back()
    assert told["interval"] < 100
    told = charger.boot("BS AC EV Charger", "BS-EV07", firmwareVersion="405.3251.0Q03196")
    assert told["interval"] < 100


@case("c32", "lbbrhzn/ocpp#1679, #2030", quick=False)
def a_silent_socket_is_still_a_way(ground: Ground) -> None:
    """Morek EAW: no heartbeat while idle; a command reaches it as long as its socket is open."""
    charger = ground.charger("MOR-FIELD32")
    charger.boot("Morek", "EAW-A007T", firmwareVersion="A0-V2.1.0-beta2")
    charger.status("Available")
    ChargePoint.objects.filter(identity=charger.identity).update(heartbeat_interval=15)
    ground.wait(45)
    wanted = '{"connectorId":1,"idTag":"ANNA"}'
    ground.levity("send_command", charger.identity, "RemoteStartTransaction", wanted)
    ground.wait(3)
    assert charger.asked_to("RemoteStartTransaction") == [{"connectorId": 1, "idTag": "ANNA"}]
    assert commands(charger, "RemoteStartTransaction")[0].state == "answered"


@case("c36", "evcc#14804")
def preparing_twice_is_one_start(ground: Ground) -> None:
    """ZJ Beny says Preparing twice within a second, and again later: one RemoteStart."""
    charger = ground.charger("ZJB-FIELD36")
    charger.boot("ZJBENY", "BCP-B2N-L", firmwareVersion="1.0.23")
    charger.status("Available", 0, ground.at())
    charger.status("Preparing", 1, ground.at(-1))
    charger.status("Preparing", 1, ground.at())
    ground.wait(3)
    charger.status("Preparing", 1, ground.at())
    ground.wait(2)
    assert len(charger.asked_to("RemoteStartTransaction")) == 1
