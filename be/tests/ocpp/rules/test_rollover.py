"""A register that went on from 0 because it was full, and one that did not."""

from decimal import Decimal

import pytest

from levity.ocpp.rules.rollover import top_of

DAY = 50_000.0
"""Wh that can have flowed between the two values."""


def top(before: int, after: int, could: float = DAY, likely: float = 0) -> int:
    return int(top_of(Decimal(before), Decimal(after), could, likely))


@pytest.mark.parametrize("digits", range(4, 10))
def test_a_register_of_any_width_that_was_full_went_on_from_0(digits: int) -> None:
    full = 10**digits
    assert top(full - 100, 250) == full


def test_one_that_rose_or_stood_still_did_not() -> None:
    assert top(9_999, 10_001) == 0
    assert top(9_999, 9_999) == 0


def test_one_that_was_far_from_full_was_replaced() -> None:
    assert top(90_000, 0) == 100_000
    assert top(89_999, 0) == 0


def test_more_than_can_have_flowed_is_no_rollover() -> None:
    assert top(99_000, 500, could=1_500) == 100_000
    assert top(99_000, 500, could=1_499) == 0


@pytest.mark.parametrize(("likely", "found"), [(1_500, 100_000), (9_000, 0), (100, 0)])
def test_what_flowed_is_near_to_what_the_power_says(likely: float, found: int) -> None:
    """Within three times; the rise here is 1,500 Wh."""
    assert top(99_000, 500, likely=likely) == found


def test_no_register_has_ten_digits() -> None:
    assert top(10**9, 0) == 0
