"""Power times time bounds the energy of a session from both sides."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from tests.ocpp.ledger_chargers import Charger, at, books, iso

FIGURES = ("energy", "energy_source", "confidence", "flags")


def element(minute: float, wh: Any, watts: Any = None, **more: Any) -> dict[str, Any]:
    """The register, with no unit but that of `more`, and the power that flows."""
    samples = [{"value": str(wh), **more}] if wh is not None else []
    if watts is not None:
        samples.append({"value": str(watts), "measurand": "Power.Active.Import", "unit": "W"})
    return {"timestamp": iso(at(minute)), "sampledValue": samples}


def measured(charger: Charger, named: int, rows: Iterable[tuple[Any, ...]], **more: Any) -> None:
    """(minute, register, W)."""
    for minute, *told in rows:
        charger.meter(named, element(minute, *told, **more), when=at(minute))


def figures(charger: Charger, start: Any, rows: Any, minute: float, stop: Any) -> Any:
    started = charger.started(meter=start)
    measured(charger, started, rows)
    charger.stop(started, at(minute), stop)
    return books(started, *FIGURES)


# B7: kWh told as Wh.

IN_KWH = [(60 * hour, 1000 + 2.4 * hour, 2400) for hour in range(1, 5)]


def test_kwh_told_as_wh_are_multiplied_where_power_proves_it(charger: Charger) -> None:
    """12 Wh *high*; 2.4 kW flowed for five hours."""
    told = figures(charger, 1000, IN_KWH, 300, 1012)
    assert told == (Decimal(12_000), "registers", "medium", "registers-in-kwh")


def test_the_same_while_it_runs_and_with_the_stop_lost(charger: Charger) -> None:
    started = charger.started(meter=1000)
    measured(charger, started, IN_KWH[:2])
    assert books(started, "energy", "flags") == (Decimal("4.8"), "power-contradicts")
    measured(charger, started, IN_KWH[2:])
    assert books(started, "energy", "flags") == (Decimal(9600), "registers-in-kwh")
    charger.boot(at(300))
    charger.status("Available", at(300))
    assert books(started, *FIGURES[:3]) == (Decimal(9600), "samples", "medium")


def test_the_same_where_the_current_of_one_phase_is_told(charger: Charger) -> None:
    """2 Wh *high*, though 28.6 A flowed for twenty minutes."""
    started = charger.started(meter=31)
    for minute in range(20):
        told = element(minute, f"{31.65 + 0.1 * minute:.2f}")
        amperes = {"value": "28.6", "measurand": "Current.Import", "unit": "A", "phase": "L1"}
        told["sampledValue"].append(amperes)
        charger.meter(started, told, when=at(minute))
    charger.stop(started, at(20), 33)
    assert books(started, *FIGURES) == (Decimal(2000), "registers", "medium", "registers-in-kwh")


def test_the_same_where_whole_kwh_at_the_ends_say_nothing(charger: Charger) -> None:
    """0.35 kWh between 8110 and 8111: 1 Wh."""
    rows = [(2 * n, f"{8110.98 + 0.04 * n:.2f}", 1318) for n in range(9)]
    energy, source, confidence, flags = figures(charger, 8110, rows, 18, 8111)
    assert (source, confidence) == ("samples", "low")
    assert "registers-in-kwh" in flags.split()
    assert Decimal(320) <= energy <= Decimal(370)


@pytest.mark.parametrize("stop", [0, 1000])
def test_the_same_where_the_stop_is_none(charger: Charger, stop: int) -> None:
    energy, source, confidence, flags = figures(charger, 1000, IN_KWH, 300, stop)
    assert (energy, source, confidence) == (Decimal(9600), "samples", "low")
    assert "registers-in-kwh" in flags.split()


def test_start_and_stop_in_kwh_and_no_register_in_samples(charger: Charger) -> None:
    rows = [(60 * hour, None, 2400) for hour in range(1, 5)]
    told = figures(charger, 1000, rows, 300, 1012)
    assert told == (Decimal(12_000), "registers", "medium", "registers-in-kwh")


def test_start_and_stop_in_kwh_and_samples_in_wh(charger: Charger) -> None:
    """Flagged though the samples tell it: 12 Wh."""
    rows = [(60 * hour, 1_000_000 + 2400 * hour) for hour in range(1, 5)]
    told = figures(charger, 1000, rows, 300, 1012)
    # The samples rise by 7,200; the rest is between whole kWh: 1,400 before, 1,900 after at least.
    assert told == (Decimal(10_500), "samples", "low", "registers-in-kwh")
    told = figures(charger, 1012, [(m + 301, wh + 12_000, 2400) for m, wh in rows], 601, 1024)
    assert told[1:] == ("samples", "medium", "registers-in-kwh")


def test_start_and_stop_in_wh_and_samples_in_kwh(charger: Charger) -> None:
    """A meter of 5 kWh: its samples looked like a register of the session."""
    started = charger.started(meter=5000)
    measured(charger, started, [(15 * n, 5 + 0.6 * n, 2400) for n in range(1, 5)])
    assert books(started, "energy", "flags") == (Decimal(2400), "samples-in-kwh")
    charger.stop(started, at(75), 8000)
    assert books(started, *FIGURES[:3]) == (Decimal(3000), "registers", "high")


@pytest.mark.parametrize("life", [5000, 1_000_000])
def test_samples_in_wh_that_say_kwh(charger: Charger, life: int) -> None:
    """A unit that lies: 300 Wh in twelve hours, 300 kWh by the samples."""
    started = charger.started(meter=life)
    rows = [(60 * n, life + 25 * n, 0 if n > 1 else 600) for n in range(1, 12)]
    measured(charger, started, rows, unit="kWh")
    charger.stop(started, at(720), life + 300)
    energy, source, confidence, _ = books(started, *FIGURES)
    assert (energy, source) == (Decimal(300), "registers")
    assert confidence != "high"


@pytest.mark.parametrize("wh", [1, 2, 7, 30])
@pytest.mark.parametrize(
    "watts",
    [
        [0] * 48,
        [2] * 48,
        [7000] + [0] * 47,
        [0, 7000] + [0] * 46,
        [0, 7000, 0, 7000] + [0] * 44,
    ],
)
def test_an_idle_session_is_never_multiplied(charger: Charger, wh: int, watts: list[int]) -> None:
    """A car that is full: 30 Wh in twelve hours, though 7 kW were seen once."""
    rows = [(15 * n, 50_000 + wh * n // 48, flow) for n, flow in enumerate(watts)]
    energy, source, _, flags = figures(charger, 50_000, rows, 720, 50_000 + wh)
    assert (energy, source) == (Decimal(wh), "registers")
    assert "registers-in-kwh" not in flags


# Contradictions.


def test_a_stale_start_with_the_first_sample_a_quarter_of_an_hour_later(charger: Charger) -> None:
    """16,000 *high* for 6,000: 47 kW before the first sample, 7.2 kW from then on."""
    rows = [(15, 111_800, 7200), (30, 113_600, 7200), (45, 115_400, 7200)]
    told = figures(charger, 100_000, rows, 50, 116_000)
    assert told == (Decimal(4200), "samples", "low", "start-contradicted")


def test_the_same_while_it_runs(charger: Charger) -> None:
    started = charger.started(meter=100_000)
    measured(charger, started, [(15, 111_800, 7200), (30, 113_600, 7200), (45, 115_400, 7200)])
    assert books(started, "energy", "flags") == (Decimal(3600), "start-contradicted")


def test_a_wild_stop(charger: Charger) -> None:
    """200 kWh in seven hours is what 43 kW can; 2.4 kW flowed."""
    rows = [(30 * n, 10_000 + 1200 * n, 2400) for n in range(1, 14)]
    told = figures(charger, 10_000, rows, 420, 226_800)
    assert told == (Decimal(15_600), "samples", "low", "stop-contradicted")


@pytest.mark.parametrize("wild", range(6))
def test_a_wild_sample(charger: Charger, wild: int) -> None:
    """209,000 for 10,000, in twelve hours."""
    rows = [[120 * n, 1000 + 1500 * n, 750] for n in range(1, 7)]
    rows[wild][1] += 200_000
    energy, source, confidence, _ = figures(charger, 1000, rows[:6], 720 + 30, 11_000)
    assert (energy, source) == (Decimal(10_000), "registers")
    assert confidence in ("high", "medium")


@pytest.mark.parametrize("wild", range(4))
def test_a_wild_sample_beside_others_with_power(charger: Charger, wild: int) -> None:
    rows = [[60 * n, 1000 + 2000 * n, 2000] for n in range(1, 5)]
    rows[wild][1] += 40_000
    energy, source, confidence, _ = figures(charger, 1000, rows, 300, 11_000)
    assert (energy, source) == (Decimal(10_000), "registers")
    assert confidence in ("high", "medium")


@pytest.mark.parametrize(
    ("stop", "figure"),
    [
        (6000, (6000, "high", "")),
        (7000, (7000, "high", "")),
        (8200, (8200, "medium", "power-contradicts")),
        (17_000, (17_000, "low", "power-contradicts")),
        (3900, (3900, "medium", "power-contradicts")),
        (1000, (1000, "low", "power-contradicts")),
        (0, (0, "low", "power-contradicts")),
    ],
)
def test_a_register_that_power_contradicts_is_not_high(
    charger: Charger, stop: int, figure: Any
) -> None:
    rows = [(minute, None, 6000) for minute in range(1, 60, 2)]
    energy, confidence, flags = figure
    told = figures(charger, 50_000, rows, 60, 50_000 + stop)
    assert told == (Decimal(energy), "registers", confidence, flags)


@pytest.mark.parametrize(
    "rows",
    [
        # Of which the samples tell is what counts: power that was offered says nothing.
        [(5, None, 7000)],
        [(5, None, 0), (15, None, 0), (30, None, 0)],
        [(5, None, 7.2), (15, None, 7.2), (30, None, 7.2)],
        [(5, None, 11_000), (55, None, 0)],
    ],
)
def test_power_that_says_little_contradicts_nothing(charger: Charger, rows: Any) -> None:
    told = figures(charger, 50_000, rows, 60, 55_000)
    assert told == (Decimal(5000), "registers", "high", "")


# A register that begins anew.


def test_a_reset_that_only_power_shows(charger: Charger) -> None:
    """4,000 *high*: it rose to 3,000, fell to 500, and rose to 5,000."""
    rows = [(20, 3000, 6000), (40, 500, 6000), (60, 2500, 6000)]
    told = figures(charger, 1000, rows, 85, 5000)
    # 2,000 before, 2,000 by power between the samples, 4,500 after.
    assert told == (Decimal(8500), "samples", "low", "register-reset below-samples")


def test_a_loss_of_power_is_no_gap_to_fill(charger: Charger) -> None:
    started = charger.started(meter=1000)
    measured(charger, started, [(10, 2000, 6000), (20, 3000, 6000)])
    charger.boot(at(50))
    charger.status("Charging", at(50))
    measured(charger, started, [(52, 200, 6000), (62, 1200, 6000)])
    charger.stop(started, at(70), 2000)
    assert books(started, *FIGURES[:3]) == (Decimal(4000), "samples", "low")


@pytest.mark.parametrize("power", [None, 6000])
@pytest.mark.parametrize("edge", [0, 10, 25, 35, 55])
def test_a_register_that_was_full_goes_on_from_0(charger: Charger, edge: int, power: Any) -> None:
    """At this minute; the energy is exact."""
    start = 10_000_000 - 100 * edge - 30
    rows = [(n, (start + 100 * n) % 10_000_000, power) for n in (5, 15, 30, 45)]
    told = figures(charger, start, rows, 60, (start + 6000) % 10_000_000)
    assert told == (Decimal(6000), "registers", "medium", "register-rollover")


@pytest.mark.parametrize("digits", range(4, 10))
def test_the_same_without_a_sample(charger: Charger, digits: int) -> None:
    told = figures(charger, 10**digits - 300, [], 60, 700)
    assert told == (Decimal(1000), "registers", "medium", "register-rollover")


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (3000, 500),  # not nearly full
        (9_900_000, 500),  # 100 kWh in an hour
        (9_999_990, 9_999_980),
    ],
)
def test_what_no_time_and_power_lead_over_is_no_rollover(
    charger: Charger, start: int, stop: int
) -> None:
    assert "register-rollover" not in figures(charger, start, [], 60, stop)[3]


def test_a_meter_that_lost_power_has_not_been_full(charger: Charger) -> None:
    started = charger.started(meter=9_999_900)
    charger.boot(at(5))
    charger.status("Charging", at(5))
    charger.stop(started, at(10), 16)
    assert books(started, *FIGURES[:3]) == (Decimal(16), "registers", "low")
    assert "register-reset" in books(started, "flags").split()


def test_a_grizzl_e_whose_start_is_nearly_full_counts_its_session(charger: Charger) -> None:
    """The power says which of both it is."""
    rows = [(10 * n, 100 * n, 600) for n in range(1, 6)]
    started = charger.started(meter=995_000)
    measured(charger, started, rows)
    assert books(started, "energy", "flags") == (Decimal(500), "session-register")
