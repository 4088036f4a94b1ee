"""Which session is meant."""

from tests.field.catalogue import case
from tests.field.charger import Ground, register
from tests.field.judge import quarantined, session, sessions, wh

HOUR, DAY = 3600, 86400


@case("c12", "lbbrhzn/ocpp#1000")
def an_etrel_has_ids_below_zero(ground: Ground) -> None:
    """Etrel INCH: samples and the stop carry an id of its own, -16."""
    charger = ground.charger("ETR-FIELD12")
    charger.boot("Etrel", "INCH")
    charger.start(10000, ground.at(-HOUR))
    charger.meter(ground.at(-HOUR / 2), register(13000), transaction=-16)
    assert wh(session(charger)) == 3000
    charger.stop(-16, 15000, ground.at(), reason="EVDisconnected")
    assert (wh(session(charger)), session(charger).state) == (5000, "stopped")


@case("c16", "lbbrhzn/ocpp#1749")
def two_starts_and_the_first_id_goes_on(ground: Ground) -> None:
    """Simpson & Partners: two starts 120 s apart, samples and the stop name the first."""
    charger = ground.charger("SIM-FIELD16")
    charger.boot("Simpson & Partners", "Home 7 Plus")
    first = charger.start(50000, ground.at(-2 * HOUR), tag="HOME7")
    charger.start(50000, ground.at(-2 * HOUR + 120), tag="HOME7")
    for place in range(1, 6):
        sample = register(50000 + 1500 * place)
        charger.meter(ground.at(-2 * HOUR + 120 + place * 1200), sample, transaction=first)
    charger.stop(first, 58000, ground.at(), reason="EVDisconnected")
    charger.status("Available", at=ground.at())
    assert sum(wh(item) or 0 for item in sessions(charger)) == 8000
    assert [item.state for item in sessions(charger) if item.state == "active"] == []


@case("c17", "goecharger/go-eCharger-API-v2#106")
def a_stop_dated_before_its_start(ground: Ground) -> None:
    """go-e V4: a start dated 11 minutes ahead, then a stop for -1 at the right time."""
    charger = ground.charger("GOE-FIELD17")
    charger.boot("go-e", "go-eCharger_V4", firmwareVersion="054.7")
    charger.start(8016, ground.at(655), tag="TEST")
    charger.stop(-1, 8016, ground.at())
    ended = session(charger)
    assert (ended.state, wh(ended)) == ("stopped", 0)
    assert "start-clock-ahead" in ended.flags
    assert quarantined(charger) == []


@case("c18", "lbbrhzn/ocpp#1803, evcc#14609")
def a_stop_of_three_days_ago_for_a_former_back_end(ground: Ground) -> None:
    """Sigenergy: a queued stop whose old id is by chance the one of the session that runs."""
    charger = ground.charger("OLD-FIELD18")
    charger.boot("Sigenergy", "EVDC 25", firmwareVersion="V100R001")
    number = charger.start(300000, ground.at(-HOUR), tag="ANNA")
    charger.meter(ground.at(-HOUR / 2), register(305000), transaction=number)
    charger.stop(number, 250390, ground.at(-3 * DAY), idTag="X16WG99J2QIEGCC0MCJ5-")
    assert (session(charger).state, wh(session(charger))) == ("active", 5000)
    assert len(quarantined(charger)) == 1
    charger.meter(ground.at(-600), register(308000), transaction=number)
    charger.stop(number, 310000, ground.at(), idTag="ANNA")
    ended = session(charger)
    assert (ended.state, wh(ended), ended.confidence) == ("stopped", 10000, "high")
    assert len(quarantined(charger)) == 1


@case("c19", "ConnectorIO/connectorio-addons#199")
def stops_without_any_start(ground: Ground) -> None:
    """Wallbox in free-charging mode: stops only, of transactions that nobody started here."""
    charger = ground.charger("WFR-FIELD19")
    charger.boot("Wall Box Chargers", "PLP1")
    for place in range(3):
        stopped = ground.at(-60 * place)
        charger.stop(1936029036 + place, 37645 + place, stopped, reason="EVDisconnected")
    assert len(quarantined(charger)) == 3
    assert sessions(charger) == []


@case("c35", "OCPP.Core#55, evcc#14579, #6817, lbbrhzn/ocpp#1747")
def three_sockets_at_once_and_one_tag(ground: Ground) -> None:
    """Hager's connector 4, Authorize with a connectorId, samples of connector 0 that touch none."""
    charger = ground.charger("TRI-FIELD35")
    charger.boot("Hager", "Witty Park")
    for connector in range(5):
        charger.status("Available", connector, ground.at())
    charger.result("Authorize", {"idTag": "ABCD1234", "connectorId": 4})
    meters = {1: 1000, 2: 50000, 4: 51880}
    numbers = {
        connector: charger.start(meter, ground.at(-HOUR), connector=connector, tag="ABCD1234")
        for connector, meter in meters.items()
    }
    assert len(set(numbers.values())) == 3
    for connector, meter in meters.items():
        sample = register(meter + 1000 * connector)
        where = {"transaction": numbers[connector], "connector": connector}
        charger.meter(ground.at(-HOUR / 2), sample, **where)
    idle = {
        "value": "0",
        "context": "Trigger",
        "format": "Raw",
        "measurand": "Power.Active.Import",
        "phase": "L1",
        "unit": "W",
    }
    of_the_house = register(139, "Trigger", format="Raw")
    charger.meter(ground.at(-1700), idle, of_the_house, connector=0)
    charger.stop(numbers[4], 51880 + 8000, ground.at(), reason="EVDisconnected")
    by_connector = {item.connector: item for item in sessions(charger)}
    assert {
        number: (item.state, wh(item), item.flags) for number, item in by_connector.items()
    } == {
        1: ("active", 1000, ""),
        2: ("active", 2000, ""),
        4: ("stopped", 8000, ""),
    }


@case("c37", "evcc#25069, lbbrhzn/ocpp#336, evcc#20881")
def a_boot_that_is_no_reboot(ground: Ground) -> None:
    """EN+ and ABB on a mobile network: BootNotification at each reconnect, and it charges on."""
    charger = ground.charger("RBT-FIELD37")
    charger.boot("EN Plus", "AC011K")
    charger.status("Preparing", 1, ground.at())
    number = charger.start(5000, ground.at(-HOUR))
    charger.status("Charging", 1, ground.at())
    for _ in range(2):
        charger.leave()
        charger.come_back()
        charger.boot("EN Plus", "AC011K")
        charger.status("Charging", 1, ground.at())
        assert session(charger).state == "active"
    charger.stop(number, 9000, ground.at(), reason="EVDisconnected")
    ended = session(charger)
    assert (ended.state, wh(ended), ended.confidence) == ("stopped", 4000, "high")


@case("c18b", "inferred from lbbrhzn/ocpp#1803: the same card, and a meter that says nothing")
def a_stop_of_three_days_ago_with_the_same_card(ground: Ground) -> None:
    """A home with one card: the old stop ends where today's session begins, or says 0."""
    for identity, meter_stop, reached in (("ONE-FIELD18", 300000, None), ("NIL-FIELD18", 0, 5000)):
        charger = ground.charger(identity)
        charger.boot("Sigenergy", "EVDC 25", firmwareVersion="V100R001")
        number = charger.start(300000, ground.at(-HOUR), tag="ANNA")
        if reached:
            sample = register(300000 + reached)
            charger.meter(ground.at(-HOUR / 2), sample, transaction=number)
        charger.stop(number, meter_stop, ground.at(-3 * DAY), idTag="ANNA")
        assert session(charger).state == "active", identity
        assert len(quarantined(charger)) == 1
        charger.stop(number, 310000, ground.at(), idTag="ANNA")
        ended = session(charger)
        assert (ended.state, wh(ended), ended.confidence) == ("stopped", 10000, "high")


@case("c18c", "inferred from lbbrhzn/ocpp#1803: a clock that was set back in a session")
def a_stop_dated_before_its_start_that_goes_on_from_it(ground: Ground) -> None:
    """The clock lost 20 hours, but the register has risen: this is the session's own end."""
    charger = ground.charger("SET-FIELD18")
    charger.boot()
    number = charger.start(300000, ground.at(-HOUR), tag="ANNA")
    charger.stop(number, 302000, ground.at(-20 * HOUR), idTag="ANNA")
    assert (session(charger).state, wh(session(charger))) == ("stopped", 2000)


@case("c36b", "inferred from evcc#14804: the stop of the session before is lost", in_process=True)
def the_next_car_is_started_though_a_stop_was_lost(ground: Ground) -> None:
    """Available, then Preparing: the session of before is over, and a late stop still counts."""
    charger = ground.charger("NEXT-FIELD36")
    charger.boot()
    charger.status("Available", 1, ground.at())
    number = charger.start(3000, ground.at(), tag="ANNA")
    charger.status("Preparing", 1, ground.at())
    charger.status("Charging", 1, ground.at())
    ground.wait(600)
    assert charger.asked_to("RemoteStartTransaction") == []
    charger.meter(ground.at(), register(4000), transaction=number)
    charger.status("Available", 1, ground.at())
    ground.wait(60)
    assert session(charger).state == "active"
    charger.status("Preparing", 1, ground.at())
    ground.wait(5)
    assert len(charger.asked_to("RemoteStartTransaction")) == 1
    assert (session(charger).state, wh(session(charger))) == ("orphaned", 1000)
    charger.start(4200, ground.at(), tag="anonymous")
    charger.stop(number, 4100, ground.at(-70), idTag="ANNA")
    first, second = sessions(charger)
    assert (wh(first), first.state, first.flags) == (1100, "stopped", "late-stop")
    assert second.state == "active"


@case("c36c", "inferred: statuses that were kept come after the start")
def old_statuses_after_the_start_end_nothing(ground: Ground) -> None:
    """Available and Preparing of before the session, told after its start: it runs on."""
    charger = ground.charger("LATE-FIELD36")
    charger.boot()
    charger.start(3000, ground.at(-60), tag="ANNA")
    charger.status("Available", 1, ground.at(-300))
    charger.status("Preparing", 1, ground.at(-70))
    charger.status("Charging", 1, ground.at(-59))
    ground.wait(5)
    assert session(charger).state == "active"
    assert charger.asked_to("RemoteStartTransaction") == []
