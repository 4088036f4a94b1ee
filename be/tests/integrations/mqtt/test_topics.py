"""Whatever a site or a charger is called, its topics are its own and are valid."""

import re

import pytest

from levity.integrations.mqtt.topics import NO_SITE, level, slug

HOSTILE = [
    "",
    " ",
    "+",
    "#",
    "/",
    "a/b",
    "a+b",
    "a#b",
    "$SYS",
    "\0",
    "a\0b",
    "line\nbreak",
    "\x7f\x9f",
    "\ufdd0",
    "\uffff",
    "\U0001ffff",
    "\ud800",
    "x" * 300,
    "ü" * 300,
    "..",
    NO_SITE,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_one_valid_level(name: str) -> None:
    text = level(name)
    assert text
    assert not set(text) & set("+#/$\0")
    assert not any(letter < " " or "\x7f" <= letter <= "\x9f" for letter in text)
    assert len(text.encode()) <= 200
    assert text != NO_SITE
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", slug(name) or "_")


def test_no_two_names_share_a_topic() -> None:
    names = [*HOSTILE, "a_b", "a-b", "_", "x" * 64, "x" * 65, "Garage", "garage", "My Garage"]
    assert len({level(name) for name in names}) == len(set(names))


@pytest.mark.parametrize("name", ["Garage", "My Garage", "garage-1", "CP_1", "Tiefgarage Süd"])
def test_a_usual_name_stays_as_it_is(name: str) -> None:
    assert level(name) == name
