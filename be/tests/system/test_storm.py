"""A reconnect storm: those inside go on being served, and everybody gets in.

LEVITY_STORM says how many come at once: 1,000 here, 10,000 in `make storm`.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.chargers import raw_charger

from tests.system.site import Site, fleet

# What those inside wait for is measured.
pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.exclusive]

STORM = int(os.environ.get("LEVITY_STORM", "1000"))
INSIDE = 100
MIB = 1024 * 1024


@pytest.fixture
def calm(tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    with fleet(tmp_path, django_db_blocker, workers=2, edges=1) as site:
        yield site


async def inside(site: Site, number: int, enough: asyncio.Event, waits: list[float]) -> None:
    """A charger that is served already, and sends a Heartbeat every second."""
    async with raw_charger(site.port(), f"/ws/INSIDE-{number}") as charger:
        assert charger.status == 101
        while not enough.is_set():
            began = time.monotonic()
            charger.send('[2,"1","Heartbeat",{}]'.replace("1", str(int(began * 1000)), 1))
            await charger.text()
            waits.append(time.monotonic() - began)
            await asyncio.sleep(1)


def p95(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.95)]


def test_storm_of_connects_starves_nobody_and_everybody_gets_in(calm: Site) -> None:
    """F-20, F-21: all in the same second. Everybody is in within 120 s, whatever their number is
    up to 10,000; those inside wait no longer than a second; the edge stays small."""
    edge = psutil.Process(calm.edges[0].pid)

    async def play() -> tuple[dict[str, Any], list[float], list[float], float]:
        enough = asyncio.Event()
        waits: list[float] = []
        async with asyncio.TaskGroup() as group:
            for number in range(INSIDE):
                group.create_task(inside(calm, number, enough, waits))
            await asyncio.sleep(4)
            before, waits[:] = list(waits), []
            stormers = subprocess.Popen(  # noqa: ASYNC220
                [
                    sys.executable,
                    Path(__file__).with_name("stormers.py"),
                    str(calm.port()),
                    str(STORM),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "STORM_FACTOR": os.environ.get("STORM_FACTOR", "1")},
            )
            try:
                assert stormers.stdout is not None
                line = await asyncio.wait_for(asyncio.to_thread(stormers.stdout.readline), 120)
                during = list(waits)
                size = edge.memory_info().rss / MIB
            finally:
                enough.set()
                stormers.kill()
                await asyncio.to_thread(stormers.communicate)
        return json.loads(line), before, during, size

    report, before, during, size = asyncio.run(play())
    print(
        f"{STORM} at once: {report}; those inside p95 {p95(before) * 1000:.0f} ms before, "
        f"{p95(during) * 1000:.0f} ms during (longest {max(during) * 1000:.0f} ms); "
        f"edge {size:.0f} MiB"
    )
    assert report["all in after"] <= 120
    assert p95(during) <= 1
    assert size <= 300
