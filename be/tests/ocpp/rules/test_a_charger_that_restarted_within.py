"""A session in which the charger restarted is not sure, unless meter values bridge it."""

from decimal import Decimal

import pytest

from levity.ocpp.models import Transaction
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

FIGURES = ("energy", "confidence", "flags")


def measure(charger: Charger, named: int, *told: tuple[int, int]) -> None:
    """(minute, Wh)"""
    for minute, wh in told:
        charger.meter(named, meter_value(at(minute), wh), when=at(minute))


def test_a_meter_of_which_nothing_shows_that_it_went_on(charger: Charger) -> None:
    """It was at 11,000 Wh and began anew at 0: 1,700 Wh *high*."""
    started = charger.started(at(0), 5000)
    charger.boot(at(60))
    charger.stop(started, at(120), 6700)
    assert books(started, *FIGURES) == (Decimal(1700), "medium", "booted-within late-stop")
    assert "the charger restarted in between" in Transaction.objects.get(pk=started).checks


def test_samples_of_before_alone_show_as_little(charger: Charger) -> None:
    started = charger.started(at(0), 5000)
    measure(charger, started, (10, 5300), (20, 5600))
    charger.boot(at(60))
    charger.stop(started, at(120), 6700)
    assert books(started, *FIGURES) == (Decimal(1700), "medium", "booted-within late-stop")


def test_one_that_comes_out_of_a_queue_just_after_the_boot(charger: Charger) -> None:
    """Its power was gone while it had no line; and this meter begins anew at each power-on."""
    before = charger.started(at(-200), 9000, when=at(-200))
    charger.stop(before, at(-100), 12_000, when=at(-100))
    charger.boot(at(121))
    started = charger.started(at(0), 5000, when=at(122))
    charger.stop(started, at(120), 6700, when=at(122))
    assert books(started, *FIGURES) == (Decimal(1700), "medium", "booted-within")


def test_a_backlog_after_a_boot_is_not_sure(charger: Charger) -> None:
    """Its power may have been gone within, and the meter may have begun anew: nothing tells."""
    charger.boot(at(121))
    started = charger.started(at(1), 5000, when=at(122))
    charger.stop(started, at(120), 6700, when=at(122))
    assert books(started, *FIGURES) == (Decimal(1700), "medium", "booted-within")


def test_a_backlog_of_a_register_that_is_too_high_to_have_begun_anew_is(charger: Charger) -> None:
    charger.boot(at(121))
    started = charger.started(at(1), 500_000, when=at(122))
    charger.stop(started, at(120), 501_700, when=at(122))
    assert books(started, *FIGURES) == (Decimal(1700), "high", "")


def test_what_a_new_charger_brings_along_is_believed_where_no_register_has_begun_anew(
    charger: Charger,
) -> None:
    """Field c22, c38: its first boot is that of its coming, and says nothing of its power."""
    charger.boot(at(1))
    started = charger.started(at(-120), 5000, when=at(2))
    charger.stop(started, at(-1), 6700, when=at(2))
    assert books(started, *FIGURES) == (Decimal(1700), "high", "")


def test_samples_of_before_and_after_bridge_it(charger: Charger) -> None:
    started = charger.started(at(0), 5000)
    measure(charger, started, (10, 5300), (50, 5600))
    charger.boot(at(60))
    measure(charger, started, (65, 5700), (110, 6500))
    charger.stop(started, at(120), 6700)
    assert books(started, *FIGURES) == (Decimal(1700), "high", "continued")


def test_samples_of_before_and_after_bridge_nothing_where_it_may_have_begun_anew(
    charger: Charger,
) -> None:
    """Volatile meter: 400 Wh, no power for a while, and 600 Wh since: 900 Wh *high*, of 1,300."""
    started = charger.started(at(0), 0)
    measure(charger, started, (10, 200), (20, 400))
    charger.boot(at(60))
    measure(charger, started, (65, 450), (90, 800))
    charger.stop(started, at(120), 900)
    assert books(started, *FIGURES) == (Decimal(900), "medium", "continued booted-within")


@pytest.mark.parametrize("boot", [-5, 125])
def test_a_boot_before_or_after_is_none_of_it(charger: Charger, boot: int) -> None:
    charger.boot(at(-5))
    started = charger.started(at(0), 5000)
    charger.stop(started, at(120), 6700)
    charger.boot(at(boot))
    assert books(started, *FIGURES) == (Decimal(1700), "high", "")


def test_a_register_that_is_too_high_to_have_begun_anew(charger: Charger) -> None:
    started = charger.started(at(0), 5_000_000)
    charger.boot(at(60))
    charger.stop(started, at(120), 5_001_700)
    assert books(started, *FIGURES) == (Decimal(1700), "high", "late-stop")
