"""Account numbers are checked by their check digits, and shown masked."""

import pytest

from levity.billing.rules.accounts import check_creditor_id, check_iban, masked, plain


@pytest.mark.parametrize(
    "number",
    [
        "DE89 3704 0044 0532 0130 00",
        "nl91 abna 0417 1643 00",
        "FR1420041010050500013M02606",
        "GB82WEST12345698765432",
    ],
)
def test_examples_of_the_registry_are_sound(number):
    check_iban(number)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("DE89370400440532013001", "check digits"),
        ("DE98370400440532013000", "check digits"),
        ("DE8937040044053201300", "22 letters and digits"),
        ("89370400440532013000", "no IBAN"),
        ("DE89\u0663704004405320130", "no IBAN"),
        ("", "no IBAN"),
    ],
)
def test_what_is_wrong_is_said_without_the_number(number, why):
    with pytest.raises(ValueError, match=why) as raised:
        check_iban(number)
    assert not number or number not in str(raised.value)


def test_a_creditor_identifier_is_checked_without_its_business_code():
    check_creditor_id("DE98ZZZ09999999999")
    check_creditor_id("DE98ABC09999999999")
    with pytest.raises(ValueError, match="check digits"):
        check_creditor_id("DE99ZZZ09999999999")
    with pytest.raises(ValueError, match="no creditor identifier"):
        check_creditor_id("ZZZ")


def test_an_account_is_masked():
    assert masked(plain("de89 3704 0044 0532 0130 00")) == "DE89…3000"
    assert masked("") == ""
