"""`make flood`: what a hostile charger costs the others, I-19 and I-24 of docs/evidence/checks.md.

`levity serve` with twenty ordinary chargers, turns with the flood and turns without it by turns:
only their ratio in one run means anything on a machine that does other things, too. Not in
`make test`, where the figures of a busy machine would be noise.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from itertools import count
from pathlib import Path
from random import random
from statistics import mean, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest
from tests.chargers import RawCharger, raw_charger

from tests.promises.floods.flooder import KINDS
from tests.system.processes import Process, python
from tests.system.site import Site, embedded

TURN = float(os.environ.get("LEVITY_FLOOD_SECONDS") or 5)
ROUNDS, PAIRS = 3, {"statuses": 1}
CHARGERS, PAUSE = 20, 0.2
MOST_CPU, MOST_SLOWER = 0.5, 1.1
WARM_UP = 1.0
NUMBER = count()

Turn = tuple[list[float], float]
"""The seconds to each answer, and the cores that the server took."""


@contextmanager
def fresh_site(blocker: Any) -> Iterator[Site]:
    """`levity serve` on SQLite, in memory where there is such a folder: a disk has its own p95.

    Fresh for each round: what a flood of messages has left in TCP is read at the pace, long after
    its end, and a turn without the flood would not be one.
    """
    memory = Path("/dev/shm")
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        embedded(Path(folder), blocker) as running,
    ):
        yield running
        assert running.tracebacks() == []


def cpu_of(process: Process) -> float:
    """Seconds of processor time so far, of the edge beside it as well."""
    whole = psutil.Process(process.pid)
    times = [each.cpu_times() for each in (whole, *whole.children(recursive=True))]
    return sum(one.user + one.system for one in times)


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


async def turn(site: Site, chargers: list[RawCharger], kind: str, seconds: float = TURN) -> Turn:
    """(seconds to each answer of the ordinary ones, cores of the server) with this flood."""
    flooder = None
    if kind:
        # Another one each time: an identity that floods is kept out for a while.
        name = f"FLOOD-{next(NUMBER)}"
        command = python(Path(__file__).with_name("flooder.py"), kind, str(site.port()), name)
        flooder = site.start("flooder", command)
        await asyncio.sleep(0.3)
    try:
        used, began = cpu_of(site.edges[0]), time.perf_counter()
        took = await asyncio.gather(*(ordinary(each, began + seconds, NUMBER) for each in chargers))
        cores = (cpu_of(site.edges[0]) - used) / (time.perf_counter() - began)
        if flooder is not None:
            assert flooder.running, flooder.log
    finally:
        if flooder is not None:
            flooder.kill()
    return [one for each in took for one in each], cores


async def one_round(site: Site, kind: str, pairs: int) -> list[tuple[Turn, Turn]]:
    """So many times a turn alone and one with the flood."""
    async with AsyncExitStack() as stack:
        chargers = [
            await stack.enter_async_context(raw_charger(site.port(), f"/ws/ORDINARY-{number}"))
            for number in range(CHARGERS)
        ]
        await turn(site, chargers, "", WARM_UP)
        return [
            (await turn(site, chargers, ""), await turn(site, chargers, kind)) for _ in range(pairs)
        ]


def _p95(turns: Sequence[Turn]) -> float:
    return quantiles([one for took, _ in turns for one in took], n=20)[-1]


def _cores(turns: Sequence[Turn]) -> float:
    return mean(cores for _, cores in turns)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_hurts_nobody_else(
    kind: str, django_db_blocker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """I-19, I-24: others' p95 at most a tenth more, at most half a core."""
    rounds: list[tuple[Turn, Turn]] = []
    for _ in range(ROUNDS):
        with fresh_site(django_db_blocker) as site:
            try:
                rounds += asyncio.run(one_round(site, kind, PAIRS.get(kind, 2)))
            except (AssertionError, OSError) as error:
                log = site.edges[0].log
                raise AssertionError(f"an ordinary charger was hurt:\n{log}") from error
    alone, during = zip(*rounds, strict=True)
    before, after = _p95(alone), _p95(during)
    with capsys.disabled():
        print(
            f"\n{kind}: p95 of the others {before * 1000:.1f} ms alone, {after * 1000:.1f} ms with"
            f" it ({after / before:.2f}); the server takes {_cores(alone):.2f} and"
            f" {_cores(during):.2f} cores"
        )
    assert after <= MOST_SLOWER * before
    assert _cores(during) - _cores(alone) <= MOST_CPU
