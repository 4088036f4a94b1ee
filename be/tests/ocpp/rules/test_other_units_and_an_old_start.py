"""Samples in kWh that say Wh or nothing, and a meterStart of some time before."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.decisions.proposals import find
from tests.ocpp.ledger_chargers import NOW, Charger, at, books, iso

FIGURES = ("energy", "energy_source", "confidence", "flags")
DAY = timedelta(days=1)


def measured(charger: Charger, named: int, rows: Iterable[tuple[float, Any]], **more: Any) -> None:
    """The register at these minutes, with no unit but that of `more`."""
    for minute, value in rows:
        samples = [{"value": str(value), **more}]
        charger.meter(
            named, {"timestamp": iso(at(minute)), "sampledValue": samples}, when=at(minute)
        )


KWH = ((5, "3003.1"), (10, "3003.6"), (15, "3004.2"))


def nothing_to_correct() -> bool:
    return not [item for some in find(NOW - DAY, NOW + DAY, None, None) for item in some]


@pytest.mark.parametrize("unit", [{}, {"unit": "Wh"}])
def test_a_lifetime_register_in_kwh_without_a_unit(charger: Charger, unit: dict[str, str]) -> None:
    """3,004 Wh of the session's register, for 1.2 kWh."""
    started = charger.started(meter=3_003_000)
    for row, wh in zip(KWH, (100, 600, 1200), strict=True):
        measured(charger, started, [row], **unit)
        assert books(started, "energy", "flags") == (Decimal(wh), "samples-in-kwh")
    charger.boot(at(20))
    assert books(started, *FIGURES) == (
        Decimal(1200),
        "samples",
        "medium",
        "samples-in-kwh orphaned",
    )
    assert books(started, "meter_stop") == Decimal(3_004_200)
    assert nothing_to_correct()


@pytest.mark.parametrize(
    ("stop", "figures"),
    [
        (3_004_700, (1700, "registers", "high", "samples-in-kwh")),
        # meterStart once more, nothing, and kWh as well.
        (3_003_000, (1200, "samples", "low", "samples-in-kwh below-samples")),
        (0, (1200, "samples", "low", "samples-in-kwh negative-energy")),
        (3_005, (2000, "samples", "low", "samples-in-kwh negative-energy")),
    ],
)
def test_the_same_with_a_stop(charger: Charger, stop: int, figures: Any) -> None:
    started = charger.started(meter=3_003_000)
    measured(charger, started, KWH)
    charger.stop(started, at(20), stop)
    assert books(started, *FIGURES) == (Decimal(figures[0]), *figures[1:])
    assert nothing_to_correct()


def test_whole_kwh_of_a_lifetime_register(charger: Charger) -> None:
    started = charger.started(meter=3_003_140)
    measured(charger, started, ((5, 3003), (15, 3004), (25, 3006), (35, 3008)))
    charger.boot(at(40))
    assert books(started, *FIGURES[:3]) == (Decimal(4860), "samples", "medium")


def test_a_register_of_the_session_that_passes_a_thousandth_of_the_start(charger: Charger) -> None:
    """Grizzl-E: the second sample, or the first, is 1,222 Wh; the others tell what they are."""
    started = charger.started(meter=1_222_000)
    measured(charger, started, [(9 * number, 611 * number) for number in range(1, 7)])
    charger.boot(at(60))
    assert books(started, "energy", "energy_source") == (Decimal(3666), "session-register")
    second = charger.started(at(61), 1_222_000)
    measured(charger, second, [(61 + 9 * number, 611 * number) for number in range(2, 5)])
    assert books(second, "energy", "flags") == (Decimal(2444), "session-register")


def test_the_register_of_a_new_meter_is_not_taken_for_kwh(charger: Charger) -> None:
    """5 kWh in its life: 5.1 may be what the session has charged."""
    started = charger.started(meter=5000)
    measured(charger, started, ((1, 5.1), (2, 5.4)))
    assert books(started, "energy", "flags") == (Decimal("5.4"), "session-register")


@pytest.mark.parametrize(
    ("minutes", "wh"),
    [
        ((0.1, 5, 10, 30), 5990),
        ((1, 2, 3, 4, 30), 5900),
        ((1.5, 5, 10, 30), 5850),
        ((5, 10, 30), 5500),
    ],
)
def test_a_start_of_an_hour_before_is_not_billed(
    charger: Charger, minutes: Iterable[float], wh: int
) -> None:
    """10 kWh of the session before, high: no connector leads from it to the first sample."""
    started = charger.started(meter=500_000)
    measured(charger, started, [(minute, 510_000 + 100 * minute) for minute in minutes])
    assert books(started, "energy", "flags") == (
        Decimal(wh - 3000),
        "start-contradicted",
    )
    charger.stop(started, at(60), 516_000)
    assert books(started, *FIGURES) == (Decimal(wh), "samples", "low", "start-contradicted")
    assert nothing_to_correct()


def test_the_same_with_the_stop_lost(charger: Charger) -> None:
    started = charger.started(meter=500_000)
    measured(charger, started, [(m, 510_000 + 100 * m) for m in (1.5, 5, 10, 30)])
    charger.boot(at(60))
    assert books(started, *FIGURES) == (
        Decimal(2850),
        "samples",
        "low",
        "start-contradicted orphaned",
    )


@pytest.mark.parametrize(
    ("rows", "stop"),
    [
        # Whole kWh at the start.
        (((0.1, 900), (1, 1000), (2, 1100), (15, 2400)), 3000),
        # DC: full power at first; then the car takes less, or nothing for hours.
        (((1, 5000), (2, 10_000), (10, 40_000), (30, 60_000)), 61_000),
        (((5, 8000), (10, 13_000), (15, 13_100), (200, 13_300)), 13_300),
        (((4, 5300), (8, 8000), (30, 12_000), (60, 15_000)), 15_500),
    ],
)
def test_a_start_that_some_power_leads_from_is_believed(
    charger: Charger, rows: Any, stop: int
) -> None:
    started = charger.started(meter=500_000)
    measured(charger, started, [(minute, 500_000 + wh) for minute, wh in rows])
    charger.stop(started, at(rows[-1][0] + 1), 500_000 + stop)
    energy, source, _, flags = books(started, *FIGURES)
    assert (energy, source) == (Decimal(stop), "registers")
    assert "start-contradicted" not in flags


def test_what_comes_later_at_once_is_measured_by_its_own_times(charger: Charger) -> None:
    """A charger that was off line tells an hour in a second."""
    when = at(90)
    started = charger.started(at(0), 500_000, when=when)
    for minute in (15, 30, 45):
        value = {"value": str(500_000 + 200 * minute), "unit": "Wh"}
        element = {"timestamp": iso(at(minute)), "sampledValue": [value]}
        charger.meter(started, element, when=when)
    charger.stop(started, at(60), 512_000, when=when)
    assert books(started, *FIGURES) == (Decimal(12_000), "registers", "high", "")


@pytest.mark.parametrize(
    ("minute", "stop", "figures"),
    [
        # 34 kWh in five minutes; high, until then.
        (60, 540_000, (40_000, "registers", "medium", "stop-far-off")),
        # The samples of the last two hours were lost.
        (180, 520_000, (20_000, "registers", "high", "")),
        (60, 506_500, (6_500, "registers", "high", "")),
    ],
)
def test_a_stop_far_from_the_samples_is_not_high(
    charger: Charger, minute: float, stop: int, figures: Any
) -> None:
    started = charger.started(meter=500_000)
    measured(charger, started, [(m, 500_000 + 100 * m) for m in (1, 15, 30, 55)])
    charger.stop(started, at(minute), stop)
    assert books(started, *FIGURES) == (Decimal(figures[0]), *figures[1:])
    assert nothing_to_correct()
