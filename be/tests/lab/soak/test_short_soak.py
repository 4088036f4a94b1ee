"""The short, deterministic set of `make soak`, on the services that the tests have.

F-02, F-10..17, F-19, F-21, T-01, T-02: one crew of chargers, one fault after the other, the
verdict of the ledgers at the end. What harms broker or database themselves is in `make soak`.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.rabbitmq import AMQP_URL

from levity_lab.soak.faults import FAULTS, Fault, chosen
from levity_lab.soak.programs import SoakError
from levity_lab.soak.rounds import Round, play
from levity_lab.soak.run import at_the_end
from levity_lab.soak.scene import Scene
from levity_lab.soak.site import Site

DATABASE_URL = os.environ.get("DATABASE_URL") or ""
if not DATABASE_URL.startswith("postgres"):
    DATABASE_URL = "postgres://postgres@127.0.0.1:5432/postgres"
SEED = 1
# In this order, each for so many seconds.
MEDLEY = (
    ("worker-kill", 2.5),
    ("worker-dies-after-commit", 2.5),
    ("edges-kill", 1.0),
    ("charger-power-cut", 1.0),
    ("worker-database-cut", 2.0),
    ("database-terminates", 2.0),
    ("edge-broker-cut", 2.0),
    ("worker-term", 0.0),
)
# More seconds than this in the middle of a transaction, and the worker waits for something else.
IDLE = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state =\
 'idle in transaction' AND state_change < now() - interval '5 seconds'"


@contextlib.asynccontextmanager
async def medley(scene: Scene) -> AsyncIterator[None]:
    """All of them, one after the other, with time to recover between."""
    for name, seconds in MEDLEY:
        async with FAULTS[name].harm(scene):
            await asyncio.sleep(seconds)
        await asyncio.sleep(1.0)
        ((idle,),) = await asyncio.to_thread(scene.site.database.rows, IDLE)
        if idle:
            scene.odd.append(f"{idle} sessions idle in a transaction after {name} (T-02)")
    yield


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.timed
def test_one_fault_after_the_other_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """Promises 1, 2, 3, 5 and 6. A failing seed: `levity soak --faults NAME --seeds N`."""
    fault = Fault("medley", "one fault after the other", medley, 0.0)

    async def run() -> tuple[Round, list[str]]:
        site = Site(borrowed=(AMQP_URL, DATABASE_URL), seed=SEED)
        try:
            await site.open()
            played = await play(
                site, fault, SEED, chargers=15, factor=90.0, ledgers=tmp_path / "ledgers"
            )
            return played, at_the_end(site)
        finally:
            await site.close(tmp_path / "logs")

    played, left = asyncio.run(run())
    counts = played.counts
    print(f"{counts.attempted} attempted, {counts.acknowledged} acknowledged")
    print("\n".join([*counts.examples, *played.odd, *left]))
    wrong = [counts.lost, counts.duplicated, counts.unexpected, counts.refused, counts.unanswered]
    assert (wrong, counts.examples, played.odd, left) == ([0] * 5, [], [], [])
    assert played.normal_after is not None
    assert counts.acknowledged > 200
    assert played.counted["kills"] >= 3
    assert played.counted["sessions ended"] >= 2


@pytest.mark.parametrize(
    ("check", "faults"),
    [
        ("F-01", "broker-away broker-away-5-minutes"),
        ("F-02", "broker-restart broker-closes-connections twenty-broker-restarts"),
        ("F-03", "broker-kill"),
        ("F-04", "broker-memory-alarm broker-disk-alarm broker-disk-full"),
        ("F-05", "broker-stop broker-stop-2-minutes"),
        ("F-06", "database-stop database-away database-away-5-minutes worker-database-stall"),
        ("F-07", "database-restart-fast database-restart-immediate database-kill"),
        ("F-08", "database-backend-kill database-terminates database-connections"),
        ("F-09", "database-disk-full database-read-only"),
        ("F-10", "worker-kill workers-kill worker-dies-before-commit hundred-worker-kills"),
        ("F-11", "worker-dies-after-commit"),
        ("F-12", "worker-term"),
        ("F-13", "workers-away workers-stop workers-away-2-minutes worker-broker-cut"),
        ("F-14", "edge-kill edges-kill edge-abandoned"),
        ("F-15", "edge-term"),
        ("F-16", "edge-kill edge-stop charger-cut"),
        ("F-17", "edge-broker-cut edge-broker-stall"),
        ("F-18", "charger-bad-line"),
        ("F-19", "charger-power-cut charger-stall"),
        ("F-21", "charger-storm"),
        ("F-22", "worker-slow worker-slow-10-minutes"),
        ("F-23", "charger-slow-line"),
        ("F-24", "poison-raise poison-hang"),
        ("F-25", "poison-kill"),
        ("F-26", "log-disk-full"),
        ("D-20", "clock-worker-forward clock-worker-back clock-edge-forward clock-edge-back"),
        ("T-18", "database-deadlocks"),
        ("T-19", "database-long-lock database-cancels"),
    ],
)
def test_make_soak_has_faults_for_this_check(check: str, faults: str) -> None:
    """The table names the checks that a fault is about, and none of these goes missing."""
    for name in faults.split():
        assert check in FAULTS[name].checks, name


def test_there_are_more_than_thirty_kinds_of_fault() -> None:
    """F-28: by default each once, by chance for as long as `--length` says."""
    every = chosen([])
    assert len(every) >= 50
    assert not any(fault.long for fault in every)
    assert len(FAULTS) == len(every) + sum(fault.long for fault in FAULTS.values())


def test_faults_are_chosen_by_name_and_pattern() -> None:
    """What means nothing is named; a long one is meant only in full."""
    assert [fault.name for fault in chosen(["edge-kill", "edges-*"])] == ["edge-kill", "edges-kill"]
    assert "broker-away-5-minutes" not in [fault.name for fault in chosen(["broker-*"])]
    assert [fault.name for fault in chosen(["broker-away-5-minutes"])] == ["broker-away-5-minutes"]
    assert not any(fault.name.startswith("clock-") for fault in chosen(["!clock-*"]))
    with pytest.raises(SoakError, match="no fault is called 'brokr-'"):
        chosen(["brokr-"])
    with pytest.raises(SoakError, match="no fault is left"):
        chosen(["edge-kill", "!edge-*"])
