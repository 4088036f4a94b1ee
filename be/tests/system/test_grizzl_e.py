"""The flagship's captured conversation from its first letter on: its handshake names an Origin and
no subprotocol, its meter is in its Body, and its StopTransaction is lost. The books must be right.

Frame by frame as captured on both shapes and behind the compose files' nginx; and the same story
told by the charger stacks of others.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16 import call, datatypes
from ocpp.v16.enums import Location, Measurand, Phase, ReadingContext, UnitOfMeasure, ValueFormat

from levity.ocpp.conversation.lines import head_of
from levity.ocpp.models import Message, Transaction
from tests.deploy.front import Front
from tests.field.captured import Capture, captures
from tests.field.over_sockets import Shaken
from tests.kept import Samples
from tests.system.chargers import independent_charger
from tests.system.site import Site

ORIGIN = "https://github.com/gilmaimon/TinyWebsockets"


def capture(name: str) -> Capture:
    """This file of be/tests/conversations/captures."""
    return next(item for item in captures() if item.name == name)


def request(identity: str) -> bytes:
    """The captured handshake, with our identity behind /ws/."""
    first, _, rest = capture("grizzl-e-4").handshake.partition("\r\n")
    assert f"Origin: {ORIGIN}" in rest
    assert "Sec-WebSocket-Protocol" not in rest
    return f"{first.split(' ')[0]} /ws/{identity} HTTP/1.1\r\n{rest}".encode()


def now(seconds: float = 0) -> str:
    """As a Grizzl-E writes it."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.001Z")


def moved(text: str, number: int) -> str:
    """A captured frame with times of now, and the transactionId that was given here."""
    frame = json.loads(text)
    payload = frame[3]
    begun = datetime.fromisoformat("2023-03-30T01:58:48.001+00:00")

    def shift(at: str) -> str:
        return now((datetime.fromisoformat(at) - begun).total_seconds() - 120)

    if "timestamp" in payload:
        payload["timestamp"] = shift(payload["timestamp"])
    for value in payload.get("meterValue", ()):
        value["timestamp"] = shift(value["timestamp"])
    if "transactionId" in payload:
        payload["transactionId"] = number
    return json.dumps(frame, separators=(",", ":"))


def play(url: str, identity: str) -> int:
    """From the handshake to the first sample; then the line is cut, and it begins anew."""
    number = 0
    with Shaken(url, request(identity)) as line:
        assert line.status == 101, line.said
        assert "sec-websocket-protocol" not in line.head.lower()
        for text in capture("grizzl-e-6").said:
            answer = line.call(moved(text, number))
            assert answer[0] == 3, answer
            if head_of(text)[2] == "StartTransaction":
                number = answer[2]["transactionId"]
    with Shaken(url, request(identity)) as line:
        assert line.status == 101, line.said
        boot, *_ = capture("grizzl-e-6").said
        assert line.call(boot)[0] == 3
        again = {"idTag": "theresidnt", "timestamp": now(), "connectorId": 1, "meterStart": 0}
        answer = line.call([2, "03.00001111a0eee0462", "StartTransaction", again])
        assert answer[2]["transactionId"] > number
    return number


def judge(site: Site, identity: str, number: int) -> None:
    """70.14 Wh and 7148.96 W of a meter in the charger's body, and nothing refused."""
    mine = {"charge_point__identity": identity}
    row = site.books.row(Transaction, "state", "energy", "confidence", pk=number)
    assert row == {"state": "orphaned", "energy": Decimal("70.140"), "confidence": "medium"}
    assert "orphaned" in site.books.row(Transaction, "flags", pk=number)["flags"].split()
    assert site.books.rows(Samples, "location", "value", **mine) == [
        ("Body", Decimal("30.770")),
        ("Body", Decimal("7148.960")),
        ("Body", Decimal("70.140")),
    ]
    assert site.books.rows(Message, "action", "error_code", sender="cp", **mine) == [
        *((head_of(text)[2], "") for text in capture("grizzl-e-6").said),
        ("BootNotification", ""),
        ("StartTransaction", ""),
    ]


def test_a_grizzl_e_whose_stop_is_lost_is_on_the_books_as_it_charged(site: Site) -> None:
    judge(site, "GRS-E2E-1", play(site.url(), "GRS-E2E-1"))


@pytest.fixture
def fronted(site: Site, tmp_path: Path) -> Iterator[str]:
    """The site behind the nginx of the compose files; the URL without /ws."""
    nginx = Front(tmp_path, be=site.port(), ws=site.port(), tls=False)
    try:
        nginx.start()
        yield f"ws://127.0.0.1:{nginx.http}"
    finally:
        nginx.close()


@pytest.mark.nginx
def test_and_behind_the_compose_files_nginx(site: Site, fronted: str) -> None:
    judge(site, "GRS-E2E-2", play(fronted, "GRS-E2E-2"))


def sample(measurand: Measurand, unit: UnitOfMeasure, value: str) -> datatypes.SampledValue:
    return datatypes.SampledValue(
        value=value,
        context=ReadingContext.sample_periodic,
        format=ValueFormat.raw,
        measurand=measurand,
        phase=Phase.l1_n,
        location=Location.body,
        unit=unit,
    )


async def independent(url: str, identity: str) -> int:
    """The same story in the words of the PyPI package `ocpp`."""
    headers: dict[str, Any] = {"Origin": ORIGIN}
    samples = [
        sample(Measurand.current_import, UnitOfMeasure.a, "30.77"),
        sample(Measurand.power_active_import, UnitOfMeasure.w, "7148.96"),
        sample(Measurand.energy_active_import_register, UnitOfMeasure.wh, "70.14"),
    ]
    options = {"additional_headers": headers, "user_agent_header": "TinyWebsockets Client"}
    async with independent_charger(url, identity, subprotocols=None, **options) as charger:
        await charger.call(call.BootNotification("GRS-*", "United Chargers"))
        started = await charger.call(call.StartTransaction(1, "resident", 0, now(-120)))
        value = datatypes.MeterValue(timestamp=now(-5), sampled_value=samples)
        number = int(started.transaction_id)
        await charger.call(call.MeterValues(1, [value], transaction_id=number))
        charger.socket.transport.abort()
    async with independent_charger(url, identity, subprotocols=None, **options) as charger:
        await charger.call(call.BootNotification("GRS-*", "United Chargers"))
        await charger.call(call.StartTransaction(1, "resident", 0, now()))
    return number


def test_the_same_from_a_charger_stack_of_others(site: Site) -> None:
    number = asyncio.run(independent(site.url(), "GRS-E2E-3"))
    row = site.books.row(Transaction, "state", "energy", "power", pk=number)
    assert (row["state"], row["energy"]) == ("orphaned", Decimal("70.140"))


@pytest.mark.nginx
def test_the_same_from_a_charger_stack_of_others_behind_nginx(site: Site, fronted: str) -> None:
    number = asyncio.run(independent(f"{fronted}/ws", "GRS-E2E-4"))
    assert site.books.row(Transaction, "energy", pk=number) == {"energy": Decimal("70.140")}
