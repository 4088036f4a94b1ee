"""What was measured, and the arithmetic on it. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

__all__ = [
    "CLOSED",
    "CPU_OF_THE_SYSTEM",
    "PACED",
    "QUIET",
    "TARGETS",
    "Idle",
    "Machine",
    "Report",
    "Round",
    "Statements",
    "Target",
    "between",
    "cpu_per_message",
    "per_message",
    "ratio",
    "system_cpu",
    "typical",
]

CLOSED, PACED, QUIET = "closed", "paced", "quiet"
"""How a round's load goes: each charger as fast as it is answered; at a pace; as `CLOSED`, but the
sessions ask for no automatic start, so that nearly no Calls go to chargers."""
CPU_OF_THE_SYSTEM = ("edge", "workers", "RabbitMQ", "Postgres")
"""The groups of processes that make the CPU of a message; the load generator is shown beside."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of the load against one system."""

    system: str
    """limit, Levity or embedded."""
    mode: str
    """One of CLOSED, PACED and QUIET."""
    rate: float
    """Calls answered with a CALLRESULT, a second."""
    messages: int
    seconds: float
    p50_ms: float
    p99_ms: float
    call_errors: int
    disconnects: int
    unanswered: int
    calls_received: int
    """The central system's own Calls meanwhile."""
    cpu_ms: Mapping[str, float] = field(default_factory=dict)
    """Per message, by group of processes."""
    memory_mb: Mapping[str, float] = field(default_factory=dict)
    """Resident, by group of processes; the largest process of the group."""
    wal_bytes: float = 0.0
    """Per message, of the whole Postgres; 0 without Postgres."""
    stored_bytes: Mapping[str, float] = field(default_factory=dict)
    """Per message: by how much the tables of log and samples grew, with their indexes."""


@dataclass(frozen=True, slots=True)
class Idle:
    """What connections cost that say nothing after their BootNotification."""

    connections: int
    bytes_each: float
    """Resident memory of the edge."""
    cpu_ms_each: Mapping[str, float]
    """To connect and boot, by group of processes."""
    edge_mb: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Statements:
    """SQL statements of one batch, without BEGIN and COMMIT."""

    ten: int
    hundred: int
    alone: Mapping[str, int] = field(default_factory=dict)
    """Of a batch with one frame only, by action."""
    round_trips: int = 0
    """Of the batch of 100: several statements may go in one."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured."""

    cores: int
    processor: str
    memory_gb: float
    system: str
    python: str
    python_build: str
    """How the interpreter was built: that alone may be a fifth of what Levity costs."""
    postgres: str
    rabbitmq: str
    load_before: float
    """Load average of the last minute before the first round: what else was going on."""


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the benchmark."""

    at: str
    machine: Machine
    options: Mapping[str, int | float]
    rounds: tuple[Round, ...]
    idle: Idle | None = None
    statements: Statements | None = None
    validation_us: Mapping[str, float] = field(default_factory=dict)
    """Microseconds of the schema check, by action."""
    validation_share: float | None = None
    """Of the worker's CPU."""


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to reach, as a ratio of Levity to the limit of the same run."""

    name: str
    wanted: float
    later: float | None
    """The figure of the next stage."""
    at_least: bool
    measured: Callable[[Sequence[Round]], float | None]

    def reached(self, value: float) -> bool:
        """True if this ratio is good enough."""
        return value >= self.wanted if self.at_least else value <= self.wanted


def per_message(amounts: Mapping[str, float], messages: int) -> dict[str, float]:
    """The share of one message, by what was counted."""
    return {name: amount / messages for name, amount in amounts.items()} if messages else {}


def cpu_per_message(seconds: Mapping[str, float], messages: int) -> dict[str, float]:
    """CPU milliseconds of one message, by group."""
    return per_message({group: spent * 1000 for group, spent in seconds.items()}, messages)


def system_cpu(one: Round) -> float:
    """CPU milliseconds of one message over everything but the load generator."""
    return sum(one.cpu_ms.get(group, 0.0) for group in CPU_OF_THE_SYSTEM)


def typical(
    rounds: Sequence[Round], system: str, mode: str, figure: Callable[[Round], float]
) -> float | None:
    """The median of a figure over the rounds of one system; None where there was no round."""
    values = [figure(one) for one in rounds if (one.system, one.mode) == (system, mode)]
    return median(values) if values else None


def ratio(
    rounds: Sequence[Round], mode: str, figure: Callable[[Round], float], system: str = "Levity"
) -> float | None:
    """The system's median over the limit's; None where one of them is missing or the limit is 0.

    The limit sends no Calls to chargers, so its closed loop is the limit of a quiet one, too.
    """
    ours = typical(rounds, system, mode, figure)
    limit = typical(rounds, "limit", CLOSED if mode == QUIET else mode, figure)
    return None if ours is None or not limit else ours / limit


def between(samples: Sequence[tuple[float, float]], begin: float, end: float) -> float:
    """How much a counter grew from `begin` to `end`, from (time, value) samples in order of time.

    Straight lines between the samples; before the first and after the last it stood still.
    """
    return _at(samples, end) - _at(samples, begin)


def _at(samples: Sequence[tuple[float, float]], moment: float) -> float:
    if not samples:
        return 0.0
    before = samples[0]
    for after in samples:
        if after[0] >= moment:
            span = after[0] - before[0]
            share = (moment - before[0]) / span if span > 0 else 0.0
            return before[1] + (after[1] - before[1]) * max(0.0, share)
        before = after
    return samples[-1][1]


TARGETS = (
    Target(
        "closed loop, rate / limit",
        0.3,
        0.5,
        True,
        lambda rounds: ratio(rounds, CLOSED, lambda one: one.rate),
    ),
    Target(
        "closed loop, CPU / limit",
        5.0,
        3.0,
        False,
        lambda rounds: ratio(rounds, CLOSED, system_cpu),
    ),
    Target(
        "paced, p99 / limit",
        1.5,
        None,
        False,
        lambda rounds: ratio(rounds, PACED, lambda one: one.p99_ms),
    ),
)
