"""Traces give back exactly what they were given, whatever chargers make up, and are small."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from levity.ocpp.store.samples.coding import (
    NOTHING,
    UNCHANGED,
    Coded,
    decode,
    encode,
    with_recorded,
)
from tests.ocpp.store.packed_once import METER_VALUES, packed

NUMBERS = some.one_of(
    some.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    some.integers(-(10**20), 10**20).map(str),
    some.sampled_from(
        (
            "1.50",
            "1.5",
            "-0",
            "-0.0",
            "0",
            "0.0",
            "00",
            "007",
            "+1",
            "1e3",
            "1E-400",
            ".5",
            "5.",
            "-",
        )
    ),
    some.sampled_from(
        ("", " 7", "٣", "NaN", "1,5", "\x00", "\ud800", "ß 🚗", "[1]", "0." + "1" * 30)
    ),
    some.text(max_size=20),
)
ROWS = some.builds(
    Coded,
    id=some.integers(-(2**62), 2**62),
    place=some.tuples(some.integers(0, 9), some.integers(0, 9)),
    sampled_at=some.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
    received_at=some.integers(0, 4_000_000_000_000_000),
    shape=some.integers(0, 3),
    values=some.lists(NUMBERS, min_size=1, max_size=4).map(tuple),
    recorded=some.dictionaries(some.integers(0, 0), some.one_of(some.none(), NUMBERS), max_size=1),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(some.lists(ROWS, min_size=1, max_size=30))
def test_whatever_goes_in_comes_out_in_its_order(rows: list[Coded]) -> None:
    assert decode(encode(rows)).coded() == rows


@pytest.mark.slow
@settings(deadline=None)
@given(some.lists(NUMBERS, min_size=1, max_size=40))
def test_a_column_alone_is_the_same_as_in_all(values: list[str]) -> None:
    rows = [Coded(at, (0, 1), at, at, 1, (value, "1")) for at, value in enumerate(values)]
    assert decode(encode(rows)).column((1, 2), 0).texts() == values


def test_numbers_of_a_column_are_integers() -> None:
    for texts, decimals, whole in (
        (("2500", "2600"), 0, [2500, 2600]),
        (("1.50", "2.25"), 2, [150, 225]),
        (("1.5", "2.25", "3"), 2, [150, 225, 300]),
        (("-0.5", "0.5"), 1, [-5, 5]),
    ):
        rows = [Coded(at, (0, 1), at, at, 1, (text,)) for at, text in enumerate(texts)]
        column = decode(encode(rows)).column((1, 1), 0)
        assert (column.decimals, column.items) == (decimals, whole)


def test_what_was_recorded_otherwise_comes_back_beside_what_was_sent() -> None:
    one = Coded(1, (0, 1), 0, 5, 7, ("12", "x"))
    rows = [one, replace(one, id=2, recorded={0: "12000.000000"}), replace(one, recorded={1: None})]
    trace = decode(encode(rows))
    assert trace.coded() == rows
    assert trace.recorded((7, 2)) == {0: [None, "12000.000000", None], 1: [None, None, NOTHING]}


def test_what_is_recorded_changes_and_the_rest_stays() -> None:
    one = Coded(1, (0, 1), 0, 5, 7, ("12", "x"))
    rows = [one, replace(one, id=2, shape=8), replace(one, id=3)]
    said = {(2, 0): "13.5", (2, 1): NOTHING, (1, 0): "1"}
    data = with_recorded(encode(rows), said)
    changed = [
        one,
        replace(rows[1], recorded={0: "1"}),
        replace(rows[2], recorded={0: "13.5", 1: None}),
    ]
    assert decode(data).coded() == changed
    assert with_recorded(data, dict.fromkeys(said, UNCHANGED)) == encode(rows)


def test_a_session_of_eight_hours_takes_at_most_six_bytes_a_meter_value() -> None:
    """Four samples each, a minute apart; on a site of 20 chargers."""
    chance, rows = random.Random(15), []
    at, pk, register = 1_700_000_000_000_000, 10**6, 5_804_202
    for _ in range(480):
        at, pk, register = (
            at + 60_000_000,
            pk + chance.randint(15, 25),
            register + chance.randint(118, 122),
        )
        watts = 7200 + chance.randint(-40, 40)
        received = at + 150_000 + round(chance.gauss(0, 50)) * 1000
        said = (str(register), str(watts), f"{watts / 230:.2f}", f"{230 + chance.random():.1f}")
        rows.append(Coded(pk, (0, 1), at, received, 2**62, said))
    assert decode(encode(rows)).coded() == rows
    assert len(encode(rows)) / len(rows) <= 6


def test_what_was_packed_once_is_read_for_ever() -> None:
    """If this fails, the format has changed: raise the version, and keep what reads this one."""
    assert decode(packed("trace", 2)).coded() == METER_VALUES


FLICKERING = encode([Coded(at, (0, 1), at, at, 1, (str(at * at % 97),)) for at in range(99)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no trace",
        encode([Coded(1, (0, 1), 0, 0, 1, ("1",))])[:-3],
        FLICKERING[:-1],
        FLICKERING[:-1] + bytes([FLICKERING[-1] ^ 1]),
    ],
)
def test_a_damaged_trace_is_told_from_a_whole_one(data: bytes) -> None:
    with pytest.raises(ValueError, match="trace"):
        decode(data)
