"""What hostile or broken chargers send, frame by frame over a real socket, on both shapes.

After each frame the same socket asks for the time: the next answer shows what the frame was
answered with, and that the connection and its order live on. (I-01 to I-16, I-18, D-08)
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest
from tests.chargers import RawCharger, raw_charger

from levity.ocpp.models import (
    ConnectionEvent,
    FailedMessage,
    Message,
    QuarantinedMessage,
    Transaction,
)
from tests.system.processes import eventually
from tests.system.site import Site

LIMIT = 128 * 1024
# Not closed again: that would not fit into the limit, and nobody reads so far.
DEEP = "[" * 100_000
STATUS = (
    '[2,"%s","StatusNotification",{"connectorId":%s,"errorCode":"NoError","status":"Available"}]'
)
METER = (
    '[2,"%s","MeterValues",{"connectorId":%s,"meterValue":'
    '[{"timestamp":"2026-05-01T10:00:00Z","sampledValue":[{"value":"1"}]}]}]'
)


@dataclass(frozen=True)
class Bad:
    """A frame, the code it is refused with ("" for silence, "result"), and the stored reason."""

    name: str
    frame: str
    code: str
    reason: str
    answered_as: str | None = None


FORMATION, TYPE = "FormationViolation", "TypeConstraintViolation"
BAD = (
    Bad("not JSON", "hello", "", "not JSON: "),
    Bad("truncated", '[2,"B1","Heartbeat",{', FORMATION, "not JSON: ", "B1"),
    Bad(
        "truncated answer", '[3,"B1",{"configurationKey":[]', "", "does not answer any Call of ours"
    ),
    Bad("no array", '{"a":1}', "", "not a JSON array"),
    Bad("empty array", "[]", "", "an empty array"),
    Bad("only a type", "[2]", FORMATION, "the unique id is not", "-1"),
    Bad("no id", '[2,null,"Heartbeat",{}]', FORMATION, "the unique id is not", "-1"),
    Bad("empty id", '[2,"","Heartbeat",{}]', "result", "the unique id is not a text", ""),
    Bad("long id", f'[2,"{"x" * 65}","Heartbeat",{{}}]', "result", "the unique id", "x" * 65),
    Bad("no payload", '[2,"B2","Heartbeat"]', FORMATION, "a Call has four elements", "B2"),
    Bad("unknown action", '[2,"B3","Nonsense",{}]', "NotImplemented", "this action is", "B3"),
    Bad("reflection", '[2,"B4","__class__",{}]', "NotImplemented", "this action is", "B4"),
    Bad("action no text", '[2,"B5",7,{}]', FORMATION, "the action is not a string", "B5"),
    Bad("unknown type", '[5,"B6","Heartbeat",{}]', "", "unknown message type"),
    Bad("type as text", '["2","B7","Heartbeat",{}]', "", "unknown message type"),
    Bad("payload no object", '[2,"B8","Authorize",[]]', TYPE, "", "B8"),
    Bad("heartbeat of no object", '[2,"B23","Heartbeat",[]]', "result", "", "B23"),
    Bad("wrong type", STATUS % ("B9", '"one"'), TYPE, "connectorId", "B9"),
    # MeterValues is never refused for its form: a sample that is lost is lost for good.
    Bad("meter values of no connector", METER % ("B22", '"one"'), "result", "", "B22"),
    Bad("NaN", METER % ("B10", "NaN"), FORMATION, "not JSON: ", "B10"),
    Bad("1e999", METER % ("B11", "1e999"), FORMATION, "not JSON: ", "B11"),
    Bad("5,000 digits", METER % ("B12", "9" * 5000), FORMATION, "not JSON: ", "B12"),
    Bad("100,000 deep", f'[2,"B13","DataTransfer",{DEEP}', FORMATION, "not JSON: ", "B13"),
    Bad(
        "raw NUL",
        '[2,"B14","DataTransfer",{"vendorId":"a\x00"}]',
        "result",
        "invalid JSON, repaired",
        "B14",
    ),
    Bad("comma", '[2,"B21","DataTransfer",{"vendorId":"a",}]', "result", "a comma too many", "B21"),
    Bad("NUL", '[2,"B15","DataTransfer",{"vendorId":"a\\u0000b"}]', "result", "", "B15"),
    Bad("surrogate", '[2,"B16","DataTransfer",{"vendorId":"a\\ud800"}]', "result", "", "B16"),
    Bad("start", '[2,"B17","StartTransaction",{"connectorId":"x"}]', "result", "", "B17"),
    Bad("half a start", '[2,"B18","StartTransaction",{"connectorId":', "result", "not JSON", "B18"),
    Bad("stop", '[2,"B19","StopTransaction",{"transactionId":{}}]', "result", "", "B19"),
    Bad("stop of nothing", '[2,"B20","StopTransaction",[]]', "result", "", "B20"),
)


async def ask_time(charger: RawCharger, number: int) -> list[Any]:
    """Everything that comes up to the answer to a Heartbeat, that answer left out."""
    charger.send(f'[2,"time-{number}","Heartbeat",{{}}]')
    before = []
    while (answer := json.loads(await charger.text()))[1] != f"time-{number}":
        before.append(answer)
    assert answer[0] == 3
    return before


@pytest.fixture(scope="module")
def answers(site: Site) -> dict[str, list[Any]]:
    """What each bad frame was answered with, all on one socket, another charger beside it."""

    async def play() -> dict[str, list[Any]]:
        found = {}
        async with (
            raw_charger(site.port(), "/ws/BYSTANDER") as bystander,
            raw_charger(site.port(), "/ws/BAD-1") as charger,
        ):
            for number, bad in enumerate(BAD):
                charger.send(bad.frame)
                found[bad.name] = await ask_time(charger, number)
                assert await ask_time(bystander, number) == []
        return found

    return asyncio.run(play())


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_bad_frame_is_answered_or_ignored_with_a_reason(
    site: Site, answers: dict[str, list[Any]], bad: Bad
) -> None:
    said = answers[bad.name]
    assert "Traceback" not in json.dumps(said)
    if bad.code == "":
        assert said == []
    elif bad.code == "result":
        assert [answer[:2] for answer in said] == [[3, bad.answered_as]]
    else:
        assert [answer[:3] for answer in said] == [[4, bad.answered_as, bad.code]]
    mine = {"charge_point__identity": "BAD-1", "request": bad.frame.replace("\x00", "\\u0000")}
    [(error_code, description)] = site.books.rows(
        Message, "error_code", "error_description", **mine
    )
    assert error_code == ("" if bad.code == "result" else bad.code)
    assert bad.reason in description


def test_bad_transactions_are_in_quarantine_and_nothing_has_failed(
    site: Site, answers: dict[str, list[Any]]
) -> None:
    mine = {"charge_point__identity": "BAD-1"}
    assert [action for (action,) in site.books.rows(QuarantinedMessage, "action", **mine)] == [
        "StartTransaction",
        "StartTransaction",
        "StopTransaction",
        "StopTransaction",
    ]
    assert site.books.count(FailedMessage, **mine) == 0
    assert answers["start"][0][2]["transactionId"] > 0


def test_frame_at_the_limit_passes_and_one_byte_more_closes_with_1009(site: Site) -> None:
    def frame(size: int) -> str:
        head, tail = '[2,"S1","DataTransfer",{"vendorId":"v","data":"', '"}]'
        return head + "x" * (size - len(head) - len(tail)) + tail

    async def play() -> tuple[list[Any], int]:
        async with raw_charger(site.port(), "/ws/BAD-2") as charger:
            charger.send(frame(LIMIT))
            fits = json.loads(await charger.text())
            charger.send(frame(LIMIT + 1))
            return fits, (await charger.close_frame())[0]

    assert asyncio.run(play()) == ([3, "S1", {"status": "UnknownVendorId"}], 1009)


@pytest.mark.parametrize(
    ("opcode", "payload", "code"), [(2, b'[2,"1","Heartbeat",{}]', 1003), (1, b"\xff\xfe", 1007)]
)
def test_frame_that_is_no_text_closes_cleanly(
    site: Site, opcode: int, payload: bytes, code: int
) -> None:
    identity = f"BAD-{code}"

    async def play() -> int:
        async with raw_charger(site.port(), f"/ws/{identity}") as charger:
            charger.send_frame(opcode, payload)
            return (await charger.close_frame())[0]

    assert asyncio.run(play()) == code
    ended = [("connected", None), ("disconnected", code)]
    mine = {"charge_point__identity": identity}
    assert (
        eventually(lambda: site.books.rows(ConnectionEvent, "kind", "code", **mine), ended) == ended
    )


def test_two_calls_in_one_frame_are_both_on_the_books(site: Site) -> None:
    """Each answered by its own id in a frame of its own, in their order, and each in the log."""
    start = (
        '[2,"J1","StartTransaction",{"connectorId":1,"idTag":"TAG","meterStart":0,'
        '"timestamp":"2026-05-01T10:00:00Z"}]'
    )
    status = STATUS % ("J2", 1)

    async def play() -> list[Any]:
        async with raw_charger(site.port(), "/ws/BAD-JOINED") as charger:
            charger.send(f"{start}\n{status}")
            return [json.loads(await charger.text()) for _ in range(2)]

    one, other = asyncio.run(play())
    assert (one[:2], other) == ([3, "J1"], [3, "J2", {}])
    mine = {"charge_point__identity": "BAD-JOINED"}
    assert [text for (text,) in site.books.rows(Message, "request", **mine)] == [start, status]
    assert site.books.rows(Transaction, "id", **mine) == [(one[2]["transactionId"],)]
