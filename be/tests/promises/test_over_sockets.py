"""What only real sockets can show of section D: half-open ones, and new beside old."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.chargers import RawCharger, raw_charger

from levity.ocpp.models import ChargePoint, ConnectionEvent
from tests.system.processes import eventually
from tests.system.site import Site, embedded

ROUNDS = 100


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Site]:
    """`levity serve` on SQLite."""
    with embedded(tmp_path_factory.mktemp("sockets"), django_db_blocker) as running:
        yield running
        assert running.tracebacks() == []


async def time_of_day(charger: RawCharger) -> str:
    """A Heartbeat and its answer, whatever comes before it."""
    charger.send('[2,"time","Heartbeat",{}]')
    while (answer := json.loads(await charger.text()))[1] != "time":
        pass
    return str(answer[2]["currentTime"])


async def reconnects_beside_its_dead_socket(stack: AsyncExitStack, port: int, path: str) -> None:
    """The power was cut, or the mobile network has forgotten the connection: no FIN ever comes.

    The old socket stays open here, unread and unclosed, until all is over.
    """
    old = await stack.enter_async_context(raw_charger(port, path))
    await time_of_day(old)
    new = await stack.enter_async_context(raw_charger(port, path))
    assert new.status == 101
    assert await time_of_day(new)
    # The old one is told to go; it does not hear it.
    assert await old.frame() == (8, b"\x03\xe8a newer connection took over")
    assert await time_of_day(new)


@pytest.mark.slow
def test_a_charger_is_served_beside_its_half_open_old_socket(site: Site) -> None:
    """D-22, D-21: 100 of 100, and none is ever shown as offline."""
    names = {f"HALF-{number}" for number in range(ROUNDS)}

    def online() -> int:
        mine = {"identity__startswith": "HALF-", "connection__isnull": False}
        return site.books.count(ChargePoint, **mine)

    def looks() -> tuple[list[tuple[Any, ...]], int]:
        """How the old sockets ended, once the edge has ended them all; how many are online then."""
        gone = {"identity__in": names, "kind": "disconnected"}
        ended = eventually(
            lambda: site.books.rows(ConnectionEvent, "code", **gone), [(1000,)] * ROUNDS
        )
        return ended, online()

    async def play() -> tuple[list[tuple[Any, ...]], int]:
        async with AsyncExitStack() as stack:
            for name in sorted(names):
                await reconnects_beside_its_dead_socket(stack, site.port(), f"/ws/{name}")
            # No close frame comes back: the edge ends the old sockets by itself, and nobody else.
            return await asyncio.to_thread(looks)

    assert asyncio.run(play()) == ([(1000,)] * ROUNDS, ROUNDS)
    assert eventually(online, 0) == 0


GRIZZL_E = {"chargePointVendor": "United Chargers", "chargePointModel": "GRS-32A"}
COMPRESSED = b"\xaa\x56\x4a\x2c\x28\x50\xd2\x51\x02\x00"


def masked(first: int, payload: bytes) -> bytes:
    """A frame with this first byte: its reserved bits and its opcode."""
    return bytes((first, 0x80 | len(payload))) + bytes(4) + payload


@pytest.mark.slow
def test_a_grizzl_e_that_sends_pongs_nobody_asked_for_stays_connected(site: Site) -> None:
    """I-20, and the row of QUIRKS.md: no pings are sent, so there is nothing to answer wrongly;
    what comes all the same is ignored, and its heartbeats are what counts."""

    async def play() -> tuple[bool, list[Any]]:
        async with raw_charger(
            site.port(), "/ws/GRS-1", "User-Agent: TinyWebsockets Client"
        ) as one:
            assert one.header("Sec-WebSocket-Protocol") is None
            one.send(json.dumps([2, "1", "BootNotification", GRIZZL_E]))
            said = json.loads(await one.text())
            assert said[2]["status"] == "Accepted"
            for payload in (b"", b"hello", b"\x00\xff" * 60):
                for _ in range(10):
                    one.send_frame(10, payload)
                assert await time_of_day(one)
            online = await asyncio.to_thread(
                site.books.count, ChargePoint, identity="GRS-1", connection__isnull=False
            )
            events = await asyncio.to_thread(
                site.books.rows, ConnectionEvent, "kind", identity="GRS-1"
            )
            # All frames up to here were answers: the edge has sent no ping.
            return online == 1, events

    assert asyncio.run(play()) == (True, [("connected",)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "frame", "reason"),
    [
        ("RSV-1", masked(0xC1, COMPRESSED), "reserved bits must be 0"),
        ("RSV-2", masked(0xA1, b"[2]"), "reserved bits must be 0"),
        ("RSV-3", masked(0x91, b"[2]"), "reserved bits must be 0"),
        ("OPCODE-3", masked(0x83, b"[2]"), "invalid opcode"),
    ],
)
def test_reserved_bits_and_compression_that_nobody_agreed_on_close_cleanly_with_the_reason(
    site: Site, name: str, frame: bytes, reason: str
) -> None:
    """I-18, and the row of QUIRKS.md: listed with the reason, and the next connection is served."""

    async def play() -> tuple[int, str]:
        offer = "Sec-WebSocket-Extensions: permessage-deflate"
        async with raw_charger(site.port(), f"/ws/{name}", offer) as charger:
            assert charger.header("Sec-WebSocket-Extensions") is None
            assert await time_of_day(charger)
            charger.writer.write(frame)
            closed = await charger.close_frame()
            await charger.end_of_stream()
        async with raw_charger(site.port(), f"/ws/{name}") as charger:
            assert await time_of_day(charger)
        return closed

    code, said = asyncio.run(play())
    assert code == 1002

    def how_it_ended() -> list[Any]:
        return site.books.rows(
            ConnectionEvent, "code", "reason", identity=name, kind="disconnected"
        )[:1]

    wanted = [(1002, reason)]
    assert eventually(how_it_ended, wanted) == wanted
    assert reason.startswith(said.rstrip("."))
