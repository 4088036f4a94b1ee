"""Samples in kWh of few digits beside Start and Stop in Wh: what is within the last digit is no
contradiction, and what is beyond it is one."""

from collections.abc import Callable
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from levity.ocpp.effects import Sample
from levity.ocpp.models import Transaction
from levity.ocpp.rules.readings import grain_of, registers
from levity.ocpp.rules.sampled import trail_of
from levity.ocpp.store.late_samples import transaction_state
from tests.ocpp.ledger_chargers import NOW, Charger, at, books, iso

FIGURES = ("energy", "energy_source", "confidence", "flags")
Told = Callable[[float], str]


def in_kwh(digits: int, rounding: str = ROUND_HALF_UP) -> Told:
    """The register as such a charger tells it."""
    last = Decimal(1).scaleb(-digits)
    return lambda wh: str((Decimal(int(wh)) / 1000).quantize(last, rounding))


def kwh(minute: float, value: str, power: int = 0, **more: Any) -> dict[str, Any]:
    """One MeterValue with the register in kWh, and the power where there is any."""
    values = [{"value": value, "unit": "kWh", **more}]
    if power:
        values.append({"value": str(power), "unit": "W", "measurand": "Power.Active.Import"})
    return {"timestamp": iso(at(minute)), "sampledValue": values}


class Day:
    """Sessions of one charger, one after another, on a register that goes on."""

    def __init__(self, charger: Charger, told: Told, wh: int = 8_765_432) -> None:
        self.charger, self.told, self.wh, self.minute = charger, told, float(wh), 0.0

    def session(
        self, minutes: float, watts: int, every: float, *, says: bool = True, end: bool = False
    ) -> tuple[int, int]:
        """A session of so many minutes at so many W; its id, and its Wh. `says`: it tells its
        power; `end`: its last sample comes with the stop."""
        began, start = self.minute, int(self.wh)
        started = self.charger.started(at(began), start)
        count = 0
        while count * every <= minutes:
            minute = began + count * every
            self.now(minute, started, watts if says else 0)
            self.wh += watts * min(every, minutes - count * every) / 60
            count += 1
        self.minute += minutes
        stop = int(self.wh)
        last = [kwh(self.minute, self.told(stop), context="Transaction.End")]
        more = {"transactionData": last} if end else {}
        self.charger.stop(started, at(self.minute), stop, **more)
        self.minute += 45
        return started, stop - start

    def now(self, minute: float, started: int, watts: int) -> None:
        """A sample."""
        value = kwh(minute, self.told(self.wh), watts)
        self.charger.meter(started, value, when=at(minute))


@pytest.mark.parametrize("rounding", [ROUND_FLOOR, ROUND_HALF_UP])
@pytest.mark.parametrize("digits", [0, 1, 2])
@pytest.mark.parametrize(
    ("watts", "every"), [(1380, 1), (2300, 5), (22_000, 1), (22_000, 15)], ids=str
)
def test_start_and_stop_count_to_the_wh(
    charger: Charger, digits: int, rounding: str, watts: int, every: int
) -> None:
    day = Day(charger, in_kwh(digits, rounding))
    lasting = (3.4, 31.2, 64.9, 11.7)
    told = [
        day.session(minutes, watts, every, says=number % 2 == 0, end=number > 1)
        for number, minutes in enumerate(lasting)
    ]
    assert [books(started, *FIGURES) for started, _ in told] == [
        (Decimal(wh), "registers", "high", "") for _, wh in told
    ]


def test_a_sample_after_the_stop_is_no_more_than_it_rounds_up(charger: Charger) -> None:
    day = Day(charger, in_kwh(0))
    started, wh = day.session(20, 6_200, 5)
    assert wh % 1000 > 0
    charger.meter(started, kwh(21, "8768"), when=at(21))
    expected = (Decimal(wh), "registers", "high", "samples-after-stop")
    assert books(started, *FIGURES) == expected


@pytest.mark.parametrize("wild", ["8775", "8755"])
def test_a_stop_far_from_whole_kwh_is_still_found(charger: Charger, wild: str) -> None:
    """The samples go on, and Stop says 10 kWh more or less."""
    started = charger.started(NOW, 8_765_432)
    for minute in range(0, 60, 5):
        value = in_kwh(0)(8_765_432 + 120 * minute)
        charger.meter(started, kwh(minute, value, 7200), when=at(minute))
    charger.stop(started, at(60), int(wild) * 1000 + 321)
    energy, source, confidence, flags = books(started, *FIGURES)
    assert (source, confidence) == ("samples", "low")
    assert abs(energy - 7_200) < 1_600
    assert flags


def test_a_wild_sample_between_whole_kwh_is_still_left_out(charger: Charger) -> None:
    started = charger.started(NOW, 8_765_432)
    for minute in range(0, 60, 5):
        wh = 8_765_432 + 120 * minute + (80_000 if minute == 30 else 0)
        charger.meter(started, kwh(minute, in_kwh(0)(wh)), when=at(minute))
    assert books(started, "energy") == Decimal(6_568)
    charger.stop(started, at(60), 8_772_632)
    assert books(started, "energy", "energy_source") == (Decimal(7_200), "registers")


def test_a_register_in_whole_kwh_that_begins_anew_is_seen(charger: Charger) -> None:
    """It falls by a kWh, which no rounding does."""
    started = charger.started(NOW, 0)
    for minute, value in ((5, "0"), (15, "1"), (25, "2"), (35, "0"), (45, "1"), (55, "2")):
        charger.meter(started, kwh(minute, value), when=at(minute))
    assert "register-reset" in books(started, "flags")


@pytest.mark.parametrize(
    ("values", "grain"),
    [
        (("8765", "8766"), 1000),
        (("8765.0", "8765.4"), 100),
        (("8765.400", "8765.800"), 100),
        (("8765", "8765.4", "8766"), 100),
        (("8765.432", "8766.000"), 1),
        (("0", "0.25"), 10),
        (("0.00",), 10),
    ],
)
def test_the_value_with_the_most_digits_shows_how_many_there_are(
    charger: Charger, values: tuple[str, ...], grain: int
) -> None:
    started = charger.started(NOW, int(float(values[0]) * 1000))
    for place, value in enumerate(values):
        charger.meter(started, kwh(5 * place, value), when=at(5 * place))
    trail = trail_of(transaction_state(Transaction.objects.get(pk=started)))
    assert [life.grain for life in trail.lives] == [grain]


def test_wh_are_exact() -> None:
    register = "Energy.Active.Import.Register"
    told = Sample(NOW, register, "8765000", Decimal(8_765_000), "Wh")
    [reading] = registers([told])
    assert reading.grain == 0


def test_the_sum_of_three_phases_is_as_exact_as_each() -> None:
    register = "Energy.Active.Import.Register"
    told = [
        Sample(NOW, register, "8.7", Decimal(8_700), "kWh", phase) for phase in ("L1", "L2", "L3")
    ]
    assert grain_of(Decimal(8_700), "kWh", "8.7") == 100
    [reading] = registers(told)
    assert (reading.value, reading.grain) == (Decimal(26_100), 300)


@pytest.mark.parametrize("rounding", [ROUND_FLOOR, ROUND_HALF_UP])
def test_a_lost_stop_is_found_at_the_next_start_though_the_last_sample_lies_above_it(
    charger: Charger, rounding: str
) -> None:
    told = in_kwh(0, rounding)
    first = charger.started(at(0), 8_765_932)
    for minute in range(5, 60, 5):
        value = kwh(minute, told(8_765_932 + 120 * minute), 7200)
        charger.meter(first, value, when=at(minute))
    second = charger.started(at(120), 8_772_600)
    for minute in range(5, 60, 5):
        value = kwh(120 + minute, told(8_772_600 + 120 * minute), 7200)
        charger.meter(second, value, when=at(120 + minute))
    charger.stop(second, at(180), 8_779_800)
    assert books(first, "energy") == Decimal(6_668)
    assert "neighbours-disagree" not in books(first, "flags")
    assert books(second, *FIGURES) == (Decimal(7_200), "registers", "high", "")


def test_a_stop_with_the_id_0_is_the_running_session_s_though_a_sample_lies_above_it(
    charger: Charger,
) -> None:
    started = charger.started(at(0), 8_765_432)
    for minute in range(5, 65, 5):
        value = kwh(minute, in_kwh(0)(8_765_432 + 120 * minute), 7200)
        charger.meter(started, value, when=at(minute))
    charger.stop(0, at(61), 8_772_640)
    energy, state = books(started, "energy", "state")
    assert (energy, state) == (Decimal(7_208), "stopped")
