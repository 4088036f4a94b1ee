"""Which of all samples is the session's register now."""

from tests.field.catalogue import case
from tests.field.charger import Charger, Ground, register
from tests.field.judge import charge_point, kept, session, sessions, wh

HOUR = 3600


@case("c07", "evcc#33256, lbbrhzn/ocpp#1709, #1466, #1838, evcc#15768")
def a_growatt_tells_the_register_of_the_start_again(ground: Ground) -> None:
    """Growatt THOR: the register twice at one moment, Sample.Periodic before Transaction.Begin."""

    def charged(identity: str, start: int) -> tuple[Charger, int]:
        charger = ground.charger(identity)
        charger.boot("Growatt", "THOR_11AS", firmwareVersion="THOR_11AS-V5.2.8-20230818-NOVO")
        number = charger.start(start, ground.at(-HOUR))
        for place, rise in enumerate((2000, 4100, 6190), 1):
            amperes = {
                "value": "5.84",
                "context": "Sample.Periodic",
                "measurand": "Current.Import",
                "phase": "L1",
                "unit": "A",
            }
            now = register(start + rise, format="Raw")
            then = register(start, "Transaction.Begin", format="Raw")
            charger.meter(ground.at(-HOUR + place * 900), now, then, amperes, transaction=number)
        assert wh(session(charger)) == 6190
        return charger, number

    stopped, number = charged("GRO-FIELD07", 157440)
    stopped.stop(number, 157440 + 6500, ground.at(), reason="Remote")
    assert (wh(session(stopped)), session(stopped).confidence) == (6500, "high")
    lost, _ = charged("GROL-FIELD07", 0)
    lost.boot("Growatt", "THOR_11AS")
    lost.start(0, ground.at(-5))
    first, _ = sessions(lost)
    assert (wh(first), first.state) == (6190, "orphaned")


@case("c38", "evcc#16523, lbbrhzn/ocpp#226, #1943")
def registers_by_phase_are_summed(ground: Ground) -> None:
    """The register of three phases without a total; one phase alone; blanks before the figures."""
    for name, start, total, samples in (
        (
            "PH1",
            826199,
            3000,
            lambda rise: [register(826199 + rise, phase="L1", location="Body", format="Raw")],
        ),
        (
            "PH3",
            3000,
            9000,
            lambda rise: [register(1000 + rise, phase=f"L{n}") for n in (1, 2, 3)],
        ),
        ("PHB", 1000, 3000, lambda rise: [register(f" {1000 + rise}.0", location="Outlet")]),
    ):
        charger = ground.charger(f"{name}-FIELD38")
        charger.boot()
        number = charger.start(start, ground.at(-HOUR))
        for rise in (1000, 2000, 3000):
            charger.meter(ground.at(-HOUR + rise), *samples(rise), transaction=number)
        assert wh(session(charger)) == total, name
        charger.stop(number, start + total, ground.at())
        assert (wh(session(charger)), session(charger).confidence) == (total, "high"), name


@case("c38b", "inferred from Zaptec's element for each measurand")
def phases_a_second_apart_are_one_register(ground: Ground) -> None:
    """A MeterValue for each phase, in one message, a second apart."""
    charger = ground.charger("PHS-FIELD38")
    charger.boot()
    number = charger.start(3000, ground.at(-HOUR))
    for rise in (1000, 2000, 3000):
        values = [
            {
                "timestamp": ground.at(-HOUR + rise + place),
                "sampledValue": [register(1000 + rise, phase=phase)],
            }
            for place, phase in enumerate(("L1", "L2", "L3"))
        ]
        payload = {"connectorId": 1, "transactionId": number, "meterValue": values}
        charger.result("MeterValues", payload)
    assert wh(session(charger)) == 9000
    charger.stop(number, 12000, ground.at())
    assert (wh(session(charger)), session(charger).confidence) == (9000, "high")


@case("c38c", "inferred from Zaptec's element for each measurand")
def phases_of_a_message_each_are_one_register(ground: Ground) -> None:
    """A MeterValues for each phase, a second apart; the stop is lost."""
    charger = ground.charger("PHM-FIELD38")
    charger.boot()
    number = charger.start(3000, ground.at(-HOUR))
    for rise in (1000, 2000, 3000):
        for place, phase in enumerate(("L1", "L2", "L3")):
            sample = register(1000 + rise, phase=phase)
            charger.meter(ground.at(-HOUR + rise + place), sample, transaction=number)
    assert (wh(session(charger)), session(charger).flags) == (9000, "")
    charger.boot()
    charger.start(12000, ground.at(-5))
    first, _ = sessions(charger)
    assert (wh(first), first.state, first.confidence) == (9000, "orphaned", "medium")


OCMF = (
    'OCMF|{"FV":"1.0","GI":"Meter","GS":"0001","PG":"T12","RD":[{"TM":"2026-11-29T10:00:00,000+0100'
    ' S","TX":"B","RV":9000.0,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"}]}|{"SD":"' + "30" * 600 + '"}'
)


@case("c39", "MicroOcpp#419, libocpp#472")
def signed_values_are_kept_and_the_raw_ones_count(ground: Ground) -> None:
    """OCMF beside the raw register, also where it is called Raw."""
    charger = ground.charger("OCM-FIELD39")
    charger.boot("Compleo", "eBOX")
    number = charger.start(9000000, ground.at(-HOUR))
    begin = {"value": OCMF, "format": "SignedData", "context": "Transaction.Begin"}
    end = {**begin, "context": "Transaction.End", "location": "Outlet", "unit": "Wh"}
    raw = register(9000000, "Transaction.Begin", format="Raw")
    charger.meter(ground.at(-HOUR + 10), begin, raw, transaction=number)
    charger.meter(
        ground.at(-HOUR / 2),
        register("9003.5", unit="kWh"),
        register(OCMF, format="SignedData", unit="kWh"),
        {"value": OCMF, "context": "Sample.Periodic"},
        transaction=number,
    )
    assert wh(session(charger)) == 3500
    data = [
        {"timestamp": ground.at(-HOUR + 10), "sampledValue": [begin]},
        {"timestamp": ground.at(), "sampledValue": [end]},
    ]
    charger.stop(number, 9005000, ground.at(), reason="Local", transactionData=data)
    assert (wh(session(charger)), session(charger).confidence) == (5000, "high")
    assert kept(charger) == 7
    assert kept(charger, raw_value__startswith="OCMF", value__isnull=False) == 0


def body(amperes: float, watts: float, so_far: float) -> list[dict[str, str]]:
    """The samples of a Grizzl-E Smart, field by field."""
    common = {"context": "Sample.Periodic", "format": "Raw", "location": "Body", "phase": "L1-N"}
    return [
        {**common, "measurand": "Current.Import", "unit": "A", "value": f"{amperes:.2f}"},
        {**common, "measurand": "Power.Active.Import", "unit": "W", "value": f"{watts:.2f}"},
        {
            **common,
            "measurand": "Energy.Active.Import.Register",
            "unit": "Wh",
            "value": f"{so_far:.2f}",
        },
    ]


@case("c40", "lbbrhzn/ocpp#442, evcc#19351, ev-server#3823")
def the_meter_of_a_grizzl_e_is_in_its_body(ground: Ground) -> None:
    """Grizzl-E Smart: all samples have location Body and count from the session's start."""
    charger = ground.charger("GRB-FIELD40", subprotocols=(), user_agent="TinyWebsockets Client")
    charger.boot(
        "United Chargers",
        "GRS-*",
        chargePointSerialNumber="GRS-4000200002",
        firmwareVersion="05.621",
        meterType="SW",
        iccid="-67",
        imsi="1",
    )
    more = {"info": "Pilot and Charger:C1h", "vendorId": "UC", "vendorErrorCode": "0"}
    charger.status("Charging", 1, ground.at(-HOUR), **more)
    number = charger.start(4076400, ground.at(-HOUR), tag="anonymous")
    for place in range(1, 7):
        samples = body(16.06, 3731.06, 611 * place)
        charger.meter(ground.at(-HOUR + place * 590), *samples, transaction=number)
    running = session(charger)
    assert (wh(running), float(running.power or 0)) == (3666, 3731.06)
    charger.boot("United Chargers", "GRS-*", firmwareVersion="05.621")
    charger.start(4080100, ground.at(-3), tag="anonymous")
    first, _ = sessions(charger)
    # The next start shows 34 Wh more than the last sample.
    assert (wh(first), first.state) == (3700, "orphaned")
    assert charge_point(charger).vendor == "United Chargers"


@case("c41", "evcc#27206")
def the_register_of_a_zappi_is_of_phase_n(ground: Ground) -> None:
    """myenergi zappi: the register with phase N, and nothing else."""
    charger = ground.charger("ZAP-FIELD41")
    charger.boot("myenergi", "zappi")
    number = charger.start(8000, ground.at(-HOUR))
    sample = {
        "value": "8077",
        "measurand": "Energy.Active.Import.Register",
        "phase": "N",
        "unit": "Wh",
    }
    charger.meter(ground.at(-HOUR / 2), sample, transaction=number)
    assert wh(session(charger)) == 77
    charger.stop(number, 8100, ground.at())
    assert wh(session(charger)) == 100


@case("c40b", "inferred from 7.34 to 7.36: words in other letters")
def words_of_the_standard_in_other_letters(ground: Ground) -> None:
    """`outlet`, `inlet`, `transaction.begin` and a measurand in small letters: 3 kWh, stop lost."""
    charger = ground.charger("CASE-FIELD40")
    charger.boot()
    number = charger.start(3000000, ground.at(-HOUR))
    for place in (1, 2, 3):
        measurand = {"measurand": "energy.active.import.register", "unit": "wh"}
        charger.meter(
            ground.at(-HOUR + place * 900),
            {"value": str(3000000 + place * 1000), "location": "outlet", **measurand},
            {"value": "88", "location": "inlet", **measurand},
            {"value": "3000000", "context": "transaction.begin", **measurand},
            transaction=number,
        )
    assert (wh(session(charger)), session(charger).flags) == (3000, "")
    assert kept(charger, measurand="Energy.Active.Import.Register") == 9


@case("c93", "inferred from 7.43: a register in kWh that leaves its unit out")
def a_lifetime_register_in_kwh_without_a_unit(ground: Ground) -> None:
    """meterStart in Wh, the samples in kWh and without a unit, the stop lost."""
    charger = ground.charger("KWH-FIELD93")
    charger.boot()
    number = charger.start(3003000, ground.at(-HOUR))
    for place, value in enumerate(("3003.1", "3003.6", "3004.2"), 1):
        charger.meter(ground.at(-HOUR + place * 300), {"value": value}, transaction=number)
    assert (wh(session(charger)), session(charger).flags) == (1200, "samples-in-kwh")
    charger.boot()
    charger.start(3004300, ground.at(-5))
    first, _ = sessions(charger)
    # The next start shows 100 Wh more than the last sample.
    assert (wh(first), first.energy_source, first.confidence) == (1300, "samples", "medium")


@case("c94", "inferred: a DC charger that sends no meter values")
def dc_without_samples_is_billed(ground: Ground) -> None:
    """50 kWh in twenty minutes, Start and Stop alone."""
    charger = ground.charger("DC-FIELD94")
    charger.boot()
    number = charger.start(500000, ground.at(-1200))
    charger.stop(number, 550000, ground.at())
    it = session(charger)
    assert (wh(it), it.confidence, it.flags) == (50000, "medium", "above-ac")


@case("c95", "inferred from c07: a register of the start that is not of now")
def a_start_of_the_session_before_is_not_billed(ground: Ground) -> None:
    """meterStart is 10 kWh below the first sample of ninety seconds later."""
    charger = ground.charger("OLD-FIELD95")
    charger.boot()
    number = charger.start(500000, ground.at(-HOUR))
    for seconds in (90, 300, 600, 1800):
        charger.meter(ground.at(-HOUR + seconds), register(510000 + seconds), transaction=number)
    charger.stop(number, 513600, ground.at())
    it = session(charger)
    assert (wh(it), it.confidence, it.flags) == (3510, "low", "start-contradicted")
