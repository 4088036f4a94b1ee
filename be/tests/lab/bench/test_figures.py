"""The benchmark's arithmetic and its table. No clock is read here."""

import pytest

from levity_lab.bench.endurance import Endurance, Minute, endurance_table, growth
from levity_lab.bench.figures import (
    TARGETS,
    Idle,
    Machine,
    Report,
    Round,
    Statements,
    between,
    cpu_per_message,
    ratio,
    system_cpu,
    typical,
)
from levity_lab.bench.plan import python_build
from levity_lab.bench.scale import Scale, scale_json, scale_table
from levity_lab.bench.table import table
from levity_lab.soak.verdict import Counts

MACHINE = Machine(
    cores=2,
    processor="test",
    memory_gb=4.0,
    system="Linux",
    python="3.11.7",
    python_build="configured without PGO, without LTO; GCC 12.2.0",
    postgres="15.1",
    rabbitmq="3.10.8",
    load_before=0.5,
)


def a_round(system: str, mode: str, **figures: object) -> Round:
    values: dict[str, object] = {
        "rate": 1000.0,
        "messages": 10_000,
        "seconds": 10.0,
        "p50_ms": 10.0,
        "p99_ms": 20.0,
        "call_errors": 0,
        "disconnects": 0,
        "unanswered": 0,
        "calls_received": 0,
        "cpu_ms": {"edge": 0.1, "workers": 0.2, "RabbitMQ": 0.1, "Postgres": 0.1, "load": 9.0},
        "memory_mb": {"edge": 30.0},
        "wal_bytes": 500.0,
        "stored_bytes": {"log": 300.0},
    }
    return Round(system=system, mode=mode, **{**values, **figures})  # type: ignore[arg-type]


ROUNDS = (
    a_round("limit", "closed", rate=4000.0),
    a_round("Levity", "closed", rate=1000.0),
    a_round("limit", "closed", rate=5000.0),
    a_round("Levity", "closed", rate=2000.0),
    a_round("limit", "closed", rate=6000.0),
    a_round("Levity", "closed", rate=9000.0),
    a_round("limit", "paced", p99_ms=20.0),
    a_round("Levity", "paced", p99_ms=40.0),
    a_round("Levity", "quiet", rate=2500.0),
)


def test_cpu_of_a_message_is_in_milliseconds():
    assert cpu_per_message({"edge": 1.5, "workers": 3.0}, 1000) == {"edge": 1.5, "workers": 3.0}


def test_cpu_of_no_messages_is_nothing():
    assert cpu_per_message({"edge": 1.5}, 0) == {}


def test_the_load_generator_is_not_part_of_the_system():
    assert system_cpu(ROUNDS[0]) == pytest.approx(0.5)


def test_one_odd_round_does_not_move_the_median():
    assert typical(ROUNDS, "Levity", "closed", lambda one: one.rate) == 2000.0


def test_a_system_that_was_not_measured_has_no_figure():
    assert typical(ROUNDS, "embedded", "closed", lambda one: one.rate) is None


def test_the_ratio_is_that_of_the_medians():
    assert ratio(ROUNDS, "closed", lambda one: one.rate) == pytest.approx(0.4)


def test_there_is_no_ratio_without_the_limit():
    ours = [one for one in ROUNDS if one.system == "Levity"]
    assert ratio(ours, "closed", lambda one: one.rate) is None


def test_a_counter_is_read_between_its_samples():
    samples = [(0.0, 0.0), (1.0, 2.0), (2.0, 6.0)]
    assert between(samples, 0.5, 1.5) == pytest.approx(3.0)


def test_a_counter_stands_still_outside_its_samples():
    samples = [(10.0, 1.0), (11.0, 3.0)]
    assert between(samples, 5.0, 20.0) == pytest.approx(2.0)
    assert between([], 0.0, 1.0) == 0.0


def test_targets_look_the_right_way():
    rate, cpu, p99 = TARGETS
    assert [target.measured(ROUNDS) for target in TARGETS] == pytest.approx([0.4, 1.0, 2.0])
    assert (rate.reached(0.3), rate.reached(0.29)) == (True, False)
    assert (cpu.reached(5.0), cpu.reached(5.1)) == (True, False)
    assert (p99.reached(1.5), p99.reached(1.6)) == (True, False)


def test_a_loop_without_automatic_starts_is_held_against_the_limit_of_the_closed_loop():
    assert ratio(ROUNDS, "quiet", lambda one: one.rate) == pytest.approx(0.5)


def test_an_interpreter_is_named_by_what_its_configure_was_told():
    plain, tuned = (
        python_build("'--prefix=/root' '--enable-shared'"),
        python_build("'--enable-optimizations' '--with-lto=full'"),
    )
    assert plain.startswith("configured without PGO, without LTO; ")
    assert tuned.startswith("configured with PGO, with LTO; ")


def a_report(**values: object) -> Report:
    given: dict[str, object] = {
        "at": "2026-01-01T00:00:00+00:00",
        "machine": MACHINE,
        "options": {"seconds": 10.0, "rounds": 3},
        "rounds": ROUNDS,
        "idle": Idle(2000, 11_264.0, {"edge": 0.4, "workers": 0.6}, 55.0, 2.5),
        "statements": Statements(10, 20, {"Heartbeat": 3}),
        "validation_us": {"Heartbeat": 0.3},
        "validation_share": 0.012,
    }
    return Report(**{**given, **values})  # type: ignore[arg-type]


def lines_of(report: Report) -> dict[str, list[str]]:
    """The table by the first word or words of each line."""
    lines = {}
    for line in table(report).splitlines():
        label, _, rest = line.partition("  ") if not line.startswith("  ") else ("", "", line)
        lines[label] = rest.split()
    return lines


def test_the_table_shows_medians_beside_the_limit():
    assert lines_of(a_report())["closed loop"] == ["msg/s", "5,000", "2,000", "0.40"]


def test_the_table_says_which_targets_are_missed():
    lines = lines_of(a_report())
    assert lines["closed loop, rate / limit"] == ["0.40", ">=", "0.3", "ok", ">=", "0.5"]
    assert lines["paced, p99 / limit"] == ["2.00", "<=", "1.5", "MISSED"]
    assert lines["idle websocket, KB"] == ["11", "<=", "16", "ok"]
    assert lines["SQL, batch of 100"] == ["20", "<=", "30", "ok"]


def test_the_table_shows_what_a_message_writes():
    """The limit has one table and no samples."""
    stored = {"log": 700.0, "samples": 400.0}
    ours = a_round("Levity", "closed", wal_bytes=2_000.0, stored_bytes=stored)
    text = table(a_report(rounds=(a_round("limit", "closed"), ours), idle=None))
    shown = [line.split() for line in text.splitlines() if "bytes" in line.split()]
    assert shown == [
        ["WAL", "a", "message", "bytes", "500", "2,000", "4.00"],
        ["stored,", "log", "bytes", "300", "700"],
        ["stored,", "samples", "bytes", "0", "400"],
    ]


def test_the_table_shows_the_loop_without_automatic_starts():
    assert lines_of(a_report())["no auto starts"] == ["msg/s", "-", "2,500", "0.50"]


def test_the_table_names_the_interpreter():
    assert "Python 3.11.7 (configured without PGO, without LTO; GCC 12.2.0)" in table(a_report())


def test_a_callerror_of_levity_misses_the_target():
    failed = a_round("Levity", "closed", call_errors=1)
    assert lines_of(a_report(rounds=(*ROUNDS, failed)))["CALLERRORs"] == ["1", "0", "MISSED"]


def test_the_table_does_without_what_was_left_out():
    text = table(a_report(idle=None, statements=None, validation_us={}, validation_share=None))
    assert "idle websocket" not in text
    assert "SQL" not in text


def test_a_message_among_thousands_is_compared_with_one_alone() -> None:
    def rounds(*worker_ms: float) -> tuple[Round, ...]:
        return tuple(a_round("Levity", "closed", cpu_ms={"workers": one}) for one in worker_ms)

    scale = Scale(
        connected=9_800,
        messages=1_000_000,
        transactions=100_000,
        plain=rounds(0.4, 0.5, 0.9),
        crowded=rounds(0.6),
        full=rounds(0.25, 0.75),
        edge_mb=140.4,
    )
    assert (scale.crowded_ratio, scale.full_ratio) == (1.2, 1.0)
    assert scale_json(scale)["crowded_ratio"] == 1.2
    assert scale_table(scale).splitlines() == [
        "CPU of a message, 200 chargers in closed loop: 0.500 ms",
        "  with 9,800 more chargers connected: 0.600 ms,",
        "    1.20 times (target 1.3); the edge has 140 MB",
        "  beside 1,000,000 messages and 100,000 transactions: 0.500 ms, 1.00 times (target 1.2)",
        "  CALLERRORs: 0",
    ]


def an_hour(counts: Counts, back_after: float | None = 20.0) -> Endurance:
    minute = Minute(10_000, 3_000, 6_000, 12.0, 180.0, 150.0, 0.7)
    return Endurance(
        charge_points=10_000,
        minutes=(minute,) * 8,
        messages=48_000,
        started=3_100,
        heartbeat_p50_ms=5.0,
        heartbeat_p95_ms=12.0,
        heartbeat_max_minute_ms=14.0,
        back_after=back_after,
        afterwards_p95_ms=13.0,
        call_errors={},
        timeouts=0,
        counts=counts,
    )


def test_growth_compares_the_last_quarter_with_the_second() -> None:
    assert growth([10, 20, 100, 100, 90, 110, 120, 130]) == pytest.approx(1.3)
    assert growth([300, 300, 100, 100, 100, 100, 100, 100]) == pytest.approx(1.0)


def test_an_hour_is_good_if_everybody_came_back_and_nothing_is_wrong() -> None:
    good = an_hour(Counts(attempted=10, acknowledged=9, unanswered=1))
    assert good.good
    assert "  good" in endurance_table(good)
    for bad in (
        an_hour(Counts(lost=1)),
        an_hour(Counts(duplicated=1)),
        an_hour(Counts(unexpected=1)),
        an_hour(Counts(refused=1)),
        an_hour(Counts(), back_after=None),
    ):
        assert not bad.good
        assert "NOT GOOD" in endurance_table(bad)
