"""What real chargers send is what the tests play: nothing of it is left to chance."""

import json

import pytest

from levity.ocpp.conversation.lines import head_of
from tests.field.captured import captures
from tests.field.shapes import EXPLAINED, of_frame, sent, uncovered

# A capture is a charger's words and nobody's name, address or card.
PRIVATE = ("@gmail", "@outlook", "Authorization: Basic")
ADDRESSES_OF_EXAMPLES = ("10.", "127.", "192.0.2.", "192.168.", "198.51.100.", "203.0.113.")


def test_every_shape_that_a_charger_sends_is_judged_by_a_test() -> None:
    """`make shapes` lists them; a new capture needs its right outcome in `right.py`."""
    assert uncovered() == {}


def test_a_capture_that_nothing_plays_is_explained() -> None:
    assert {capture.name for capture in captures() if not capture.plays} == set(EXPLAINED)


@pytest.mark.parametrize(
    ("shape", "capture"),
    [
        (("location", "Body"), "grizzl-e-1"),
        (("context", "CurrentMax"), "alfen-2"),
        (("unit", "varh"), "free2move-2"),
        (("phase", "N"), "zappi-1"),
        (("time", "9999-99-99T99:99:99+99:99"), "growatt-1"),
        (("target", "absolute"), "evbox-3"),
        (("form", "line breaks"), "vestel-1"),
        (("field", "MeterValues.meterValue is an object"), "huawei-1"),
    ],
)
def test_the_report_sees_what_was_missed_once(shape: tuple[str, str], capture: str) -> None:
    assert capture in sent()[shape]


def test_a_shape_that_no_test_has_is_found() -> None:
    """A unit that nobody has sent so far."""
    samples = [{"value": "1", "unit": "BTU"}]
    values = [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": samples}]
    frame = json.dumps([2, "1", "MeterValues", {"connectorId": 1, "meterValue": values}])
    assert ("unit", "BTU") in set(of_frame(frame)) - set(sent())


def test_captures_name_nobody() -> None:
    """Serials, tags, addresses and keys are replaced before a capture comes in."""
    for capture in captures():
        for text in (*capture.said, capture.handshake):
            assert not any(sign in text for sign in PRIVATE), capture.name
        for line in capture.handshake.split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "host" and value[:1].isdigit():
                assert value.startswith(ADDRESSES_OF_EXAMPLES), capture.name
            if name.lower() == "sec-websocket-key":
                assert value == "MDEyMzQ1Njc4OWFiY2RlZg==", capture.name


def test_every_frame_of_a_capture_can_be_told_apart() -> None:
    """Even broken JSON says what it is."""
    for capture in captures():
        assert all(head_of(text)[0] in (2, 3, 4) for text in capture.said), capture.name
