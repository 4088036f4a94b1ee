"""A charger that tells kWh for Wh at start and stop is not billed a thousandth in silence."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.effects import StopTransaction
from levity.ocpp.v16.actions.stop_transaction import stop_transaction
from tests.ocpp.charger import at, wire
from tests.ocpp.states import request, running

REGISTER = "Energy.Active.Import.Register"


def stopped(
    start: int,
    stop: int,
    registers: tuple[tuple[int, str], ...],
    unit: str = "Wh",
    seconds: int = 3600,
    **other: Any,
) -> StopTransaction:
    """The end of a session whose registers come in its stop: (seconds since its start, value)."""
    data = [
        {
            "timestamp": wire(when),
            "sampledValue": [{"value": value, "unit": unit, "measurand": REGISTER}],
        }
        for when, value in registers
    ]
    payload = {
        "transactionId": 7,
        "meterStop": stop,
        "timestamp": wire(seconds),
        "transactionData": data,
    }
    transaction = running(meter_start=Decimal(start), **other)
    response = stop_transaction(
        request("StopTransaction", payload, transaction=transaction, received_at=at(seconds + 1))
    )
    return next(item for item in response.effects if isinstance(item, StopTransaction))


def books(end: StopTransaction) -> tuple[Decimal, str, str, tuple[str, ...]]:
    """What the session's page shows of its energy."""
    return end.energy, end.energy_source, end.confidence, tuple(end.flags or ())


@pytest.mark.parametrize(
    ("start", "stop", "registers", "unit", "wh"),
    [
        (1234, 1242, ((0, "1234000"), (1800, "1238000"), (3600, "1242000")), "Wh", 8000),
        (1234, 1242, ((0, "1234"), (3600, "1242")), "kWh", 8000),
        (1234, 1242, ((3600, "1234.9"), (0, "1242.1")), "kWh", 7200),
        # A meter that is nearly new: its samples could be the session's energy.
        (3, 11, ((0, "3000"), (3600, "11000")), "Wh", 8000),
        (1234, 1234, ((0, "1234100"), (3600, "1234500")), "Wh", 400),
        # A meter that did not answer once.
        (1234, 1242, ((0, "1234000"), (9, "0"), (3600, "1242000")), "Wh", 8000),
    ],
)
def test_samples_count_where_start_and_stop_told_kwh(
    start: int, stop: int, registers: Any, unit: str, wh: int
) -> None:
    """It was 8 Wh, with high confidence, and nobody looked."""
    end = stopped(start, stop, registers, unit)
    assert books(end) == (Decimal(wh), "samples", "low", ("registers-in-kwh",))


@pytest.mark.parametrize(
    "registers",
    [
        ((3600, "1242000"),),
        ((0, "1"), (3600, "1242000")),
        # A quarter of an hour at 11 kW before the end.
        ((0, "1234000"), (2700, "1239200")),
        ((1800, "1238000"),),
    ],
)
def test_without_a_sample_of_both_ends_the_registers_stay_and_are_doubted(registers: Any) -> None:
    """What was charged is not known; a person sees it."""
    end = stopped(1234, 1242, registers)
    assert books(end) == (Decimal(8), "registers", "low", ("registers-in-kwh",))


def test_a_meter_value_on_the_way_shows_it_too() -> None:
    """Its last one stands in the session, its first one does not."""
    known = {"meter_last": Decimal(1242000), "meter_last_at": at(3500), "energy": Decimal(1240766)}
    end = stopped(1234, 1242, (), **known)
    assert books(end) == (Decimal(8), "registers", "low", ("registers-in-kwh",))


@pytest.mark.parametrize(
    ("start", "stop", "registers"),
    [
        # Near zero a thousand times as much is a sample's rounding.
        (0, 1, ((0, "0"), (3600, "1000"))),
        # In kWh it would be 8 MWh in an hour: the samples are the wrong ones.
        (1000, 9000, ((0, "1000000"), (3600, "9000000"))),
        # It rolled over.
        (9999, 5, ((0, "9999000"), (3600, "5000"))),
        (1234, 1242, ()),
        (1234, 1242, ((0, "0"), (3600, "8"))),
    ],
)
def test_what_shows_no_kwh_is_no_kwh(start: int, stop: int, registers: Any) -> None:
    """The flag is for a thousandfold that can be true."""
    assert "registers-in-kwh" not in (stopped(start, stop, registers).flags or ())


@pytest.mark.parametrize("start", [0, 1, 7, 1234, 5_000_000])
def test_a_charger_that_tells_wh_is_never_flagged(start: int) -> None:
    """For every session up to 5 kWh, with samples in Wh and in kWh. (Some Wh in an hour and no
    power may be kWh, whatever it tells.)"""
    for wh in range(0, 5001, 7):
        stop = start + wh
        exact = stopped(start, stop, ((0, str(start)), (3600, str(stop))))
        in_kwh = stopped(
            start, stop, ((0, str(start / 1000)), (3600, str(stop / 1000))), unit="kWh"
        )
        for end in (exact, in_kwh):
            doubted = ("medium", ("may-be-kwh",)) if 0 < wh < 60 else ("high", ())
            assert books(end) == (Decimal(wh), "registers", *doubted)


@pytest.mark.parametrize("location", ["EV", "Outlet"])
def test_phases_and_locations_are_read_as_everywhere(location: str) -> None:
    """The sum of the phases at the outlet is the register; the car's is another meter."""
    rows = [
        {
            "timestamp": wire(when),
            "sampledValue": [
                {"value": part, "measurand": REGISTER, "phase": phase, "location": location}
                for phase in ("L1", "L2")
            ],
        }
        for when, part in ((0, "617000"), (3600, "621000"))
    ]
    payload = {"transactionId": 7, "meterStop": 1242, "timestamp": wire(3600)}
    response = stop_transaction(
        request(
            "StopTransaction",
            {**payload, "transactionData": rows},
            transaction=running(meter_start=Decimal(1234)),
            received_at=at(3601),
        )
    )
    end = next(item for item in response.effects if isinstance(item, StopTransaction))
    told = (Decimal(8000), "samples", "low", ("registers-in-kwh",))
    other = (Decimal(8), "registers", "medium", ("may-be-kwh",))
    assert books(end) == (told if location == "Outlet" else other)
