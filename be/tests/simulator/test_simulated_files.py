"""Simulated chargers transfer files to and from the places that Levity makes, and to no other."""

import asyncio

from levity.simulator import files

OURS = "http://127.0.0.1:1/files/lvdrop-abc/"


def test_only_places_of_levity_are_real() -> None:
    assert files.is_real(OURS)
    assert files.is_real("ftp://job7:x@127.0.0.1:2121/")
    for other in (
        "ftp://example.com/",
        "http://169.254.169.254/latest/",
        "http://example.com/files/",
        "file:///files/lvdrop-abc/",
    ):
        assert not files.is_real(other)


def test_a_protocol_that_it_does_not_know_fails() -> None:
    assert asyncio.run(files.upload(OURS, "a", b"x", ("ftp",))) is False
    assert asyncio.run(files.fetch(OURS, ("ftp",))) is None


def test_nobody_there_is_a_failure_and_no_exception() -> None:
    assert asyncio.run(files.upload(OURS, "a", b"x", ("http",))) is False
    assert asyncio.run(files.fetch("ftp://job1:x@127.0.0.1:1/a", ("ftp",))) is None


def test_a_firmware_names_its_version() -> None:
    assert files.version_in(b"levity-firmware 2.0.0\nxyz", OURS) == "2.0.0"
    assert files.version_in(b"xyz", f"{OURS}fw-3.bin") == "fw-3.bin"
