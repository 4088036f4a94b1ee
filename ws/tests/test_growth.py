"""Nothing of a connection stays behind when it is gone.

LEVITY_CHURN says how often chargers connect and go: 3,000 here, 100,000 before a release.
"""

import asyncio
import gc
import logging
import os

import psutil
import pytest
from tests.backend import ScriptedBackend
from tests.chargers import raw_charger

from levity_ws.edge.server import EdgeServer
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.memory import MemoryBroker

CYCLES = int(os.environ.get("LEVITY_CHURN", "3000"))
AT_ONCE, ROUND = 20, 1000
MIB = 1024 * 1024


@pytest.mark.slow
async def test_connecting_and_going_over_and_over_grows_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """T-22: 20 MiB at most, after a warm-up."""
    # Or what grows is pytest's memory of two log lines for each connection.
    caplog.set_level(logging.WARNING, logger="levity_ws.edge")
    broker = MemoryBroker()
    backend = ScriptedBackend(broker.worker_transport())
    settings = EdgeSettings(host="127.0.0.1", port=0, max_connect_rate=0, close_timeout=0.3)
    edge = EdgeServer(settings, broker.edge_transport())
    await edge.start()
    process = psutil.Process()

    async def cycles(count: int, name: str) -> None:
        for number in range(count // AT_ONCE):
            async with raw_charger(edge.port, f"/ws/{name}-{number % 500}") as charger:
                charger.send("frame")
                await charger.text()

    async def churn(count: int) -> int:
        for _ in range(count // ROUND):
            await asyncio.gather(*(cycles(ROUND, f"C{name}") for name in range(AT_ONCE)))
            async with asyncio.timeout(60):
                while edge.relay._lanes or edge._everyone:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            # The test's own memory of what it saw.
            backend.events.clear()
            backend.batches.clear()
        gc.collect()
        return int(process.memory_info().rss)

    before = await churn(1000)
    after = await churn(CYCLES)
    print(f"{CYCLES} cycles: {before / MIB:.1f} MiB before, {after / MIB:.1f} MiB after")
    assert after - before <= 20 * MIB
    batches = edge.relay._batches
    assert not any((edge.relay._verdicts, batches.under_way, batches.waiting, batches._tasks))
    assert edge._handshakes.admission.connections == 0
    await edge.stop()
    backend.stop()
