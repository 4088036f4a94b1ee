"""MeterValues (OCPP 1.6, 4.7)."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.effects import (
    NoteSecurityEvent,
    RecordMeterValues,
    Sample,
    UpdateTransaction,
)
from levity.ocpp.request import Request, Response
from levity.ocpp.v16.actions.meter_values import meter_values
from tests.ocpp.charger import at, wire
from tests.ocpp.states import charge_point, request, running

REGISTER = "Energy.Active.Import.Register"


def measured(*values: dict[str, Any], when: float = 60, **other: Any) -> Request:
    """These sampled values of connector 1."""
    payload = {
        "connectorId": 1,
        "meterValue": [{"timestamp": wire(when), "sampledValue": list(values)}],
    }
    return request("MeterValues", payload, received_at=at(61), **other)


def sample(value: str, number: str | None, measurand: str = REGISTER, **other: Any) -> Sample:
    """One minute after `NOW`."""
    return Sample(at(60), measurand, value, Decimal(number) if number else None, **other)


def test_samples_outside_a_transaction_are_kept() -> None:
    """Clock-aligned ones of an idle connector."""
    assert meter_values(measured({"value": "5"})) == Response(
        {}, (RecordMeterValues(1, None, (sample("5", "5"),)),)
    )


def test_a_session_moves_on_with_its_samples() -> None:
    """Four samples, as most chargers send; energy in kWh, power in W (Easee)."""
    response = meter_values(
        measured(
            {"value": "2.5", "unit": "kWh", "measurand": REGISTER, "context": "Sample.Periodic"},
            {"value": "3300", "unit": "W", "measurand": "Power.Active.Import"},
            {"value": "230", "unit": "V", "measurand": "Voltage", "phase": "L1-N"},
            {"value": "16", "unit": "A", "measurand": "Current.Import", "location": "Outlet"},
            transaction=running(),
        )
    )
    samples = (
        sample("2.5", "2500", unit="kWh", context="Sample.Periodic"),
        sample("3300", "3300", "Power.Active.Import", unit="W"),
        sample("230", "230", "Voltage", unit="V", phase="L1-N"),
        sample("16", "16", "Current.Import", unit="A", location="Outlet"),
    )
    assert response == Response(
        {},
        (
            RecordMeterValues(1, 7, samples),
            UpdateTransaction(
                7,
                meter_last=Decimal(2500),
                meter_last_at=at(60),
                energy=Decimal(1500),
                power=Decimal(3300),
                flags=(),
                lives=(
                    "0,3300,0:0:0:0:0:3300:3300:{2}:;"
                    "2500.000000,{0},{1},2500.000000,{0},2500.000000,{0},{1},1,0,0,0,100"
                ).format(at(60).timestamp(), at(61).timestamp(), int(at(60).timestamp())),
            ),
        ),
    )


def test_the_phases_of_a_register_are_added_up() -> None:
    """Each once; a value without a phase is the sum already."""
    phases = [{"value": "500", "phase": phase} for phase in ("L1", "L2", "L3", "L3")]
    update = meter_values(measured(*phases, transaction=running())).effects[1]
    assert isinstance(update, UpdateTransaction)
    assert update.meter_last == Decimal(1500)
    update = meter_values(measured(*phases, {"value": "1700"}, transaction=running())).effects[1]
    assert isinstance(update, UpdateTransaction)
    assert update.meter_last == Decimal(1700)


def test_what_the_car_says_of_its_battery_is_not_what_it_gets() -> None:
    """Location EV; and signed data is no number."""
    values = (
        {"value": "9999", "location": "EV"},
        {"value": "1234", "format": "SignedData"},
    )
    response = meter_values(measured(*values, transaction=running()))
    assert response.effects == (
        RecordMeterValues(
            1,
            7,
            (
                sample("9999", "9999", location="EV"),
                sample("1234", None, format="SignedData"),
            ),
        ),
    )


def test_a_numeric_value_is_taken_as_one() -> None:
    """OpenEVSE."""
    response = meter_values(measured({"value": 12.5}))
    assert response.effects == (RecordMeterValues(1, None, (sample("12.5", "12.5"),)),)


def test_samples_of_the_running_session_need_no_id() -> None:
    """citrineos#1025."""
    busy = charge_point(active={(0, 1): running()})
    recorded = meter_values(measured({"value": "1500"}, charge_point=busy)).effects[0]
    assert isinstance(recorded, RecordMeterValues)
    assert recorded.transaction_id == 7


def test_another_charge_points_session_gets_nothing() -> None:
    """D-11: and nothing is guessed instead."""
    busy = charge_point(active={(0, 1): running(id=8)})
    theirs = running(charge_point_id=2)
    response = meter_values(measured({"value": "5"}, charge_point=busy, transaction=theirs))
    assert response.effects == (
        NoteSecurityEvent(
            "ForeignTransaction", "MeterValues for transaction 7 of another charge point"
        ),
        RecordMeterValues(1, None, (sample("5", "5"),)),
    )


def test_old_news_moves_nothing() -> None:
    """D-12."""
    moved = running(meter_last=Decimal(2000), meter_last_at=at(120), energy=Decimal(1000))
    response = meter_values(measured({"value": "1500"}, transaction=moved))
    assert response.effects[0] == RecordMeterValues(1, 7, (sample("1500", "1500"),))
    [update] = response.effects[1:]
    assert isinstance(update, UpdateTransaction)
    # It is noted that the register was there; the figures stay.
    assert update == UpdateTransaction(7, lives=update.lives)


def test_after_the_end_it_is_flagged_once() -> None:
    """D-12; lb#2075."""
    over = running(state="stopped", flags="no-start-time")
    response = meter_values(measured({"value": "5"}, transaction=over))
    assert response.effects[1:] == (
        UpdateTransaction(7, flags=("no-start-time", "samples-after-stop")),
    )
    over = running(state="stopped", flags="samples-after-stop")
    assert len(meter_values(measured({"value": "5"}, transaction=over)).effects) == 1


@pytest.mark.parametrize("meter_value", [[], [{}], [{"sampledValue": {}}], ["x"], {}, "x"])
def test_what_holds_no_sample_is_no_trouble(meter_value: Any) -> None:
    """What the schema lets through, or did once."""
    payload = {"connectorId": 1, "meterValue": meter_value}
    assert meter_values(request("MeterValues", payload)) == Response(
        {}, (RecordMeterValues(1, None, ()),)
    )
