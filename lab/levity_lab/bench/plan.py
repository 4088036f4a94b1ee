"""The order of a run: limit, Levity, limit, Levity, ...; then what needs no comparison."""

import contextlib
import json
import os
import platform
import sysconfig
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from levity.simulator.crowd import raise_file_limit
from levity_lab.bench.endurance import endurance_json, endurance_table, measure_endurance
from levity_lab.bench.figures import (
    Idle,
    Machine,
    Report,
    Round,
    Statements,
    system_cpu,
    typical,
)
from levity_lab.bench.processes import python, running
from levity_lab.bench.rounds import idle_round, load_round
from levity_lab.bench.scale import FULL, measure_scale, scale_json, scale_table
from levity_lab.bench.stage import Stage, borrowed
from levity_lab.bench.systems import System, edge_of, embedded, fleet, migrated
from levity_lab.bench.table import table
from levity_lab.bench.usage import of_children
from levity_lab.bench.validation import session_mean, validation_us

__all__ = ["Options", "measure", "python_build"]

SYSTEMS = ("limit", "Levity")


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, and how long."""

    seconds: float = 10.0
    rounds: int = 3
    charge_points: int = 200
    workers: int = 2
    rate: float = 200.0
    connections: int = 2000
    """Idle ones; 0 leaves that out."""
    embedded: bool = False
    statements: bool = True
    scale: bool = False
    endurance: int = 0
    """Minutes; 0 leaves that out. Else nothing but this is measured."""
    minute: float = 60.0
    """Seconds that one of them takes."""


@dataclass(slots=True)
class _Run:
    options: Options
    say: Callable[[str], None]
    rounds: list[Round] = field(default_factory=list)
    idle: Idle | None = None
    statements: Statements | None = None


def measure(
    options: Options, amqp_url: str, database_url: str, say: Callable[[str], None]
) -> tuple[str, dict[str, Any]]:
    """Run all of it: the table for people, and all that was measured. `say` is told each step.

    Raises BenchError if something is missing or fails.
    """
    raise_file_limit()
    load_before = os.getloadavg()[0]
    run = _Run(options, say)
    with borrowed(amqp_url, database_url, (*SYSTEMS, FULL)) as stage:
        machine = _machine(stage, load_before)
        if options.endurance:
            endured = measure_endurance(
                stage,
                minutes=options.endurance,
                charge_points=options.charge_points,
                workers=options.workers,
                minute=options.minute,
                say=say,
            )
            return endurance_table(endured), endurance_json(endured)
        say("making Levity's tables")
        migrated(stage)
        if options.statements:
            say("counting SQL statements")
            run.statements = _statements(stage)
        if options.scale:
            scale = measure_scale(
                stage,
                workers=options.workers,
                rounds=options.rounds,
                seconds=options.seconds,
                say=say,
            )
            return scale_table(scale), scale_json(scale)
        _compare(run, stage)
        if options.embedded:
            say("starting `levity serve` on SQLite")
            with embedded(stage) as system:
                for number in range(options.rounds):
                    _take(run, stage, system, None, number)
                _take(run, stage, system, options.rate, 0)
    say("measuring the schema check")
    costs = validation_us()
    worker = typical(run.rounds, "Levity", "closed", lambda one: one.cpu_ms.get("workers", 0.0))
    report = Report(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine,
        options={
            "seconds": options.seconds,
            "rounds": options.rounds,
            "charge_points": options.charge_points,
            "workers": options.workers,
            "rate": options.rate,
        },
        rounds=tuple(run.rounds),
        idle=run.idle,
        statements=run.statements,
        validation_us=costs,
        validation_share=session_mean(costs) / 1000 / worker if worker else None,
    )
    return table(report), asdict(report)


def _compare(run: _Run, stage: Stage) -> None:
    options = run.options
    with contextlib.ExitStack() as stack:
        systems = []
        for name in SYSTEMS:
            run.say(f"starting {name}: 1 edge, {options.workers} workers")
            systems.append(stack.enter_context(fleet(stage, name, options.workers)))
        # In turns: what else the machine does in these minutes hits both.
        for number in range(options.rounds):
            for system in systems:
                _take(run, stage, system, None, number)
            _take(run, stage, systems[-1], None, number, quiet=True)
            for system in systems:
                _take(run, stage, system, options.rate, number)
        if options.connections:
            run.say(f"{options.connections} idle connections on a fresh edge")
            with edge_of(stage, "Levity") as (edge, port):
                groups = {**systems[-1].groups, "edge": of_children([edge.pid])}
                fresh = System("Levity", port, groups, (edge,))
                run.idle = idle_round(stage, fresh, options.connections)


def _take(
    run: _Run,
    stage: Stage,
    system: System,
    rate: float | None,
    number: int,
    *,
    quiet: bool = False,
) -> None:
    options = run.options
    one = load_round(
        stage,
        system,
        charge_points=options.charge_points,
        seconds=options.seconds,
        rate=rate,
        quiet=quiet,
    )
    run.rounds.append(one)
    run.say(
        f"round {number + 1} of {options.rounds}, {system.name}, {one.mode}: "
        f"{one.rate:,.0f} msg/s, p50 {one.p50_ms:.1f} ms, p99 {one.p99_ms:.1f} ms, "
        f"{system_cpu(one):.3f} ms CPU each, {one.call_errors} CALLERRORs"
    )


def _statements(stage: Stage) -> Statements:
    command = python("levity_lab.bench.statements")
    with running(
        "statements", command, stage.environ("Levity"), stage.folder, speaks=True
    ) as process:
        return Statements(**json.loads(process.finish(60)))


def _machine(stage: Stage, load_before: float) -> Machine:
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_processor(),
        memory_gb=psutil.virtual_memory().total / 2**30,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        python_build=python_build(sysconfig.get_config_var("CONFIG_ARGS") or ""),
        postgres=stage.postgres,
        rabbitmq=stage.rabbitmq,
        load_before=load_before,
    )


def python_build(configured: str) -> str:
    """What this interpreter's `configure` was told of optimising, and its compiler.

    A distribution may optimise in other ways, of which it leaves no word (Debian).
    """
    told = {
        "PGO": "--enable-optimizations" in configured,
        "LTO": "--with-lto" in configured or "-flto" in configured,
    }
    words = [f"{'with' if there else 'without'} {what}" for what, there in told.items()]
    return f"configured {', '.join(words)}; {platform.python_compiler()}"


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
