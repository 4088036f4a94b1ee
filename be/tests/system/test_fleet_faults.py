"""What the fleet shape survives: killed workers, a broker and a database that go, dead edges.

Chargers under load write ledgers, which are held against the database at the end.
(Promises 1, 2, 3, 5 and 6 of the design.)

LEVITY_WORKER_KILLS says how many workers are killed: 8 here, 20 in `make trouble`.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from tests.chargers import raw_charger
from tests.rabbitmq import AMQP_URL, TcpProxy

from levity.ocpp.models import ChargePoint
from tests.system.load import audit, busy_chargers
from tests.system.processes import eventually
from tests.system.site import Site, fleet

# Limits of time are what it promises.
pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timed]

SEED = 20260501
KILLS = int(os.environ.get("LEVITY_WORKER_KILLS", "8"))


@pytest.fixture(scope="module")
def broker() -> Iterator[TcpProxy]:
    """A wire to the broker that the test can cut."""
    parts = urlsplit(AMQP_URL)
    proxy = TcpProxy(parts.hostname or "localhost", parts.port or 5672)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def troubled(
    broker: TcpProxy, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[Site]:
    """Two workers and two edges. Each test leaves as many behind."""
    parts = urlsplit(AMQP_URL)
    credentials = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
    with fleet(
        tmp_path_factory.mktemp("troubled"),
        django_db_blocker,
        amqp_url=f"amqp://{credentials}@127.0.0.1:{broker.port}{parts.path or '/'}",
        DJANGO_SETTINGS_MODULE="tests.system.quick_settings",
    ) as site:
        yield site


def test_killed_workers_lose_nothing_and_double_nothing(troubled: Site) -> None:
    async def play() -> Any:
        async with busy_chargers(troubled, 60, SEED, "KILL") as load:
            await load.answers(200)
            for number in range(KILLS):
                victim = troubled.workers[number % 2]
                await asyncio.to_thread(victim.line, "worker takes batches")
                await load.answers(15)
                victim.kill()
                troubled.replace_worker(victim)
                # As many answers as with twenty.
                await load.answers(200 + 15 * max(20 - KILLS, 0))
        return load

    load = asyncio.run(play())
    found = audit(troubled.books, load)
    print(f"{found.attempted} transaction messages attempted, {found.acknowledged} acknowledged")
    assert found.faults == {}
    assert found.acknowledged > 400
    statistics = load.statistics
    assert (statistics.call_errors, statistics.timeouts, statistics.lost) == ({}, 0, 0)
    # No answer came twice, though many a batch was taken twice.
    assert statistics.bad_frames == 0


def test_broker_that_goes_away_and_comes_back_costs_only_time(
    troubled: Site, broker: TcpProxy
) -> None:
    async def play() -> Any:
        async with busy_chargers(troubled, 20, SEED + 1, "CUT") as load:
            for _ in range(3):
                await load.answers(60)
                broker.cut()
                # Everything under way hangs now: chargers wait, at most 20 s.
                await asyncio.sleep(1)
                broker.heal()
            await load.answers(60)
        return load

    load = asyncio.run(play())
    found = audit(troubled.books, load)
    assert found.faults == {}
    assert load.statistics.call_errors == {}


def test_database_that_drops_every_connection_costs_only_time(troubled: Site) -> None:
    def drop_everybody() -> int:
        connection = psycopg2.connect(troubled.environ["DATABASE_URL"])
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                return int(cursor.fetchone()[0])
        finally:
            connection.close()

    async def play() -> tuple[Any, int]:
        dropped = 0
        async with busy_chargers(troubled, 20, SEED + 2, "DROP") as load:
            for _ in range(10):
                await load.answers(30)
                dropped += await asyncio.to_thread(drop_everybody)
            await load.answers(60)
        return load, dropped

    load, dropped = asyncio.run(play())
    assert dropped >= 10
    assert audit(troubled.books, load).faults == {}
    statistics = load.statistics
    assert (statistics.call_errors, statistics.timeouts, statistics.lost) == ({}, 0, 0)


def test_edges_restarted_one_after_the_other_say_1012_and_lose_nothing(troubled: Site) -> None:
    """F-15: the chargers come back at the other edge meanwhile."""

    async def play() -> tuple[Any, list[tuple[tuple[int, str], int]]]:
        ends = []
        async with busy_chargers(troubled, 20, SEED + 3, "TERM") as load:
            await load.answers(60)
            for number in (1, 0):
                async with raw_charger(troubled.port(number), "/ws/TERM-RAW") as charger:
                    edge = troubled.edges[number]
                    edge.send_signal(signal.SIGTERM)
                    goodbye = await charger.close_frame()
                    await charger.close()
                ends.append((goodbye, await asyncio.to_thread(edge.wait)))
                await load.answers(60)
                # On the port of the old one: the chargers know no other.
                await asyncio.to_thread(troubled.replace_edge, edge)
                await load.answers(60)
        return load, ends

    load, ends = asyncio.run(play())
    assert ends == [((1012, "restarting"), 0)] * 2
    assert audit(troubled.books, load).faults == {}
    assert load.statistics.call_errors == {}


def test_chargers_of_a_killed_edge_are_off_line_or_elsewhere_within_30_seconds(
    troubled: Site,
) -> None:
    def edges() -> list[tuple[str, str | None]]:
        return [
            (identity, edge)
            for identity, edge in troubled.books.rows(
                ChargePoint, "identity", "edge", identity__startswith="DEAD-"
            )
        ]

    async def play() -> None:
        async with (
            raw_charger(troubled.port(1), "/ws/DEAD-1") as moves,
            raw_charger(troubled.port(1), "/ws/DEAD-2") as stays,
        ):
            for charger in (moves, stays):
                charger.send('[2,"1","Heartbeat",{}]')
                await charger.text()
            [(_, dead), (_, same)] = await asyncio.to_thread(edges)
            assert dead == same is not None
            killed = troubled.edges[1]
            killed.kill()
            await moves.end_of_stream()
            async with raw_charger(troubled.port(0), "/ws/DEAD-1") as moved:
                moved.send('[2,"1","Heartbeat",{}]')
                await moved.text()
                [(_, other), _] = await asyncio.to_thread(edges)
                assert other not in (None, dead)
                # It says nothing more: it is the edge's sign of life that keeps it on line.
                wanted = [("DEAD-1", other), ("DEAD-2", None)]
                assert await asyncio.to_thread(eventually, edges, wanted, within=30) == wanted
            await asyncio.to_thread(troubled.replace_edge, killed)

    asyncio.run(play())
