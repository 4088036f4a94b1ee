"""Which meter a sample is of, as more makes tell it."""

import json

from tests.field.catalogue import case
from tests.field.charger import Ground, register, sampled
from tests.field.judge import kept, quarantined, refusals, session, sessions, wh

HOUR = 3600


@case("c55", "lbbrhzn/ocpp#210, OpenEVSE/openevse_esp32_firmware#335")
def four_elements_of_numbers(ground: Ground) -> None:
    """OpenEVSE 4.1: values are JSON numbers, four elements in a message, no transactionId."""
    charger = ground.charger("OEV-FIELD55")
    charger.boot("OpenEVSE", "OpenEVSE")
    charger.start(604000, ground.at(-HOUR))
    values = [
        {
            "timestamp": ground.at(-240 + i * 60),
            "sampledValue": [
                {"value": 604.213, "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                {"value": 0, "measurand": "Power.Active.Import", "unit": "W"},
            ],
        }
        for i in range(4)
    ]
    charger.result("MeterValues", {"connectorId": 1, "meterValue": values})
    assert kept(charger) == 8
    assert (wh(session(charger)), float(session(charger).power or 0)) == (213, 0)
    assert refusals(charger) == []


@case("c58", "evcc#27686")
def an_idle_amperfied_names_transaction_0(ground: Ground) -> None:
    """Heidelberg Amperfied: an element for each sample, transactionId 0, and nobody charges."""
    charger = ground.charger("HKW-FIELD58")
    charger.boot("Amperfied", "connect.home")
    samples = [
        ("0", "Power.Active.Import", "L1", "W"),
        ("0", "Power.Active.Import", "L2", "W"),
        ("0", "Power.Active.Import", "L3", "W"),
        ("0", "Power.Active.Import", None, "W"),
        ("506121", "Energy.Active.Import.Register", None, "Wh"),
        ("0", "Current.Import", "L1", "A"),
        ("232.519", "Voltage", "L1", "V"),
    ]

    def say(samples, transaction):
        values = [
            {
                "timestamp": ground.at(),
                "sampledValue": [sampled(v, m, u, **({"phase": p} if p else {}))],
            }
            for v, m, p, u in samples
        ]
        charger.result(
            "MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": values}
        )

    say(samples, 0)
    assert sessions(charger) == []
    assert kept(charger, transaction__isnull=True) == 7
    assert quarantined(charger) == []
    charger.start(506121, ground.at())
    ground.wait(60)
    moving = [
        ("3000", "Power.Active.Import", "L1", "W"),
        ("3100", "Power.Active.Import", "L2", "W"),
        ("2900", "Power.Active.Import", "L3", "W"),
        ("9000", "Power.Active.Import", None, "W"),
        ("506271", "Energy.Active.Import.Register", None, "Wh"),
    ]
    say(moving, 0)
    assert (wh(session(charger)), float(session(charger).power or 0)) == (150, 9000)
    charger.stop(0, 506400, ground.at())
    assert (wh(session(charger)), session(charger).state) == (279, "stopped")


@case("c59", "sap-labs-france/ev-dashboard#1817")
def transaction_0_in_kwh_of_the_session(ground: Ground) -> None:
    """transactionId 0 in samples of a running session, and a register of the session in kWh."""
    charger = ground.charger("SAP-FIELD59")
    charger.boot()
    number = charger.start(0, ground.at(-HOUR))
    charger.meter(
        ground.at(-HOUR / 2),
        sampled(
            "5.146", "Energy.Active.Import.Register", "kWh", context="Sample.Periodic", format="Raw"
        ),
        sampled("222.5", "Voltage", "V", context="Sample.Periodic", format="Raw"),
        sampled("32.09", "Current.Import", "A"),
        sampled("21.13", "Power.Active.Import", "kW"),
        transaction=0,
    )
    assert (wh(session(charger)), float(session(charger).power or 0)) == (5146, 21130)
    charger.stop(number, 9000, ground.at())
    assert (wh(session(charger)), session(charger).confidence, session(charger).flags) == (
        9000,
        "high",
        "",
    )


@case("c60", "lbbrhzn/ocpp#374, lbbrhzn/ocpp#919")
def an_abb_tells_its_lifetime_without_an_id(ground: Ground) -> None:
    """ABB Terra AC: the session's register with the id, the lifetime register without one."""
    for identity, start in (("ABBZ-FIELD60", 0), ("ABBL-FIELD60", 4119500)):
        charger = ground.charger(identity)
        charger.boot("ABB", "TACW2241321G0001", firmwareVersion="1.5.2")
        number = charger.start(start, ground.at(-HOUR))
        for place, rise in enumerate((895, 1790, 2700), 1):
            at = -HOUR + place * 900
            charger.meter(ground.at(at), register(rise, format="Raw"), transaction=number)
            charger.meter(ground.at(at + 5), register(4119500 + rise, "Sample.Clock", format="Raw"))
            assert wh(session(charger)) == rise, (
                identity,
                rise,
                wh(session(charger)),
                session(charger).flags,
            )
        charger.stop(number, start + 3600, ground.at())
        assert (wh(session(charger)), session(charger).confidence) == (3600, "high"), session(
            charger
        ).flags
        lost = ground.charger(identity + "L")
        lost.boot("ABB", "TACW2241321G0001", firmwareVersion="1.5.2")
        number = lost.start(start, ground.at(-HOUR))
        for place, rise in enumerate((895, 1790, 2700), 1):
            at = -HOUR + place * 900
            lost.meter(ground.at(at), register(rise, format="Raw"), transaction=number)
            lost.meter(ground.at(at + 5), register(4119500 + rise, "Sample.Clock", format="Raw"))
        lost.boot("ABB", "TACW2241321G0001", firmwareVersion="1.5.2")
        lost.start(start + 2700 if start else 0, ground.at())
        assert wh(sessions(lost)[0]) == 2700


@case("c61", "evcc#30078")
def everything_is_at_the_inlet(ground: Ground) -> None:
    """Fox ESS A7300: every sample has location Inlet."""
    charger = ground.charger("FOX-FIELD61")
    charger.boot("FOXESS", "A7300S1-E-2", firmwareVersion="2.09")
    number = charger.start(551000, ground.at(-HOUR))
    more = {"context": "Trigger", "format": "Raw", "location": "Inlet"}
    charger.meter(
        ground.at(-HOUR / 2),
        sampled("237.06", "Voltage", "V", phase="L1", **more),
        sampled("30.40", "Current.Import", "A", phase="L1", **more),
        sampled("7210", "Power.Active.Import", "W", **more),
        sampled("553810", "Energy.Active.Import.Register", "Wh", **more),
        transaction=number,
    )
    assert (wh(session(charger)), float(session(charger).power or 0)) == (2810, 7210)
    charger.stop(number, 555000, ground.at())
    assert (wh(session(charger)), session(charger).confidence, session(charger).flags) == (
        4000,
        "high",
        "",
    )


@case("c61b", "evcc#15022")
def the_register_is_at_the_inlet_and_the_offer_at_the_outlet(ground: Ground) -> None:
    """Free2move eProWallbox Move: what it offers has location Outlet, what it measures Inlet."""
    charger = ground.charger("F2I-FIELD61")
    charger.boot("Free2move eSolutions", "F2ME.EPROSE01TXX")
    number = charger.start(362761, ground.at(-HOUR))
    more = {"context": "Sample.Periodic", "format": "Raw"}
    charger.meter(
        ground.at(-HOUR / 2),
        sampled("32", "Current.Offered", "A", location="Outlet", **more),
        sampled("365761", "Energy.Active.Import.Register", "Wh", location="Inlet", **more),
        sampled("7100", "Power.Active.Import", "W", location="Inlet", **more),
        sampled("7360", "Power.Offered", "W", location="Outlet", **more),
        transaction=number,
    )
    assert (wh(session(charger)), float(session(charger).power or 0)) == (3000, 7100)
    charger.stop(number, 366761, ground.at())
    assert (wh(session(charger)), session(charger).flags) == (4000, "")


@case("c62", "evcc#15612")
def intervals_are_no_register(ground: Ground) -> None:
    """Entratek Power Dot Pro: Energy.Active.Import.Interval in kWh, and no register at all."""
    charger = ground.charger("ENT-FIELD62")
    charger.boot("Entratek", "Power Dot Pro")
    number = charger.start(5000, ground.at(-HOUR))
    more = {"context": "Sample.Clock", "location": "Outlet"}
    for place in (1, 2, 3):
        charger.meter(
            ground.at(-HOUR + place * 900),
            sampled("15.23", "Current.Import", "A", phase="L1", **more),
            sampled("1.04", "Energy.Active.Import.Interval", "kWh", **more),
            sampled("3615.03", "Power.Active.Import", "W", **more),
            sampled("44.00", "Temperature", "Celsius", context="Sample.Clock", location="Body"),
            transaction=number,
        )
    assert wh(session(charger)) in (None, 0, 3120), wh(session(charger))
    assert float(session(charger).power or 0) == 3615.03
    charger.stop(number, 9000, ground.at())
    assert (wh(session(charger)), session(charger).confidence, session(charger).flags) == (
        4000,
        "high",
        "",
    )


@case("c64", "steve-community/steve#1916")
def registers_of_four_connectors_without_an_id(ground: Ground) -> None:
    """MeterValues without a transactionId: each connector's are its own session's."""
    charger = ground.charger("SC-FIELD64")
    charger.boot()
    charger.start(23476000, ground.at(-HOUR), connector=3)
    charger.start(5669000, ground.at(-HOUR), connector=4, tag="OTHER")
    for connector, value in ((3, "23477368"), (4, "5669513")):
        said = {
            "meterValue": [
                {
                    "timestamp": ground.at(-60),
                    "sampledValue": [sampled(value, "Energy.Active.Import.Register", "Wh")],
                }
            ],
            "connectorId": connector,
        }
        frame = f'[2,\t"001e792a-{connector}",\t"MeterValues",\t{json.dumps(said)}]\t\t\t'
        answer = charger.say(frame)
        assert answer is not None
        assert answer[0] == 3, answer
    assert [wh(item) for item in sessions(charger)] == [1368, 513]


@case("c65", "evcc#15601")
def a_vestel_writes_lines(ground: Ground) -> None:
    """Vestel EVC04: the frame has line breaks, power is told by phase only."""
    charger = ground.charger("EVC-FIELD65")
    charger.boot("VESTEL", "EVC04", firmwareVersion="v3.118.0-1.0.130.0")
    number = charger.start(1540000, ground.at(-HOUR))
    more = {"context": "Trigger", "location": "Outlet"}
    samples = [sampled("1541287", "Energy.Active.Import.Register", "Wh", **more)] + [
        sampled(v, "Power.Active.Import", "W", phase=p, **more)
        for v, p in (("3600", "L1"), ("3590", "L2"), ("3610", "L3"))
    ]
    said = [
        2,
        "c05c9279-4214-480f-acfc-7a4980223370",
        "MeterValues",
        {
            "connectorId": 1,
            "transactionId": number,
            "meterValue": [{"timestamp": ground.at(-600), "sampledValue": samples}],
        },
    ]
    assert charger.say(json.dumps(said, indent=4))[0] == 3
    assert (wh(session(charger)), float(session(charger).power or 0)) == (1287, 10800)


@case("c66", "matth-x/MicroOcpp#387")
def samples_kept_while_the_line_was_down(ground: Ground) -> None:
    """MicroOcpp: the register on phase L1, sent again after each time-out, 30 min late."""
    charger = ground.charger("MOQ-FIELD66")
    charger.boot()
    number = charger.start(0, ground.at(-HOUR))
    for place, value in enumerate(("51.313", "52.441", "53.600"), 1):
        for _ in range(2):
            charger.meter(
                ground.at(-HOUR + place * 600),
                sampled(
                    value,
                    "Energy.Active.Import.Register",
                    "Wh",
                    phase="L1",
                    location="Outlet",
                    context="Sample.Periodic",
                ),
                sampled(
                    "103.000",
                    "Power.Active.Import",
                    "W",
                    phase="L1",
                    location="Outlet",
                    context="Sample.Periodic",
                ),
                transaction=number,
            )
    assert (wh(session(charger)), session(charger).flags) == (53.6, "")
    charger.stop(number, 60, ground.at())
    assert (wh(session(charger)), session(charger).confidence) == (60, "high")


@case("c67", "lbbrhzn/ocpp#1815")
def six_kebas_behind_one_line(ground: Ground) -> None:
    """KEBA M20: six connectors, the register of each minute, and a clock nine seconds ahead."""
    charger = ground.charger("KEB-FIELD67")
    charger.boot("Keba AG", "KC-P40")
    starts = {2: 60000, 3: 51000, 5: 0}
    numbers = {
        c: charger.start(m, ground.at(-HOUR + 9), connector=c, tag=f"T{c}")
        for c, m in starts.items()
    }
    for minute in (1, 2, 3):
        for c, m in starts.items():
            charger.meter(
                ground.at(-HOUR + 9 + minute * 60),
                sampled(
                    f"{m + 200.5 * minute}",
                    "Energy.Active.Import.Register",
                    "Wh",
                    context="Sample.Periodic",
                    format="Raw",
                    location="Outlet",
                ),
                transaction=numbers[c],
                connector=c,
            )
    assert [(wh(i), i.flags) for i in sessions(charger)] == [(601.5, "")] * 3
    for c, m in starts.items():
        charger.stop(numbers[c], m + 1000, ground.at(9))
    assert [(wh(i), i.confidence, i.flags) for i in sessions(charger)] == [(1000, "high", "")] * 3


@case("c68", "ConnectorIO/connectorio-addons#158")
def a_charx_tells_connector_0_each_cycle(ground: Ground) -> None:
    """Phoenix CHARX: idle MeterValues of connector 0; a session beside it stays its own."""
    charger = ground.charger("CHX-FIELD68")
    charger.boot("PHOENIX CONTACT", "CHARX SEC-3100")
    charger.status("Available", 0, ground.at(-HOUR))
    number = charger.start(1000, ground.at(-HOUR))
    for place in (1, 2, 3):
        charger.meter(
            ground.at(-HOUR + place * 900), register(900000 + place, "Sample.Clock"), connector=0
        )
        charger.meter(
            ground.at(-HOUR + place * 900),
            register(1000 + 500 * place, "Sample.Clock"),
            transaction=number,
        )
    assert (wh(session(charger)), session(charger).flags) == (1500, "")
    charger.stop(number, 3000, ground.at())
    assert (wh(session(charger)), session(charger).confidence) == (2000, "high")
    assert kept(charger, transaction__isnull=True) == 3


@case("c79", "evcc#14733, EVBox")
def an_elvi_tells_zeros_beside_its_own_message(ground: Ground) -> None:
    """EVBox: all zeros while its own DataTransfer says it charges: the stop's register counts."""
    charger = ground.charger("EVZ-FIELD79")
    charger.boot("EV-BOX", "G4E-WBW-M7500E")
    number = charger.start(0, ground.at(-HOUR))
    for place in (1, 2):
        charger.meter(
            ground.at(-HOUR + place * 900),
            sampled("0", "Energy.Active.Import.Register", "Wh"),
            sampled("0", "Power.Active.Import", "W"),
            transaction=number,
        )
    charger.result(
        "DataTransfer",
        {
            "vendorId": "EV-BOX",
            "messageId": "evbStatusNotification",
            "data": "1,Charging,NoError,No error.,1,Blue,1,{20,8016,26},{0,0},{C,11904,5964,12208}",
        },
    )
    charger.stop(number, 8016, ground.at())
    assert (wh(session(charger)), session(charger).confidence) == (8016, "high"), session(
        charger
    ).flags


@case("c91", "inferred from evcc#29374: a start whose meter is not known", in_process=True)
def a_start_without_a_meter(ground: Ground) -> None:
    """meterStart is null, empty, NaN or not there: on the books, and the samples are the bill."""
    for name, said in (
        ("NULL", {"meterStart": None}),
        ("EMPTY", {"meterStart": ""}),
        ("NAN", {"meterStart": "NaN"}),
        ("ABSENT", {}),
    ):
        charger = ground.charger(f"{name}-FIELD91")
        charger.boot()
        start = {"connectorId": 1, "idTag": "ANNA", "timestamp": ground.at(), **said}
        number = charger.result("StartTransaction", start)["transactionId"]
        for reading in (7912000, 7914000, 7916000):
            ground.wait(600)
            charger.meter(ground.at(), register(reading), transaction=number)
        assert (wh(session(charger)), session(charger).state) == (4000, "active"), name
        assert "no-meter-start" in session(charger).flags
        ground.wait(600)
        charger.stop(number, 7918000, ground.at())
        ended = session(charger)
        assert (ended.state, wh(ended), ended.confidence) == ("stopped", 6000, "low"), ended.flags
        bare = ground.charger(f"{name}B-FIELD91")
        bare.boot()
        number = bare.result("StartTransaction", start)["transactionId"]
        ground.wait(600)
        bare.stop(number, 7918000, ground.at())
        ended = session(bare)
        assert (ended.state, wh(ended), ended.confidence) == ("stopped", 0, "low"), ended.flags
        assert ended.energy_source == "none"
