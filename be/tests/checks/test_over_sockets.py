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
