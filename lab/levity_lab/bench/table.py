"""The report as people read it."""

from collections.abc import Callable, Sequence

from levity_lab.bench.figures import (
    CLOSED,
    CPU_OF_THE_SYSTEM,
    PACED,
    QUIET,
    TARGETS,
    Report,
    Round,
    ratio,
    system_cpu,
    typical,
)

__all__ = ["table"]

Figure = Callable[[Round], float]

_IDLE_KB = 16
_STATEMENTS, _GROWTH = 30, 1.5


def table(report: Report) -> str:
    """The whole report as text."""
    return "\n".join(
        [
            *_machine(report),
            "",
            *_systems(report.rounds),
            "",
            *_targets(report),
            "",
            *_others(report),
        ]
    )


def _machine(report: Report) -> list[str]:
    machine = report.machine
    options = ", ".join(f"{name} {value:g}" for name, value in report.options.items())
    return [
        f"Levity benchmark, {report.at}",
        f"{machine.cores} cores of {machine.processor}, {machine.memory_gb:.0f} GB",
        machine.system,
        f"Python {machine.python} ({machine.python_build})",
        f"Postgres {machine.postgres}, RabbitMQ {machine.rabbitmq}",
        f"load average before: {machine.load_before:.1f}",
        f"{options}; medians of the rounds",
    ]


def _systems(rounds: Sequence[Round]) -> list[str]:
    names = [
        name
        for name in ("limit", "Levity", "embedded")
        if any(one.system == name for one in rounds)
    ]
    lines = [_row("", [*names, "Levity/limit"]), *_loop(rounds, names, "closed loop", CLOSED)]
    for group in (*CPU_OF_THE_SYSTEM, "load"):
        label = f"    {group + (' (not counted)' if group == 'load' else ''):<20}ms"
        lines.append(_line(rounds, names, label, CLOSED, _cpu(group), ".3f"))
    for group in CPU_OF_THE_SYSTEM:
        label = f"  RSS {group:<18}MB"
        lines.append(_line(rounds, names, label, CLOSED, _memory(group), ".0f", compare=False))
    lines += [
        *_bytes(rounds, names),
        *_loop(rounds, names, "no auto starts", QUIET),
        *_loop(rounds, names, "paced", PACED),
    ]
    for label, count in (
        ("CALLERRORs", lambda one: one.call_errors),
        ("disconnects", lambda one: one.disconnects),
        ("Calls to chargers", lambda one: one.calls_received),
    ):
        values = [sum(count(one) for one in rounds if one.system == name) for name in names]
        lines.append(_row(label, [f"{value:,d}" for value in values]))
    return lines


def _loop(rounds: Sequence[Round], names: Sequence[str], title: str, mode: str) -> list[str]:
    """Rate, latencies and CPU of this kind of load; nothing where none of it was measured."""
    if not any(one.mode == mode for one in rounds):
        return []
    return [
        _line(rounds, names, f"{title:<19}msg/s", mode, lambda one: one.rate, ",.0f"),
        _line(rounds, names, "  p50                 ms", mode, lambda one: one.p50_ms, ".1f"),
        _line(rounds, names, "  p99                 ms", mode, lambda one: one.p99_ms, ".1f"),
        _line(rounds, names, "  CPU a message       ms", mode, system_cpu, ".3f"),
    ]


def _bytes(rounds: Sequence[Round], names: Sequence[str]) -> list[str]:
    """What a message of the closed loop writes to Postgres."""
    kinds = {name for one in rounds for name in one.stored_bytes}
    if not kinds:
        return []
    lines = [_line(rounds, names, "  WAL a message    bytes", CLOSED, _wal, ",.0f")]
    for kind in sorted(kinds):
        label = f"  {'stored, ' + kind:<17}bytes"
        lines.append(_line(rounds, names, label, CLOSED, _stored(kind), ",.0f", compare=False))
    return lines


def _wal(one: Round) -> float:
    return one.wal_bytes


def _stored(kind: str) -> Figure:
    return lambda one: one.stored_bytes.get(kind, 0.0)


def _targets(report: Report) -> list[str]:
    lines = [_row("", ["measured", "target", "", "later"])]
    errors = sum(one.call_errors for one in report.rounds if one.system != "limit")
    lines.append(_row("CALLERRORs", [str(errors), "0", _verdict(errors == 0)]))
    for target in TARGETS:
        value = target.measured(report.rounds)
        if value is None:
            continue
        sign = ">=" if target.at_least else "<="
        later = f"{sign} {target.later:g}" if target.later is not None else ""
        lines.append(
            _row(
                target.name,
                [
                    f"{value:.2f}",
                    f"{sign} {target.wanted:g}",
                    _verdict(target.reached(value)),
                    later,
                ],
            )
        )
    lines += _bounded(report)
    return lines


def _bounded(report: Report) -> list[str]:
    """What is measured against a fixed bound: name, value, bound."""
    bounds: list[tuple[str, float, float]] = []
    if report.idle:
        bounds.append(("idle websocket, KB", report.idle.bytes_each / 1024, _IDLE_KB))
    if report.statements:
        many, few = report.statements.hundred, report.statements.ten
        bounds += [
            ("SQL, batch of 100", many, _STATEMENTS),
            ("  / batch of 10", many / few, _GROWTH),
        ]
    return [
        _row(name, [f"{value:.3g}", f"<= {bound:g}", _verdict(value <= bound)])
        for name, value, bound in bounds
    ]


def _others(report: Report) -> list[str]:
    lines = []
    if report.idle:
        idle = report.idle
        cpu = ", ".join(f"{group} {spent:.2f}" for group, spent in idle.cpu_ms_each.items())
        lines.append(
            f"{idle.connections:,d} idle connections: {idle.bytes_each:,.0f} bytes each, edge "
            f"{idle.edge_mb:.0f} MB; connected and booted in {idle.seconds:.1f} s, "
            f"{sum(idle.cpu_ms_each.values()):.2f} ms CPU each ({cpu})"
        )
    if report.statements:
        alone = ", ".join(f"{action} {n}" for action, n in report.statements.alone.items())
        lines.append(
            f"SQL statements without BEGIN and COMMIT: batch of 10: {report.statements.ten}, of "
            f"100: {report.statements.hundred} in {report.statements.round_trips} round trips; "
            f"one frame alone: {alone}"
        )
    if report.validation_us:
        checks = ", ".join(
            f"{action} {spent:.1f}" for action, spent in report.validation_us.items()
        )
        share = report.validation_share
        of_worker = f"; {share:.1%} of the worker's CPU" if share is not None else ""
        lines.append(f"schema check, microseconds: {checks}{of_worker}")
    return lines


def _line(
    rounds: Sequence[Round],
    names: Sequence[str],
    label: str,
    mode: str,
    figure: Figure,
    form: str,
    *,
    compare: bool = True,
) -> str:
    cells = []
    for name in names:
        value = typical(rounds, name, mode, figure)
        cells.append("-" if value is None else format(value, form))
    part = ratio(rounds, mode, figure) if compare else None
    return _row(label, [*cells, "" if part is None else f"{part:.2f}"])


def _row(label: str, cells: Sequence[str]) -> str:
    return f"{label:<26}" + "".join(f"{cell:>13}" for cell in cells).rstrip()


def _cpu(group: str) -> Figure:
    return lambda one: one.cpu_ms.get(group, 0.0)


def _memory(group: str) -> Figure:
    return lambda one: one.memory_mb.get(group, 0.0)


def _verdict(good: bool) -> str:
    return "ok" if good else "MISSED"
