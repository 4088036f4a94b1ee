"""A register that may be in kWh, though nothing proves it, is doubted."""

from decimal import Decimal
from typing import Any

import pytest

from tests.ocpp.ledger_chargers import Charger, at, books, iso


def figures(charger: Charger, start: int, rows: Any, minutes: int, stop: int = 1012) -> Any:
    """What a session comes to that so many (minute, register, W) tell of."""
    started = charger.started(meter=start)
    for minute, wh, *watts in rows:
        samples = [{"value": str(wh)}]
        samples += [{"value": str(w), "measurand": "Power.Active.Import"} for w in watts]
        element = {"timestamp": iso(at(minute)), "sampledValue": samples}
        charger.meter(started, element, when=at(minute))
    charger.stop(started, at(minutes), stop)
    return books(started, "energy", "energy_source", "confidence", "flags")


def test_a_register_that_rises_more_slowly_than_any_car_charges_may_be_in_kwh(
    charger: Charger,
) -> None:
    """12 Wh in five hours, or 12 kWh: nothing but the register is told."""
    told = figures(charger, 1000, [(60 * hour, 1000 + 2.4 * hour) for hour in range(1, 5)], 300)
    assert told == (Decimal(12), "registers", "medium", "may-be-kwh")


def test_the_same_without_a_sample(charger: Charger) -> None:
    told = figures(charger, 1000, (), 300)
    assert told == (Decimal(12), "registers", "medium", "may-be-kwh")


@pytest.mark.parametrize(
    ("wh", "rows", "minutes"),
    [
        # Nothing, at no pace.
        (0, [(60, 1000), (120, 1000), (180, 1000)], 300),
        # Somebody has changed their mind.
        (12, (), 5),
        # A car that was full after a while.
        (4000, [(60, 5000), (120, 5000), (180, 5000)], 600),
        # Power says that it waited.
        (12, [(60 * hour, 1000 + 2.4 * hour, 3) for hour in range(1, 5)], 300),
        (12, [(60, 1012, 0), (120, 1012, 0), (180, 1012, 0)], 300),
    ],
)
def test_what_needs_no_second_unit(charger: Charger, wh: int, rows: Any, minutes: int) -> None:
    told = figures(charger, 1000, rows, minutes, 1000 + wh)
    assert told == (Decimal(wh), "registers", "high", "")
