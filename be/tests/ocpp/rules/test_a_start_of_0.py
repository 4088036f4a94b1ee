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
