"""Whoever moves old rows is killed in the middle, again and again: nothing is lost or doubled.

Real processes that move in small steps (`levity_lab.hurry`), real days (`levity_lab.year`), and
chargers that send meanwhile. A hundred kills: `make moving-kills` (LEVITY_MOVING_KILLS,
LEVITY_MOVING_DAYS); here are a few.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.rabbitmq import unused_port

from levity.ocpp.models import Message, MeterValue
from tests.system.load import audit, busy_chargers
from tests.system.processes import python, run
from tests.system.site import Site, embedded, fleet

pytestmark = [pytest.mark.slow]

KILLS = int(os.environ.get("LEVITY_MOVING_KILLS") or 4)
CHARGERS, DAYS = 2, int(os.environ.get("LEVITY_MOVING_DAYS") or 1)
SEED = int(os.environ.get("LEVITY_MOVING_SEED") or 31)
# After the first row of a life has moved, a process lives at most so many seconds on.
LIVES = 0.15
HURRY = ("-m", "levity_lab.hurry")


class Days:
    """Those that are to be moved, and how much of them is still rows."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def ask(self, *words: str) -> Any:
        """What `levity_lab.year.past` says."""
        done = run(
            python("-m", "levity_lab.year.past", *words),
            self.site.environ,
            self.site.folder,
            within=900.0,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    def left(self) -> int:
        """Exchanges and MeterValues."""
        mine = {"charge_point__identity__startswith": "YEAR-"}
        return sum(self.site.books.count(model, **mine) for model in (Message, MeterValue))


@contextmanager
def a_site(shape: str, folder: Path, blocker: Any) -> Iterator[Site]:
    """Filled, and nothing of it moves yet."""
    if shape == "fleet":
        with fleet(folder, blocker, workers=0, edges=0) as site:
            yield site
    else:
        with embedded(folder, blocker, started=False) as site:
            site.environ["WS_PORT"], site.environ["HTTP_PORT"] = str(unused_port()), "0"
            yield site


def start(site: Site) -> None:
    """All processes that can move rows; those that run already are left alone."""
    if site.shape == "embedded":
        if any(each.running for each in site.workers):
            return
        process = site.start("serve", python(*HURRY, "serve", "--http-host", "127.0.0.1"))
        site.edges, site.workers = [process], [process]
        return
    site.workers = [each for each in site.workers if each.running]
    while len(site.workers) < 2:
        site.workers.append(site.start("worker", python(*HURRY, "consume_rpc_queue")))


def live_and_die(site: Site, days: Days, chance: Random) -> tuple[int, int]:
    """Let rows move for a moment and SIGKILL; how much was left before this life and after it."""
    before = left = days.left()
    start(site)
    ends = time.monotonic() + 90.0
    while left == before and left:
        assert time.monotonic() < ends, f"nothing moves: {site.workers[0].log}"
        left = days.left()
    time.sleep(chance.uniform(0, LIVES))
    is_all = len(site.workers) == 1 or chance.random() < 0.7
    for victim in site.workers if is_all else [chance.choice(site.workers)]:
        victim.kill()
    return before, days.left()


@pytest.mark.parametrize("shape", ["embedded", pytest.param("fleet", marks=pytest.mark.services)])
def test_killed_while_rows_move_nothing_is_lost_or_doubled(
    shape: str, tmp_path: Path, django_db_blocker: Any
) -> None:
    """Also a day's block and a session's trace that are written anew in many steps."""
    with a_site(shape, tmp_path, django_db_blocker) as site:
        days, chance = Days(site), Random(SEED)
        days.ask("fill", str(CHARGERS), str(DAYS))
        before = days.ask("picture")
        assert before["twice"] == []
        start(site)
        if shape == "fleet":
            site.start_edge()
        site.listens(site.edges[0])

        async def play() -> tuple[Any, list[tuple[int, int]]]:
            lives: list[tuple[int, int]] = []
            async with busy_chargers(site, 4, SEED, "KILL", seconds=60.0 + 15.0 * KILLS) as load:
                await load.answers(20)
                while len(lives) < KILLS and await asyncio.to_thread(days.left):
                    lives.append(await asyncio.to_thread(live_and_die, site, days, chance))
                    print(f"life {len(lives)}: {lives[-1]} rows left", flush=True)
                await asyncio.to_thread(start, site)
                async with asyncio.timeout(300):
                    while await asyncio.to_thread(days.left):  # noqa: ASYNC110  # rows
                        await asyncio.sleep(0.2)
                await load.answers(20)
            return load, lives

        load, lives = asyncio.run(play())
        said = audit(site.books, load)
        middle = sum(before > left > 0 for before, left in lives)
        print(f"{len(lives)} kills, {middle} of them in the middle of moving")
        print(f"{said.attempted} transaction messages of chargers, {said.acknowledged} answered")
        after = days.ask("picture")
        assert after["twice"] == []
        assert after["seen"] == before["seen"]
        assert said.faults == {}
        assert middle == KILLS
