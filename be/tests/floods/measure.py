"""`make flood`: what a hostile charger costs the others, I-19 and I-24 of docs/checks.md.

`levity serve` with twenty ordinary chargers, turns with the flood and turns without it by turns:
only their ratio in one run means anything on a machine that does other things, too. Not in
`make test`, where the figures of a busy machine would be noise.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from random import random
from statistics import mean, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.chargers import RawCharger, raw_charger

from tests.floods.flooder import KINDS
from tests.system.processes import Process, python
from tests.system.site import Site, embedded

TURN = float(os.environ.get("LEVITY_FLOOD_SECONDS") or 2.5)
ROUNDS = 3
CHARGERS, PAUSE = 20, 0.2
MOST_CPU, MOST_SLOWER = 0.5, 1.1
NUMBER = count()


@pytest.fixture
def site(django_db_blocker: Any) -> Iterator[Site]:
    """`levity serve` on SQLite, in memory where there is such a folder: a disk has its own p95."""
    memory = Path("/dev/shm")
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        embedded(Path(folder), django_db_blocker) as running,
    ):
        yield running
        assert running.tracebacks() == []


def cpu_of(process: Process) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def ordinary(charger: RawCharger, until: float, number: Iterator[int]) -> list[float]:
    """A Heartbeat now and then; the seconds to each answer."""
    took = []
    # Not all of them at the same moment.
    await asyncio.sleep(PAUSE * random())
    while (began := time.perf_counter()) < until:
        charger.send(f'[2,"{next(number)}","Heartbeat",{{}}]')
        assert json.loads(await charger.text())[0] == 3
        took.append(time.perf_counter() - began)
        await asyncio.sleep(PAUSE)
    return took


async def turn(site: Site, chargers: list[RawCharger], kind: str) -> tuple[list[float], float]:
    """(seconds to each answer of the ordinary ones, cores of the server) with this flood."""
    flooder = None
    if kind:
        # Another one each time: an identity that floods is kept out for a while.
        name = f"FLOOD-{kind}-{next(NUMBER)}"
        command = python(Path(__file__).with_name("flooder.py"), kind, str(site.port()), name)
        flooder = site.start("flooder", command)
        await asyncio.sleep(0.3)
    try:
        used, began = cpu_of(site.edges[0]), time.perf_counter()
        took = await asyncio.gather(*(ordinary(each, began + TURN, NUMBER) for each in chargers))
        cores = (cpu_of(site.edges[0]) - used) / (time.perf_counter() - began)
        if flooder is not None:
            assert flooder.running, flooder.log
    finally:
        if flooder is not None:
            flooder.kill()
    return [one for each in took for one in each], cores


async def measured(site: Site) -> list[tuple[str, float, float, float, float]]:
    """(flood, p95 without, p95 with, cores without, cores with) of each."""
    async with AsyncExitStack() as stack:
        chargers = [
            await stack.enter_async_context(raw_charger(site.port(), f"/ws/ORDINARY-{number}"))
            for number in range(CHARGERS)
        ]
        # The first turn warms up.
        await turn(site, chargers, "")
        lines = []
        for kind in os.environ.get("LEVITY_FLOODS", "").split() or KINDS:
            turns = [await turn(site, chargers, now) for _ in range(ROUNDS) for now in ("", kind)]
            alone, during = turns[::2], turns[1::2]
            lines.append((kind, _p95(alone), _p95(during), _cores(alone), _cores(during)))
    return lines


def _p95(turns: list[tuple[list[float], float]]) -> float:
    return quantiles([one for took, _ in turns for one in took], n=20)[-1]


def _cores(turns: list[tuple[list[float], float]]) -> float:
    return mean(cores for _, cores in turns)


def test_a_flood_hurts_nobody_else(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """I-19, I-24: others' p95 at most a tenth more, at most half a core."""
    try:
        lines = asyncio.run(measured(site))
    except (AssertionError, OSError) as error:
        raise AssertionError(f"an ordinary charger was hurt:\n{site.edges[0].log}") from error
    head = ("flood", "p95 alone", "p95 with", "ratio", "cores alone", "with")
    table = ["{:<10} {:>10} {:>10} {:>6} {:>12} {:>6}".format(*head)]
    for kind, alone, during, idle, busy in lines:
        table.append(
            f"{kind:<10} {alone * 1000:>7.1f} ms {during * 1000:>7.1f} ms {during / alone:>6.2f}"
            f" {idle:>12.2f} {busy:>6.2f}"
        )
    with capsys.disabled():
        print("\n\n" + "\n".join(table) + "\n")
    for kind, alone, during, idle, busy in lines:
        assert during <= MOST_SLOWER * alone, kind
        assert busy - idle <= MOST_CPU, kind
