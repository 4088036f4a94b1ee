"""Who is on line while an edge stands still, and afterwards: a minute, so for `make trouble`."""

import asyncio
import itertools
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chargers import RawCharger, raw_charger

from levity.ocpp.models import ChargePoint
from tests.system.processes import eventually
from tests.system.site import Site, fleet

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def two_edges(tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    with fleet(tmp_path, django_db_blocker) as site:
        yield site


def test_chargers_of_an_edge_that_stands_still_are_off_line_or_elsewhere_and_then_back(
    two_edges: Site,
) -> None:
    """F-14, F-16, F-17: SIGSTOP for 40 s, as behind a cut network. Never at both, never stuck."""

    def edges() -> list[tuple[str, str | None]]:
        return [
            (identity, edge)
            for identity, edge in two_edges.books.rows(
                ChargePoint, "identity", "edge", identity__startswith="STILL-"
            )
        ]

    async def become(wanted: list[tuple[str, str | None]]) -> None:
        assert await asyncio.to_thread(eventually, edges, wanted, within=30) == wanted

    async def beat(charger: RawCharger) -> None:
        charger.send(f'[2,"{next(numbers)}","Heartbeat",{{}}]')
        await charger.text()

    async def play() -> None:
        async with (
            raw_charger(two_edges.port(1), "/ws/STILL-1") as moves,
            raw_charger(two_edges.port(1), "/ws/STILL-2") as stays,
        ):
            await beat(moves)
            await beat(stays)
            [(_, still), (_, same)] = await asyncio.to_thread(edges)
            assert still == same is not None
            two_edges.edges[1].send_signal(signal.SIGSTOP)
            stopped = time.monotonic()
            try:
                await become([("STILL-1", None), ("STILL-2", None)])
                async with raw_charger(two_edges.port(0), "/ws/STILL-1") as moved:
                    await beat(moved)
                    [(_, other), _] = await asyncio.to_thread(edges)
                    assert other not in (None, still)
                    await asyncio.sleep(40 - (time.monotonic() - stopped))
                    two_edges.edges[1].send_signal(signal.SIGCONT)
                    # Neither says a word: the edge announces what hangs on it, and the old
                    # socket of the one that has moved takes nothing back.
                    await become([("STILL-1", other), ("STILL-2", still)])
                    await beat(stays)
                    await beat(moved)
                    assert await asyncio.to_thread(edges) == [
                        ("STILL-1", other),
                        ("STILL-2", still),
                    ]
            finally:
                two_edges.edges[1].send_signal(signal.SIGCONT)

    numbers = itertools.count()
    asyncio.run(play())
