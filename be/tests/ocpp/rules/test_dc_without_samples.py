"""What a charger of which no power is known may have delivered: AC stops at 43 kW, DC does not."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import ChargePoint, QuarantinedMessage
from levity.ocpp.models.transaction import PLAUSIBLE, Transaction
from tests.ocpp.ledger_chargers import Charger, at, books, iso, meter_value

FIGURES = ("energy", "energy_source", "confidence", "flags")
BELIEVED = (Decimal(50_000), "registers", "medium", "above-ac")
DOUBTED = (Decimal(50_000), "registers", "low", "implausible-energy")


def element(minute: float, measurand: str, value: Any, unit: str) -> dict[str, Any]:
    """One value at this minute."""
    sample = {"value": str(value), "measurand": measurand, "unit": unit}
    return {"timestamp": iso(at(minute)), "sampledValue": [sample]}


def test_50_kwh_in_20_minutes_are_what_dc_delivers(charger: Charger) -> None:
    """They were implausible, and in no total."""
    started = charger.started(meter=500_000)
    charger.stop(started, at(20), 550_000)
    assert books(started, *FIGURES) == BELIEVED
    assert Transaction.objects.filter(PLAUSIBLE).exists()


@pytest.mark.parametrize(
    "rows",
    [
        ((0, 500_000), (20, 550_000)),
        ((20, 550_000),),
        ((10, 525_000),),
        ((7, 517_500), (14, 535_000)),
        ((0.1, 500_000), (10, 530_000)),
    ],
)
@pytest.mark.parametrize("in_stop", [True, False])
def test_the_same_where_few_samples_say_it_too(
    charger: Charger, rows: tuple[tuple[float, int], ...], in_stop: bool
) -> None:
    """Begin and end in the stop: 0 Wh, until then."""
    started = charger.started(meter=500_000)
    values = [meter_value(at(minute), wh) for minute, wh in rows]
    if in_stop:
        charger.stop(started, at(20), 550_000, transactionData=values)
    else:
        for (minute, _), value in zip(rows, values, strict=True):
            charger.meter(started, value, when=at(minute))
        charger.stop(started, at(20), 550_000)
    assert books(started, *FIGURES) == BELIEVED


@pytest.mark.parametrize(("count", "figures"), [(1, BELIEVED), (2, (*BELIEVED[:2], "high", ""))])
def test_power_that_is_offered_is_learned_without_a_register(
    charger: Charger, count: int, figures: Any
) -> None:
    """Told twice it is known, though no message has the register."""
    started = charger.started(meter=500_000)
    for minute in range(1, count + 1):
        charger.meter(started, element(minute, "Power.Offered", 150, "kW"), when=at(minute))
    charger.stop(started, at(20), 550_000)
    assert books(started, *FIGURES) == figures


def test_power_that_flows_as_ac_does_is_known(charger: Charger) -> None:
    started = charger.started(meter=500_000)
    for minute in (2, 4, 8):
        charger.meter(started, element(minute, "Power.Active.Import", 7, "kW"), when=at(minute))
    charger.stop(started, at(20), 550_000)
    assert books(started, *FIGURES) == DOUBTED


def test_power_in_kw_without_a_unit_is_no_power_of_ac(charger: Charger) -> None:
    """150 W, as it looks."""
    started = charger.started(meter=500_000)
    for minute in (2, 4, 8):
        charger.meter(started, element(minute, "Power.Active.Import", 150, ""), when=at(minute))
    charger.stop(started, at(20), 550_000)
    assert books(started, *FIGURES) == BELIEVED


@pytest.mark.parametrize(
    ("stop", "wh", "confidence", "flags"),
    [
        (3_010, 7000, "medium", "registers-in-kwh"),
        # Nothing was charged, though 7 kW flowed for 50 minutes.
        (3_003, 0, "low", "power-contradicts"),
        (10_003, 7000, "high", ""),
    ],
)
def test_both_ends_in_kwh_are_held_against_the_power(
    charger: Charger, stop: int, wh: int, confidence: str, flags: str
) -> None:
    """7 Wh in an hour of 7 kW: high, until then."""
    started = charger.started(meter=3003)
    for minute in (5, 30, 55):
        charger.meter(started, element(minute, "Power.Active.Import", 7, "kW"), when=at(minute))
    charger.stop(started, at(60), stop)
    told = (Decimal(wh), "registers", confidence, flags)
    assert books(started, *FIGURES) == told


@pytest.mark.parametrize("by", ["charge point", "setting"])
def test_what_somebody_has_said_is_the_limit(charger: Charger, settings: Any, by: str) -> None:
    if by == "setting":
        settings.OCPP_MAX_POWER = 50_000
    else:
        ChargePoint.objects.update(max_power=43_000)
    started = charger.started(meter=500_000)
    charger.stop(started, at(20), 550_000)
    assert books(started, *FIGURES) == DOUBTED


@pytest.mark.parametrize(
    ("start", "minutes", "stop"),
    [
        (0, 20, 150_000),  # 450 kW
        (0, 180, 910_031),  # the life of a meter that was not read at the start
    ],
)
def test_what_no_car_takes_is_not_believed(
    charger: Charger, start: int, minutes: float, stop: int
) -> None:
    started = charger.started(meter=start)
    charger.stop(started, at(minutes), stop)
    assert books(started, "confidence", "flags") == ("low", "implausible-energy")


@pytest.mark.parametrize(
    "rows",
    [
        # The meter was read late: all of it in one step, and hardly any afterwards.
        ((10, 50_000),),
        ((0, 0), (10, 50_000), (20, 50_040), (28, 50_070)),
    ],
)
def test_a_jump_is_no_dc(charger: Charger, rows: tuple[tuple[float, int], ...]) -> None:
    started = charger.started(meter=0)
    for minute, wh in rows:
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    charger.stop(started, at(30), 50_080)
    assert "above-ac" not in books(started, "flags")
    assert books(started, "confidence") == "low"


def test_the_stop_finds_its_session(charger: Charger) -> None:
    """It comes before its start, and names no id of ours."""
    charger.stop(-1, at(20), 550_000, idTag="tag")
    assert QuarantinedMessage.objects.filter(resolved_at=None).exists()
    started = charger.started(at(0), 500_000, when=at(21))
    assert books(started, "state", "energy", "confidence") == ("stopped", Decimal(50_000), "medium")
