"""One round: the load generator against one system, watched."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from levity_lab.bench.figures import QUIET, Idle, Round, cpu_per_message, per_message
from levity_lab.bench.growth import WAL, Growth
from levity_lab.bench.processes import BenchError, Started, python, running
from levity_lab.bench.stage import Stage
from levity_lab.bench.systems import System
from levity_lab.bench.usage import Watch, of_children

__all__ = ["held", "idle_round", "load_round"]

WARM_UP = 3.0
# The chargers spread over the session first, as fast as they can; the automatic starts of that are
# sent a second later, and belong to the ramp as well.
# Beyond ramp, warm-up and the measured time.
_PATIENCE = 60.0
_SETTLE_SECONDS = 1.0


def load_round(
    stage: Stage,
    system: System,
    *,
    charge_points: int,
    seconds: float,
    rate: float | None,
    quiet: bool = False,
) -> Round:
    """Measure `seconds` of full sessions; closed loop, or paced where there is a rate.

    `quiet`: the connectors are Charging at once, so that no automatic start follows.
    """
    arguments = [
        *("--url", system.url, "--charge-points", str(charge_points)),
        *("--seconds", str(seconds), "--warm-up", str(WARM_UP), "--json"),
        *("--prefix", f"BENCH-{system.name.upper()}"),
        *(("--rate", str(rate)) if rate else ()),
        *(("--plugged-status", "Charging") if quiet else ()),
    ]
    with (
        _written(stage, system) as written,
        _generator(stage, arguments) as load,
        Watch({**system.groups, "load": of_children([load.pid])}) as watch,
    ):
        result = _result(load, seconds)
        memory = watch.memory_mb()
    for process in system.processes:
        process.check()
    begin, messages = result["opened_at"], result["messages"]
    end = begin + result["seconds"]
    stored = per_message(written.bytes_grown(begin, end) if written else {}, messages)
    return Round(
        system=system.name,
        mode=QUIET if quiet else result["mode"],
        rate=result["rate"],
        messages=messages,
        seconds=result["seconds"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        call_errors=result["call_errors"],
        disconnects=result["disconnects"],
        unanswered=result["unanswered"],
        calls_received=result["calls_received"],
        cpu_ms=cpu_per_message(watch.cpu_seconds(begin, end), messages),
        memory_mb=memory,
        wal_bytes=stored.pop(WAL, 0.0),
        stored_bytes=stored,
    )


@contextlib.contextmanager
def _written(stage: Stage, system: System) -> Iterator[Growth | None]:
    """What the system writes to Postgres; None where it has another database."""
    if not system.tables:
        yield None
        return
    with Growth(stage.database_url, system.tables) as growth:
        yield growth


def idle_round(stage: Stage, system: System, connections: int) -> Idle:
    """Open this many connections, boot them, and see what they cost while they say nothing.

    The system's edge must be a new one: memory that it used before would be used again.
    """
    # The first connections bring what every edge needs, however few hang on it.
    with held(stage, system, min(50, connections), "FIRST"):
        pass
    with Watch(system.groups) as watch:
        time.sleep(_SETTLE_SECONDS)
        before, begin = watch.memory_mb()["edge"], time.time()
        arguments = (
            *("--url", system.url, "--charge-points", str(connections)),
            *("--prefix", "IDLE", "--idle", "--boot"),
        )
        with _generator(stage, arguments) as load:
            took = _ready(load)["connect_seconds"]
            time.sleep(_SETTLE_SECONDS)
            after, end = watch.memory_mb()["edge"], time.time()
    return Idle(
        connections=connections,
        bytes_each=(after - before) * 1024 * 1024 / connections,
        cpu_ms_each=cpu_per_message(watch.cpu_seconds(begin, end), connections),
        edge_mb=after,
        seconds=took,
    )


@contextlib.contextmanager
def held(stage: Stage, system: System, connections: int, prefix: str) -> Iterator[None]:
    """So many more chargers, connected and booted, which then say nothing."""
    arguments = (
        *("--url", system.url, "--charge-points", str(connections)),
        *("--prefix", prefix, "--idle", "--boot"),
    )
    with _generator(stage, arguments) as load:
        _ready(load)
        yield


def _generator(
    stage: Stage, arguments: Sequence[str]
) -> contextlib.AbstractContextManager[Started]:
    command = python("levity.simulator.load", *arguments)
    return running("load", command, {}, stage.folder, speaks=True)


def _ready(load: Started) -> dict[str, float]:
    assert load.process.stdout is not None
    line = load.process.stdout.readline()
    if not line:
        load.process.wait()
        raise BenchError(f"the load generator could not connect:\n{load.tail()}")
    ready: dict[str, float] = json.loads(line)
    return ready


def _result(load: Started, seconds: float) -> dict[str, Any]:
    out, _ = load.process.communicate(timeout=seconds + WARM_UP + _PATIENCE)
    if not out.strip():
        raise BenchError(f"the load generator failed:\n{load.tail()}")
    result: dict[str, Any] = json.loads(out)
    return result
