"""The families of bad input of docs/evidence/checks.md, section I, each through the whole pipeline.

For each frame: an answer or silence as OCPP-J has it, the same again when it is delivered again,
its row in the message log, and good neighbours in the same batch that notice nothing. What never
gets as far as this (I-17 to I-20, I-24) is the edge's: ws/tests/test_socket.py, test_floods.py.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from levity.ocpp.models import FailedMessage, Message, QuarantinedMessage
from levity.ocpp.wire.frames import parse, storable
from tests.ocpp.charger import CentralSystem, Charger
from tests.promises.messages import MESSAGES, fields_of, schema_of, usual
from tests.promises.promises import answers_to, judge

pytestmark = pytest.mark.django_db

LIMIT = 128 * 1024


def call(action: str, payload: Any, unique_id: str = "m1") -> str:
    return json.dumps([2, unique_id, action, payload])


def in_every_text(words: Sequence[str]) -> list[str]:
    """Every text field of every message, with each of these words in it."""
    found = []
    for action in MESSAGES:
        for path, item, _ in fields_of(schema_of(action)):
            if item.get("type") != "string":
                continue
            for word in words:
                payload = usual(action)
                place: Any = payload
                for step in path[:-1]:
                    place = place[step]
                place[path[-1]] = word
                found.append(call(action, payload))
    return found


def in_every_number(numbers: Sequence[object]) -> list[str]:
    """The integers of the messages that the ledger reads, with each of these in their place."""
    found = []
    for action in ("StartTransaction", "StopTransaction", "MeterValues", "StatusNotification"):
        for name in ("connectorId", "transactionId", "meterStart", "meterStop", "reservationId"):
            whole = usual(action)
            found += [call(action, {**whole, name: number}) for number in numbers if name in whole]
    return found


METER = (
    '[2,"m1","MeterValues",{"connectorId":1,"meterValue":'
    '[{"timestamp":"2026-11-22T12:00:00Z","sampledValue":%s}]}]'
)
DEEP = "[" * 50_000 + "]" * 50_000
INJECTED = (
    "'; DROP TABLE ocpp_transaction; --",
    "*)(uid=*))(|(uid=*",
    "{{7*7}}{% debug %}${7*7}",
    "a\r\n2026-11-22 12:00:00 WARNING forged",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "<script>alert(1)</script>",
)
TIMES = (
    *("222222017-01-01T00:00:00Z", "1000000", "2026-00-01T00:00:00Z", "2026-11-22T12:00:00"),
    *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "24:00", "2026-11-22T25:00:00Z"),
)
TWICE = (
    '[2,"m1","StatusNotification",'
    '{"connectorId":1,"connectorId":2,"errorCode":"NoError","status":"Available"}]'
)

FAMILIES: Mapping[str, Sequence[str]] = {
    "I-01": ["", "hello", '[2,"m1","Heartbeat",{', '[3,"m1",{"configurationKey":[]', "\x00", "[2"],
    "I-02": ["{}", "[]", "[2]", '[2,"m1"]', '[2,"m1","Heartbeat",{},1,2,3,4,5,6]', "null", "7"],
    "I-03": [f'[{kind},"m1","Heartbeat",{{}}]' for kind in (0, 1, 5, 7, '"2"', "2.0", "true")],
    "I-04": [
        *(f'[2,{one},"Heartbeat",{{}}]' for one in ("null", "17", '""', f'"{"x" * 37}"', "{}")),
        f'[2,"{"x" * 1_000_000}","Heartbeat",{{}}]',
        '[2,"a\\r\\n\\u001b[31mb","Heartbeat",{}]',
    ],
    "I-05": [call(one, {}) for one in ("Nonsense", "heartbeat", "x" * 10_000, "__class__", "")],
    "I-06": [call(action, {}) for action in MESSAGES],
    "I-07": [TWICE],
    "I-08": [METER % f'[{{"value":{one}}}]' for one in ("NaN", "Infinity", "-Infinity", "1e999")],
    "I-09": [f'[2,"m1","{action}",{DEEP}]' for action in ("DataTransfer", "StartTransaction")],
    "I-10": [METER % f'[{{"value":{"9" * 5000}}}]', f'[2,"m1","Heartbeat",{"9" * 5000}]'],
    "I-11": in_every_text(["a\x00b", "\x00"]),
    "I-12": [text.replace("@", "\\ud800") for text in in_every_text(["a@b"])],
    "I-13": in_every_number((2**31, 2**63, -1, 999_999, -(2**63), 2**64)),
    "I-14": [
        call(action, {**usual(action), "timestamp": time})
        for action in ("StartTransaction", "StopTransaction", "StatusNotification")
        for time in TIMES
    ],
    "I-15": [
        *(METER % json.dumps([{"value": one}]) for one in ("abc", "1e400", "٣", "", " ")),
        METER % "[]",
        METER % json.dumps([{"value": str(one)} for one in range(5000)]),
    ],
    "I-16": [call("DataTransfer", {"vendorId": "V", "data": "x" * (LIMIT - 60)})],
    "I-22": [
        call("DataTransfer", {"vendorId": "V", "data": "x" * 1_000_000}),
        call("DataTransfer", {"vendorId": "<script>", "data": "<script>alert(1)</script>"}),
    ],
    "I-23": in_every_text(INJECTED),
    "I-25": [
        call("BootNotification", {"chargePointVendor": "V" * size, "chargePointModel": "M"})
        for size in (20, 21, 10_000)
    ],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_bad_input_hurts_nobody(family: str, caplog: pytest.LogCaptureFixture) -> None:
    """I-01..16, I-22, I-23, I-25."""
    site, before, behind = CentralSystem(), Charger("BEFORE"), Charger("BEHIND")
    for number, text in enumerate(FAMILIES[family]):
        charger = Charger("BAD")
        event = charger.says(text)
        batch = (before.calls("Heartbeat"), event, behind.starts(meterStart=number))
        caplog.clear()
        answers = answers_to(site, *batch)
        assert [answers.pop(good.connection)[0] for good in (before, behind)] == [3, 3]
        judge(event, answers.get(charger.connection))
        # I-23: at most one line of the log for the frame, without a word of the charger's own.
        told = [record.getMessage() for record in caplog.records if "BAD" in record.getMessage()]
        assert len(told) <= 1
        assert not any(ord(sign) < 32 for line in told for sign in line)
        assert not any("forged" in record.getMessage() for record in caplog.records)
        # I-11, I-12: no redelivery is needed, and one changes nothing.
        for deliveries in (0, 1):
            again = answers_to(site, event, deliveries=deliveries)
            assert again.get(charger.connection) == answers.get(charger.connection)
        assert Message.objects.get(connection=charger.connection).request == storable(text)
    assert FailedMessage.objects.count() == 0
    assert QuarantinedMessage.objects.exclude(charge_point__identity="BAD").count() == 0


def test_of_a_field_that_comes_twice_the_last_counts() -> None:
    """I-07: as JSON libraries have it, with a note; the frame is kept, so a person can see both."""
    site, charger = CentralSystem(), Charger()
    assert site.result(charger.says(TWICE)) == {}
    row = Message.objects.values(
        "request", "error_code", "error_description", "charge_point__connectors__number"
    ).get()
    assert row == {
        "request": TWICE,
        "error_code": "",
        "error_description": "connectorId: repeated, the last one counts",
        "charge_point__connectors__number": 2,
    }


def test_a_thousand_names_that_come_twice_cost_a_blink_and_are_named_briefly() -> None:
    """I-07: the slow look at a frame is no way to keep a worker busy."""
    names = ",".join(f'"k{number}":1,"k{number}":2' for number in range(6400))
    site, charger = CentralSystem(), Charger()
    frame = f'[2,"m1","DataTransfer",{{"vendorId":"V","data":{{{names}}}}}]'
    assert len(frame) > LIMIT - 8_000
    began = time.process_time()
    parse(frame)
    assert time.process_time() - began < 1
    assert site.result(charger.says(frame)) == {"status": "UnknownVendorId"}
    (said,) = Message.objects.values_list("error_description", flat=True)
    assert "k0, k1, k2, k3, k4: repeated" in said


def test_every_family_is_here_or_elsewhere() -> None:
    at_the_edge = {"I-17", "I-18", "I-19", "I-20", "I-24"}
    at_random = {"I-21"}
    assert {*FAMILIES, *at_the_edge, *at_random} == {f"I-{number:02d}" for number in range(1, 26)}
