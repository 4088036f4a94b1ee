"""What a charger's Authorization header says, whatever a firmware puts into it."""

import base64

import pytest

from levity.ocpp.chargers.security.basic import Basic, read_basic


def header(text: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(text).decode()}"


@pytest.mark.parametrize(
    ("text", "password"),
    [
        (b"CP-1:secret", b"secret"),
        (b"CP-1:", b""),
        (b"CP-1:a:b:c", b"a:b:c"),
        (b"CP-1:\xff\x00\xfe", b"\xff\x00\xfe"),
        (b"cp-1:secret", b"secret"),
    ],
)
def test_the_password_is_all_behind_the_identity(text: bytes, password: bytes) -> None:
    assert read_basic(header(text), "CP-1") == Basic("CP-1", True, password)


def test_an_identity_with_a_colon_is_found_as_a_whole() -> None:
    """RFC 7617 wants none in a user name; OCPP does not forbid it in an identity."""
    assert read_basic(header(b"A:1:secret"), "A:1") == Basic("A:1", True, b"secret")
    assert read_basic(header(b"A:1:secret"), "A") == Basic("A", True, b"1:secret")


def test_padding_that_was_left_out_and_any_case_of_the_scheme_are_read() -> None:
    text = header(b"CP-1:secret12", "BASIC")
    assert text.endswith("=")
    assert read_basic(f"  {text.rstrip('=')} ", "CP-1") == Basic("CP-1", True, b"secret12")


def test_another_name_is_shown_to_people_without_what_cannot_be_printed() -> None:
    found = read_basic(header(b"ro\x1bot" + b"x" * 100 + b":k"), "CP-1")
    assert found == Basic(f"ro?ot{'x' * 43}", False, b"k")


@pytest.mark.parametrize(
    "text", ["", "Basic", "Basic !!!", "Bearer Q1AtMTpr", "Basic é", header(b"no colon")]
)
def test_what_is_not_basic_is_nothing(text: str) -> None:
    assert read_basic(text, "CP-1") is None


def test_the_password_is_in_no_text() -> None:
    found = read_basic(header(b"CP-1:secret"), "CP-1")
    assert "secret" not in f"{found} {found!r}"
