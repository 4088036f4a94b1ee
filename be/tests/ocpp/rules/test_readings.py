"""Frames of MeterValues as real chargers send them: which of the samples is the register, now."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.effects import Sample
from levity.ocpp.models import FailedMessage, Message
from levity.ocpp.rules.readings import POWER, newest_power
from tests.kept import Samples
from tests.ocpp.ledger_chargers import Charger, at, books, iso

REGISTER = "Energy.Active.Import.Register"


def element(minute: float, *samples: dict[str, Any]) -> dict[str, Any]:
    """One MeterValue at this minute."""
    return {"timestamp": iso(at(minute)), "sampledValue": list(samples)}


def register(value: Any, **more: Any) -> dict[str, Any]:
    """The import register in Wh."""
    return {"value": str(value), "measurand": REGISTER, "unit": "Wh", **more}


def ends(charger: Charger, started: int, how: str, meter: int) -> None:
    """At minute 60: by its stop, or by a boot, and the car is gone."""
    if how == "with a stop":
        charger.stop(started, at(60), meter)
    else:
        charger.boot(at(60))
        charger.status("Available", at(60))


def grizzl_e(value: str, measurand: str, unit: str) -> dict[str, Any]:
    """lbbrhzn/ocpp#442: each sample has all of it."""
    common = {"context": "Sample.Periodic", "format": "Raw", "location": "Body", "phase": "L1-N"}
    return {**common, "measurand": measurand, "unit": unit, "value": value}


@pytest.mark.parametrize("how", ["with a stop", "stop lost"])
def test_a_grizzl_e_says_body_and_is_heard(charger: Charger, how: str) -> None:
    started = charger.started(meter=4_076_400)
    for number in range(1, 7):
        samples = (
            grizzl_e("16.06", "Current.Import", "A"),
            grizzl_e("3731.06", "Power.Active.Import", "W"),
            grizzl_e(f"{611 * number}.00", REGISTER, "Wh"),
        )
        charger.meter(started, element(9 * number, *samples), when=at(9 * number))
    assert books(started, "energy", "power") == (Decimal(3666), Decimal("3731.06"))
    ends(charger, started, how, 4_080_066)
    assert books(started, "energy") == Decimal(3666)


@pytest.mark.parametrize("how", ["with a stop", "stop lost"])
@pytest.mark.parametrize("base", [157_440, 0])
def test_a_growatt_tells_the_start_again_each_time(charger: Charger, base: int, how: str) -> None:
    """evcc#33256, lbbrhzn/ocpp#1838: the register now, then Transaction.Begin, at one time."""
    started = charger.started(meter=base)
    for minute, wh in ((15, 2000), (30, 4100), (45, 6190)):
        samples = (
            register(base + wh, context="Sample.Periodic", format="Raw"),
            register(base, context="Transaction.Begin", format="Raw"),
            {
                "value": "5.84",
                "context": "Sample.Periodic",
                "measurand": "Current.Import",
                "phase": "L1",
                "unit": "A",
            },
        )
        charger.meter(started, element(minute, *samples), when=at(minute))
    assert books(started, "energy", "flags") == (Decimal(6190), "")
    ends(charger, started, how, base + 6190)
    assert books(started, "energy") == Decimal(6190)


@pytest.mark.parametrize(
    ("location", "believed"),
    [
        ("Outlet", True),
        ("", True),
        ("Body", True),
        ("Cable", True),
        ("Inlet", True),
        ("EV", False),
    ],
)
def test_every_place_but_the_car(charger: Charger, location: str, believed: bool) -> None:
    started = charger.started(meter=1000)
    sample = register(1500, **({"location": location} if location else {}))
    charger.meter(started, element(5, sample), when=at(5))
    assert books(started, "energy") == (Decimal(500) if believed else None)


def test_the_inlet_is_not_meant_where_the_outlet_has_spoken(charger: Charger) -> None:
    """What the station draws, in messages of its own: before the outlet's, between, and after."""
    started = charger.started(meter=1000)
    for minute, wh, place in (
        (5, 900_000, "Inlet"),
        (10, 1500, "Outlet"),
        (15, 900_600, "Inlet"),
        (20, 2000, "Outlet"),
        (25, 901_000, "Inlet"),
    ):
        charger.meter(started, element(minute, register(wh, location=place)), when=at(minute))
    assert books(started, "energy", "meter_last", "flags") == (Decimal(1000), Decimal(2000), "")
    ends(charger, started, "with a stop", 2100)
    assert books(started, "energy", "confidence") == (Decimal(1100), "high")


@pytest.mark.parametrize("order", [1, -1])
def test_the_outlet_is_meant_where_there_are_several_places(charger: Charger, order: int) -> None:
    started = charger.started(meter=1000)
    samples = (
        register(9000, location="Body"),
        register(1500, location="Outlet"),
        register(8000, location="Inlet"),
    )
    charger.meter(started, element(5, *samples[::order]), when=at(5))
    assert books(started, "energy") == Decimal(500)


def test_a_current_without_a_measurand_is_no_energy(charger: Charger) -> None:
    """Alfen Eve Pro, lbbrhzn/ocpp#361: 16 A became the register."""
    started = charger.started(meter=1000)
    for minute, wh in ((5, 2000), (10, 4000)):
        charger.meter(started, element(minute, register(wh)), when=at(minute))
    samples = (
        {"value": "15.630", "context": "Sample.Periodic", "unit": "A"},
        {"value": "16.000", "context": "CurrentMax", "unit": "A"},
    )
    charger.meter(2**63 - 1, element(11, *samples), when=at(11))
    kept = Samples.objects.filter(unit="A").values_list("measurand", "value")
    assert list(kept) == [("Current.Import", Decimal("15.63")), ("Current.Import", Decimal(16))]
    charger.boot(at(12))
    assert books(started, "energy", "meter_stop", "flags") == (
        Decimal(3000),
        Decimal(4000),
        "orphaned",
    )


@pytest.mark.parametrize(
    ("unit", "measurand", "value"),
    [
        ("V", "Voltage", 230),
        ("W", "Power.Active.Import", 230),
        ("kW", "Power.Active.Import", 230_000),
        ("Celsius", "Temperature", 230),
        ("Percent", "SoC", 230),
        ("Wh", REGISTER, 230),
        ("kWh", REGISTER, 230_000),
        ("KWH", REGISTER, 230_000),
        ("", REGISTER, 230),
    ],
)
def test_the_unit_says_what_a_value_without_a_measurand_is(
    charger: Charger, unit: str, measurand: str, value: int
) -> None:
    charger.meter(None, element(5, {"value": "230", "unit": unit}), when=at(5))
    kept = Samples.objects.values_list("measurand", "value", "unit").get()
    assert kept == (measurand, Decimal(value), "kWh" if unit == "KWH" else unit)


def test_a_register_in_amperes_is_none(charger: Charger) -> None:
    started = charger.started(meter=0)
    charger.meter(started, element(5, {**register(16), "unit": "A"}), when=at(5))
    assert books(started, "energy") is None


@pytest.mark.parametrize("how", ["with a stop", "stop lost"])
@pytest.mark.parametrize("apart", [0, 1 / 60, 5 / 60])
def test_phases_of_an_element_each_are_added_up(charger: Charger, apart: float, how: str) -> None:
    """Also where their times are seconds apart, and a session longer than a message."""
    started = charger.started(meter=3000)
    for minute in (10, 20, 30):
        rows = [
            element(minute + number * apart, register(1000 + minute * 100, phase=phase))
            for number, phase in enumerate(("L1", "L2", "L3"))
        ]
        charger.meter(started, *rows, when=at(minute + 1))
    assert books(started, "energy", "flags") == (Decimal(9000), "")
    ends(charger, started, how, 12_000)
    assert books(started, "energy") == Decimal(9000)


def test_two_moments_of_the_phases_in_one_message(charger: Charger) -> None:
    started = charger.started(meter=0)
    rows = [
        element(minute, *(register(wh, phase=phase) for phase in ("L1", "L2", "L3")))
        for minute, wh in ((10, 100), (20, 200), (30, 300))
    ]
    charger.meter(started, *rows, when=at(31))
    assert books(started, "energy") == Decimal(900)


@pytest.mark.parametrize(
    ("phases", "wh"),
    [
        ({"N": 8077}, 8077),
        ({"L1": 8077}, 8077),
        ({"L1": 100, "L2": 200, "L3": 300, "N": 4}, 600),
        ({"L1-N": 100, "L2-N": 200, "L3-N": 300}, 600),
        ({"L1": 100, "L1-N": 100, "L2": 200, "L2-N": 200}, 300),
        # Kathrein KWB-AC35: the total beside them.
        ({"": 650, "L1": 100, "L2": 200, "L3": 300}, 650),
    ],
)
def test_phases_are_added_up_once(charger: Charger, phases: dict[str, int], wh: int) -> None:
    """A zappi tells its register on N (evcc#27206)."""
    started = charger.started(meter=0)
    samples = [register(value, phase=phase) for phase, value in phases.items()]
    charger.meter(started, element(30, *samples), when=at(30))
    assert books(started, "energy") == Decimal(wh)


@pytest.mark.parametrize(
    ("meter_value", "wh"),
    [
        # Huawei SCharger, lbbrhzn/ocpp#1144.
        (element(5, register("2.00", unit="kWh")), 2000),
        ([{**element(5), "sampledValue": register(2000)}], 2000),
        # Vestel EVC04, lbbrhzn/ocpp#466: while it is idle.
        ([element(5)], None),
        ([element(5), element(5, register(2000))], 2000),
        ([element(5, {}, register(2000), {"value": None})], 2000),
        ([element(5, {"measurand": REGISTER}, register(2000))], 2000),
        ([element(5, {**register(7), "unit": {}}, register(2000))], 2000),
        ([7, None, "x", element(5, register(2000))], 2000),
        ([[element(5, register(2000))]], 2000),
        ([{"timestamp": iso(at(5)), **register(2000)}], 2000),
        ([{"sampledValue": [register(2000)]}], 2000),
        ([element(5, register(2000), "x", None, 7)], 2000),  # type: ignore[arg-type]
        ([], None),
        (None, None),
        ("x", None),
        (7, None),
        ({}, None),
    ],
)
def test_meter_values_are_never_refused_for_their_form(
    charger: Charger, meter_value: Any, wh: int | None
) -> None:
    """The good elements beside a bad one count; the frame is kept as it came, and what was odd."""
    started = charger.started(meter=0)
    said = {"connectorId": 1, "transactionId": started, "meterValue": meter_value}
    assert charger.call("MeterValues", said, at(6)) == {}
    assert books(started, "energy") == (None if wh is None else Decimal(wh))
    row = Message.objects.get(action="MeterValues")
    assert row.error_code == ""
    assert not FailedMessage.objects.exists()


@pytest.mark.parametrize(
    "other",
    [
        {"connectorId": None},
        {"connectorId": "one"},
        {"connectorId": -1},
        {"connectorId": 2**63},
        {"connectorId": {}},
        {"connectorId": "1"},
    ],
)
def test_meter_values_that_name_a_session_need_no_connector(charger: Charger, other: Any) -> None:
    started = charger.started(meter=0)
    rows = [element(5, register(2000))]
    said = {"transactionId": started, "meterValue": rows, **other}
    assert charger.call("MeterValues", said, at(6)) == {}
    assert books(started, "energy") == Decimal(2000)
    assert Samples.objects.values_list("connector", flat=True).get() == 1
    assert charger.call("MeterValues", {"meterValue": rows}, at(7)) == {}
    row = Message.objects.filter(action="MeterValues").latest("id")
    assert row.error_description == "payload: connectorId missing"


@pytest.mark.parametrize("data", [element(60, register(6000)), [element(60), 7, [element(60)]]])
def test_a_stop_is_never_held_up_by_the_form_of_its_samples(charger: Charger, data: Any) -> None:
    started = charger.started(meter=1000)
    assert charger.stop(started, at(60), 6000, transactionData=data) == {}
    assert books(started, "state", "energy", "confidence") == ("stopped", Decimal(5000), "high")


def test_a_status_without_an_error_code_is_a_status(charger: Charger) -> None:
    assert charger.call("StatusNotification", {"connectorId": 1, "status": "Charging"}) == {}
    row = Message.objects.get(action="StatusNotification")
    assert (row.error_code, row.error_description) == ("", "payload: errorCode missing")


def test_power_that_no_connector_delivers_is_none() -> None:
    """4294967295 W, a -1 without its sign, was shown as the power that flows."""
    said = [Sample(at(0), POWER, "4294967295", Decimal(4294967295), unit="W")]
    assert newest_power(said) is None
