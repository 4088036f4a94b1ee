"""Integers that flicker take the bits that they need, and come back."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as some

from levity.ocpp.store.samples.bits import Bits, BitsReader

NARROW = some.integers(-(2**60), 2**60).flatmap(
    lambda least: some.lists(some.integers(least, least + 2**20), min_size=1, max_size=80)
)
WIDE = some.lists(some.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40)


@settings(deadline=None, max_examples=200)
@given(some.lists(some.one_of(NARROW, WIDE), max_size=4))
def test_whatever_goes_in_comes_out(lists: list[list[int]]) -> None:
    bits = Bits()
    said = [bits.put(numbers) for numbers in lists]
    reader = BitsReader(bytes(bits.data))
    assert [reader.numbers(each) for each in said] == lists


def test_what_flickers_takes_no_more_than_its_bits() -> None:
    bits = Bits()
    chance = Random(15)
    numbers = [7_000_000, 6_984, *(6_984 + chance.randrange(217) for _ in range(479))]
    said = bits.put(numbers)
    assert said == {"b": [0, 480, 7_000_000, 6_984, 8]}
    assert len(bits.data) == 480


def test_what_hardly_changes_stays_json() -> None:
    bits = Bits()
    assert bits.put([60] * 480) == [60] * 480
    assert not bits.data


def test_the_shortest_of_several_ways_is_kept() -> None:
    chance = Random(15)
    values = [chance.randrange(217) for _ in range(200)]
    differences = [one - before for one, before in zip(values, [0, *values], strict=False)]
    way, said = Bits().shortest([differences, values])
    assert way == 1
    assert said["b"][-1] == 8
