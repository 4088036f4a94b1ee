"""What a connector is billed is never more than its meter moved, each with its smallest case."""

from decimal import Decimal
from typing import Any

from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

FIGURES = ("energy", "energy_source", "confidence", "flags")


def measure(charger: Charger, named: int, *told: tuple[float, int], **more: Any) -> None:
    """(minute, Wh)"""
    for minute, wh in told:
        charger.meter(named, meter_value(at(minute), wh, **more), when=at(minute))


def test_a_last_sample_that_is_far_off_does_not_count_where_no_stop_follows(
    charger: Charger,
) -> None:
    """33,000 Wh *medium*: its register counts each session, so no next start tells."""
    started = charger.started(at(0), 0, idTag="ANNA")
    measure(charger, started, (15, 1000), (30, 2000), (45, 3000), (60, 34_000))
    charger.start(at(90), 0, idTag="BOB")
    assert books(started, *FIGURES, "meter_stop") == (
        *(Decimal(3000), "samples", "low", "orphaned"),
        Decimal(3000),
    )


def test_a_car_that_charges_late_is_no_sample_that_is_far_off(charger: Charger) -> None:
    started = charger.started(at(0), 0, idTag="ANNA")
    measure(charger, started, (15, 0), (30, 0), (45, 0), (60, 5000))
    charger.start(at(90), 0, idTag="BOB")
    assert books(started, *FIGURES) == (Decimal(5000), "samples", "medium", "orphaned")


def test_the_next_start_tells_what_a_last_sample_that_was_far_off_did_not(
    charger: Charger,
) -> None:
    started = charger.started(at(0), 100_000, idTag="ANNA")
    measure(charger, started, (15, 101_000), (30, 102_000), (45, 103_000), (60, 134_000))
    charger.start(at(70), 104_500, idTag="BOB")
    assert books(started, *FIGURES, "meter_stop") == (
        *(Decimal(4500), "samples", "low", "orphaned ends-at-next-start"),
        Decimal(104_500),
    )


def test_a_start_that_leads_to_its_samples_less_well_than_the_last_stop(charger: Charger) -> None:
    """122,353 Wh *high*: 1508 of them were the session's before; meterStart was another meter's."""
    before = charger.started(at(-200), 2_168_602)
    charger.stop(before, at(-100), 2_221_104)
    started = charger.started(at(0), 2_219_596)
    measure(charger, started, (13, 2_225_227), (28, 2_230_360), (43, 2_235_470))
    charger.stop(started, at(50), 2_237_900)
    assert books(started, *FIGURES) == (
        *(Decimal(16_796), "registers", "medium", "starts-at-last-stop"),
    )
    assert books(before, "energy", "confidence") == (Decimal(52_502), "high")


def test_a_register_that_is_dated_as_the_start_is_where_it_began(charger: Charger) -> None:
    """61,461 Wh: what the register showed at the start was taken for what it had counted since."""
    started = charger.started(at(0), 4_295_677_157)
    told = [
        meter_value(at(0), 56_784, context="Transaction.Begin"),
        meter_value(at(275), 61_461, context="Transaction.End"),
    ]
    charger.stop(started, at(275), 61_461, transactionData=told)
    energy, source, confidence, flags = books(started, *FIGURES)
    assert (energy, source, confidence) == (Decimal(4677), "samples", "low")
    assert "start-contradicted" in flags.split()


def test_a_register_of_the_session_may_begin_at_0_all_the_same(charger: Charger) -> None:
    started = charger.started(at(0), 500_000)
    told = [
        meter_value(at(0), 0, context="Transaction.Begin"),
        meter_value(at(60), 4677, context="Transaction.End"),
    ]
    charger.stop(started, at(60), 504_677, transactionData=told)
    assert books(started, *FIGURES) == (Decimal(4677), "registers", "high", "session-register")


def test_a_register_above_all_that_can_have_flowed_has_not_begun_anew(charger: Charger) -> None:
    """32,846 Wh: samples of another meter, which nobody asked for, fell and rose in between."""
    start = 4_299_044_605
    started = charger.started(at(0), start)
    for minute, wh in ((38, 28_845), (64, 4_007_845), (90, 36_845)):
        charger.meter(888_000_010, meter_value(at(minute), start + wh), when=at(minute))
    told = [
        meter_value(at(0), start, context="Transaction.Begin"),
        meter_value(at(128), start + 2262, context="Transaction.End"),
    ]
    charger.stop(started, at(128), start + 2262, transactionData=told)
    energy, source, confidence, _ = books(started, *FIGURES)
    assert (energy, source, confidence) == (Decimal(2262), "registers", "medium")


def test_a_register_that_was_full_and_then_began_anew_counts_from_0(charger: Charger) -> None:
    """21,242 Wh: 10,000 of the overflow were counted a second time after the restart."""
    started = charger.started(at(0), 9275)
    hour = [(15.0 * number, 560 * number - 300) for number in range(1, 17)]
    measure(charger, started, (5, 9439), *((20 + minute, wh) for minute, wh in hour))
    charger.boot(at(265))
    measure(charger, started, (280, 337), (295, 882))
    charger.stop(started, at(300), 973)
    energy = books(started, "energy")
    # 164 before it was full, 821 until it was heard again, 8400, and 973 since the restart.
    assert energy <= 164 + 821 + 8400 + 973
    assert energy > 9000
