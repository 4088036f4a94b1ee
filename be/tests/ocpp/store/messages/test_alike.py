"""Texts that are alike come back character by character, whatever their numbers look like."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from levity.ocpp.store.messages.alike import LONGEST, alike, pack_texts, unpack_texts

numbers = st.one_of(
    st.integers(0, 10**20).map(str),
    st.integers(0, 120).map("{:02d}".format),
    st.sampled_from(["", "0", "00", "007", "-5", "9" * 15, "9" * 16, "9" * 4_301, "²", "٣"]),
)
forms = st.sampled_from(
    [
        "{}",
        "{} {}",
        "[2,{},{}]",
        "50 % of {}",
        "%d{}%%s{}",
        "\x01{}\x00{}",
        "Ü{}\ud800{}",
        "{}\udc00",
        "",
    ]
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(forms, numbers, numbers), max_size=12))
def test_whatever_goes_in_comes_out(said: list[tuple[str, str, str]]) -> None:
    texts = [form.format(first, second) for form, first, second in said]
    found = unpack_texts(pack_texts(texts))
    assert found.all() == texts
    assert found.at(range(len(texts))) == texts
    assert len(found) == len(texts)
    for text in texts:
        assert found.may_have(text[1:4].upper())


def test_figures_are_columns_and_what_never_changes_is_a_part_of_the_sentence() -> None:
    said = [f"at 07:0{n}: {1000 + 7 * n} of 16 A, phase {n % 2}" for n in range(4)]
    [[pieces, columns]], which, others = alike(said)
    assert pieces == ["at 07:", ": ", " of 16 A, phase ", ""]
    assert columns == [[2, None, [0, 1, 1, 1]], [0, 1000, [0, 7, 14, 21]], [0, 0, [0, 1, 0, 1]]]
    assert (which, others) == ([0, 0, 0, 0], [])


def test_what_would_be_slow_to_look_into_is_kept_as_it_is() -> None:
    for text in ("1 " * 201, "x" * (LONGEST + 1), "ü1"):
        assert alike([text] * 3) == [[], [-1] * 3, [text] * 3]


def test_a_search_needs_no_numbers_where_none_are_wanted() -> None:
    found = unpack_texts(pack_texts([f"Power {n} W" for n in range(1000)]))
    assert found.may_have("power")
    assert found.may_have("R 999 w")
    assert not found.may_have("volt")
    assert not found.may_have("1000")


@pytest.mark.parametrize("cut", [0, 3, -1])
def test_damaged_texts_are_said_to_be_damaged(cut: int) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack_texts(pack_texts(["1", "2", "3"])[:cut])
