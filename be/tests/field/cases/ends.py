"""Start and stop against the samples, and what `correct_meter_values` makes of them."""

from tests.field.catalogue import case
from tests.field.charger import Ground, register
from tests.field.judge import corrections, session, sessions, wh

HOUR = 3600


@case("c08", "citrineos-core#1060")
def a_start_of_0_where_the_meter_was_not_read_yet(ground: Ground) -> None:
    """Iocharger: meterStart 0, then the lifetime register: 83 Wh were charged, not 910 kWh."""
    charger = ground.charger("IOC-FIELD08")
    charger.boot("Iocharger", "IOCAW12-22TE-CRW4", firmwareVersion="25101501")
    number = charger.start(0, ground.at(-1800))
    begin = register(0, "Transaction.Begin")
    charger.meter(ground.at(-1799), begin, transaction=number)
    for after, reading in ((600, 909948), (1200, 909990), (1700, 910020)):
        charger.meter(ground.at(-1800 + after), register(reading), transaction=number)
    charger.stop(number, 910031, ground.at(), reason="EVDisconnected")
    ended = session(charger)
    assert ended.state == "stopped"
    assert wh(ended) in (83, 0)
    assert ended.confidence == "low"
    assert ended.flags


@case("c10", "steve#1264")
def a_stop_that_repeats_the_meter_of_the_start(ground: Ground) -> None:
    """Fronius Wattpilot 40.7: meterStop is meterStart; seven samples rise by 10.01 kWh."""
    charger = ground.charger("WAT-FIELD10")
    charger.boot("Fronius", "Wattpilot", firmwareVersion="40.7")
    number = charger.start(120000, ground.at(-2 * HOUR))
    for place in range(1, 8):
        sample = register(120000 + place * 1430)
        charger.meter(ground.at(-2 * HOUR + place * 900), sample, transaction=number)
    charger.stop(number, 120000, ground.at(-600), reason="EVDisconnected")
    ended = session(charger)
    assert (wh(ended), ended.confidence) == (10010, "low")
    assert ended.flags


@case("c13", "OCPP.Core#47")
def a_dc_charger_of_300_kw_is_believed(ground: Ground) -> None:
    """60 kWh in 15 minutes: high, without a flag, and left alone by correct_meter_values."""
    charger = ground.charger("DC-FIELD13")
    charger.boot("Siemens", "SICHARGE D 300", firmwareVersion="2.1")
    number = charger.start(8000000, ground.at(-900), connector=2, tag="AUTOCHARGE1")
    for minute in range(1, 15):
        charger.meter(
            ground.at(-900 + minute * 60),
            register(8000000 + minute * 4000, location="Outlet"),
            {
                "value": "240000",
                "measurand": "Power.Active.Import",
                "unit": "W",
                "location": "Outlet",
            },
            {"value": "300000", "measurand": "Power.Offered", "unit": "W"},
            {
                "value": str(20 + minute * 4),
                "measurand": "SoC",
                "unit": "Percent",
                "location": "EV",
            },
            transaction=number,
            connector=2,
        )
    charger.stop(number, 8060000, ground.at(), reason="EVDisconnected")
    ended = session(charger)
    assert (wh(ended), ended.confidence, ended.flags) == (60000, "high", "")
    assert corrections(ground, charger) == []


@case("c14", "lbbrhzn/ocpp#1069")
def a_meter_that_runs_on_after_the_stop(ground: Ground) -> None:
    """Wallbox Copper SB: 4 Wh more after the stop; the next session counts from its own start."""
    charger = ground.charger("WBX-FIELD14")
    charger.boot("Wall Box Chargers", "CPB1", firmwareVersion="5.18.18")
    first = charger.start(2254988, ground.at(-HOUR))
    more = {"idTag": "FIELD1", "transactionData": [], "reason": "Local"}
    charger.stop(first, 2259988, ground.at(-HOUR / 2), **more)
    charger.meter(ground.at(-HOUR / 2 + 10), register("2259992.1"))
    second = charger.start(2259992, ground.at(-900))
    charger.meter(ground.at(-880), register("2259992.1"), transaction=second)
    charger.meter(ground.at(-300), register("2260992.1"), transaction=second)
    charger.stop(second, 2261992, ground.at())
    ended = sessions(charger)
    assert [(wh(item), item.confidence) for item in ended] == [(5000, "high"), (2000, "high")]
    assert ended[1].flags == ""
    assert corrections(ground, charger) == []


@case("c15", "evcc#14673")
def samples_that_name_the_session_before(ground: Ground) -> None:
    """EN+: MeterValues with the ended session's id go on into the next session."""
    charger = ground.charger("ENP-FIELD15")
    charger.boot("EN+", "AC007K-BE-24")
    first = charger.start(0, ground.at(-2 * HOUR))
    charger.stop(first, 1100, ground.at(-1.5 * HOUR), reason="EVDisconnected")
    idle = {"value": "0", "measurand": "Power.Active.Import", "unit": "W"}
    for place in range(3):
        after = ground.at(-5000 + place * 300)
        charger.meter(after, register("1100.0"), idle, transaction=first)
    second = charger.start(1100, ground.at(-HOUR))
    charger.meter(ground.at(-HOUR / 2), register("3100.0"), transaction=first)
    charger.stop(second, 5100, ground.at(), reason="EVDisconnected")
    ended = sessions(charger)
    assert [(wh(item), item.state) for item in ended] == [(1100, "stopped"), (4000, "stopped")]
    assert corrections(ground, charger) == []


@case("c10b", "inferred from steve#1264: ends that agree, and samples of another meter")
def samples_of_another_meter_are_not_the_bill(ground: Ground) -> None:
    """The house's meter in the samples, or the total said again for each phase: 7.2 kWh stay."""
    house = [[register(88000000 + place * 2400)] for place in range(1, 7)]
    phases = ("L1", "L2", "L3")
    thrice = [
        [register(3000000 + place * 1200, phase=phase) for phase in phases] for place in range(1, 7)
    ]
    for identity, samples in (("HOUSE-FIELD10", house), ("THRICE-FIELD10", thrice)):
        charger = ground.charger(identity)
        charger.boot()
        number = charger.start(3000000, ground.at(-HOUR))
        for place, item in enumerate(samples, 1):
            charger.meter(ground.at(-HOUR + place * 500), *item, transaction=number)
        charger.stop(number, 3007200, ground.at())
        ended = session(charger)
        assert (wh(ended), ended.energy_source) == (7200, "registers"), identity
        assert (ended.confidence, ended.flags) == ("medium", "start-contradicted below-samples")


@case("c15b", "inferred from evcc#14673: the id of the session before, to the end")
def a_session_that_is_told_with_the_id_of_the_one_before(ground: Ground) -> None:
    """EN+: samples and the stop of the second session name the first; or its stop is lost."""
    for identity, is_lost in (("ENS-FIELD15", False), ("ENL-FIELD15", True)):
        charger = ground.charger(identity)
        charger.boot("EN+", "AC007K-BE-24")
        first = charger.start(0, ground.at(-2 * HOUR))
        charger.stop(first, 1100, ground.at(-1.5 * HOUR), reason="EVDisconnected")
        charger.start(1100, ground.at(-HOUR))
        for place in (1, 2, 3):
            after = ground.at(-HOUR + place * 900)
            charger.meter(after, register(1100 + place * 1000), transaction=first)
        assert wh(sessions(charger)[1]) == 3000
        charger.stop(first, 1100, ground.at(-1.5 * HOUR), reason="EVDisconnected")
        assert sessions(charger)[1].state == "active"
        if is_lost:
            charger.boot("EN+", "AC007K-BE-24")
        else:
            charger.stop(first, 5100, ground.at(), reason="EVDisconnected")
        ended = [(wh(item), item.state) for item in sessions(charger)]
        assert ended == [(1100, "stopped"), (3000, "orphaned") if is_lost else (4000, "stopped")]
        assert corrections(ground, charger) == []


@case("c08b", "inferred from citrineos-core#1060: both ends are wrong")
def a_start_and_a_stop_that_both_are_far_off(ground: Ground) -> None:
    """meterStart 0, meterStop 2^31-1, five samples that rise by 4 kWh in between: 4 kWh, low."""
    charger = ground.charger("BOTH-FIELD08")
    charger.boot("Iocharger", "IOCAW12-22TE-CRW4")
    number = charger.start(0, ground.at(-HOUR))
    for place in range(1, 6):
        sample = register(909000 + place * 1000)
        charger.meter(ground.at(-HOUR + place * 600), sample, transaction=number)
    charger.stop(number, 2147483647, ground.at())
    ended = session(charger)
    assert (wh(ended), ended.confidence) == (4000, "low")
    assert ended.flags == "start-contradicted stop-contradicted"
