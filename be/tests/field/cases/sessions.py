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
