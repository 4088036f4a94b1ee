"""A meterStart of 0 is of a meter that was not read yet, where the samples say so."""

from decimal import Decimal
from typing import Any

from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

FIGURES = ("energy", "energy_source", "confidence", "flags")


def test_the_register_of_the_start_comes_with_the_stop(charger: Charger) -> None:
    """16.7 kWh *high*, of which the meter had 4.4 before."""
    started = charger.started(at(0), 0)
    told: list[dict[str, Any]] = [meter_value(at(0), 4437, context="Transaction.Begin")]
    told.append(meter_value(at(285), 16_724, context="Transaction.End"))
    charger.stop(started, at(285), 16_724, transactionData=told)
    assert books(started, *FIGURES) == (Decimal(12_287), "samples", "low", "start-contradicted")


def test_no_charger_leads_from_0_to_the_first_sample_and_is_so_slow_from_there(
    charger: Charger,
) -> None:
    """91.8 kWh *high*: 65 kWh in eleven minutes are DC, and 2.5 kWh in a quarter are not."""
    started = charger.started(at(0), 0)
    for quarter in range(10):
        minute = 11 + 15 * quarter
        charger.meter(started, meter_value(at(minute), 65_424 + 2_560 * quarter), when=at(minute))
    charger.stop(started, at(160), 90_500)
    energy, source, confidence, flags = books(started, *FIGURES)
    assert (energy, source, confidence) == (Decimal(25_076), "samples", "low")
    assert flags == "start-contradicted"


def test_a_meter_that_is_new_begins_at_0(charger: Charger) -> None:
    started = charger.started(at(0), 0)
    for minute in (15, 30, 45):
        charger.meter(started, meter_value(at(minute), 180 * minute), when=at(minute))
    charger.stop(started, at(60), 10_800)
    assert books(started, *FIGURES) == (Decimal(10_800), "registers", "high", "")


def quarters(charger: Charger, wh: int, watts: int, first: int, count: int) -> int:
    """A session from 0 with a sample each quarter of an hour, at an even power after the first."""
    started = charger.started(at(0), 0)
    for quarter in range(count):
        minute = 15 * (quarter + 1)
        value = wh + first + watts * quarter // 4
        charger.meter(started, meter_value(at(minute), value), when=at(minute))
    minute = 15 * count
    charger.stop(started, at(minute + 0.5), value + watts // 120)
    return started


def test_a_register_that_rises_evenly_rose_no_faster_before_its_first_sample(
    charger: Charger,
) -> None:
    """29.1 kWh *high*, of which the meter had 8: 9.75 kWh in the first quarter, then 1.75."""
    started = quarters(charger, 8_000, 7_000, 1_750, 12)
    energy, source, confidence, flags = books(started, *FIGURES)
    assert (energy, source, confidence) == (Decimal(19_308), "samples", "low")
    assert flags == "start-contradicted"


def test_a_session_may_begin_with_all_that_a_car_takes_and_go_on_with_less(
    charger: Charger,
) -> None:
    """22 kW until another car comes, then 7 kW: a register that counts each session from 0."""
    started = quarters(charger, 0, 7_000, 5_500, 12)
    assert books(started, *FIGURES) == (Decimal(24_808), "registers", "high", "")


def test_a_car_may_take_more_than_ac_all_the_time(charger: Charger) -> None:
    started = quarters(charger, 0, 36_000, 10_500, 4)
    assert books(started, *FIGURES) == (Decimal(37_800), "registers", "high", "")
