"""Every fault there is, as a table. The harm itself is in `harms`.

A fault is begun, lasts `seconds`, and is healed; what came of it is judged afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from levity_lab.soak import sql
from levity_lab.soak.harms import broker, database, disks, programs, wires
from levity_lab.soak.harms.common import Harm
from levity_lab.soak.poison import poison
from levity_lab.soak.programs import SoakError

__all__ = ["FAULTS", "Fault", "chosen"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble. `checks` are the ids in docs/evidence/checks.md that it is about."""

    name: str
    about: str
    harm: Harm
    seconds: float
    checks: tuple[str, ...] = ()
    long: bool = False
    """Takes minutes; not among those that run unless they are named."""
    parks: int = 0
    """Frames that are rightly parked: the poison itself."""


def _table() -> dict[str, Fault]:
    edge, ms = "edge", 0.001
    rows = [
        Fault(
            "worker-kill",
            "one worker is killed, again and again",
            programs.kill_workers(1),
            8,
            ("F-10",),
        ),
        Fault(
            "workers-kill",
            "all workers are killed at once, again and again",
            programs.kill_workers(0),
            8,
            ("F-10", "F-13"),
        ),
        Fault(
            "worker-dies-before-commit",
            "a worker dies in the middle of a handler",
            programs.trap("die-before-commit"),
            8,
            ("F-10",),
        ),
        Fault(
            "worker-dies-after-commit",
            "a worker dies when it has committed, before reply and ack",
            programs.trap("die-after-commit"),
            8,
            ("F-11",),
        ),
        Fault(
            "mover-dies",
            "a worker dies between packing old rows and deleting them",
            programs.trap("die-while-moving"),
            8,
            ("F-31",),
        ),
        Fault(
            "workers-away",
            "no worker runs; edges and broker do",
            programs.workers_away(),
            25,
            ("F-13",),
        ),
        Fault(
            "worker-term",
            "workers are told to stop, one after the other, and come back",
            programs.terminate("worker"),
            8,
            ("F-12",),
        ),
        Fault(
            "worker-stop",
            "one worker stands still (SIGSTOP) with what it holds",
            programs.pause("worker", 1),
            25,
            ("T-07",),
        ),
        Fault(
            "workers-stop",
            "all workers stand still (SIGSTOP)",
            programs.pause("worker", 0),
            25,
            ("F-13",),
        ),
        Fault(
            "worker-stands-still-in-a-batch",
            "one worker stands still between reading and writing; what it holds is sent again",
            programs.stand_still(),
            15,
            ("F-10", "T-02"),
        ),
        Fault("worker-slow", "each batch takes 2 s", programs.slow(2.0), 15, ("F-22",)),
        Fault(
            "poison-raise",
            "a frame at which a handler always raises",
            poison("raise"),
            5,
            ("F-24",),
            parks=1,
        ),
        Fault(
            "poison-kill",
            "a frame that kills its worker",
            poison("kill"),
            15,
            ("F-25",),
            parks=1,
        ),
        Fault(
            "poison-hang",
            "a frame whose handler never returns",
            poison("hang"),
            30,
            ("F-24",),
            parks=1,
        ),
        Fault(
            "poison-sleep",
            "a frame whose handler hangs in C and can't be interrupted",
            poison("sleep"),
            60,
            ("F-25",),
            long=True,
            parks=1,
        ),
        Fault("edge-kill", "one edge is killed", programs.kill_edges(1), 8, ("F-14", "F-16")),
        Fault(
            "edges-kill",
            "all edges are killed at once: everybody comes back in one storm",
            programs.kill_edges(0),
            8,
            ("F-14", "F-20"),
        ),
        Fault(
            "edge-term",
            "edges are told to stop, one after the other, and come back",
            programs.terminate("edge"),
            12,
            ("F-15",),
        ),
        Fault(
            "edge-stop", "one edge stands still (SIGSTOP)", programs.pause("edge", 1), 30, ("F-16",)
        ),
        Fault(
            "edge-abandoned",
            "an edge dies without a word and stays away",
            programs.edge_away(),
            30,
            ("F-14", "F-16"),
        ),
        Fault(
            "broker-restart",
            "RabbitMQ is stopped and started",
            broker.restart_broker(),
            10,
            ("F-02",),
        ),
        Fault(
            "broker-kill",
            "RabbitMQ is killed, publishes unconfirmed",
            broker.kill_broker(),
            10,
            ("F-03",),
        ),
        Fault(
            "broker-stop",
            "RabbitMQ stands still (SIGSTOP)",
            programs.pause("broker", 1),
            30,
            ("F-05",),
        ),
        Fault(
            "broker-away",
            "RabbitMQ is stopped for longer than an edge holds",
            broker.broker_away(),
            30,
            ("F-01",),
        ),
        Fault(
            "broker-memory-alarm",
            "RabbitMQ blocks publishers: memory",
            broker.memory_alarm(),
            12,
            ("F-04",),
        ),
        Fault(
            "broker-disk-alarm",
            "RabbitMQ blocks publishers: disk limit",
            broker.disk_alarm(),
            12,
            ("F-04",),
        ),
        Fault(
            "broker-disk-full",
            "RabbitMQ's disk runs full",
            disks.full_disk("broker"),
            15,
            ("F-04",),
        ),
        Fault(
            "broker-closes-connections",
            "RabbitMQ closes every connection",
            broker.close_connections(),
            8,
            ("F-02", "T-05"),
        ),
        Fault("queue-purged", "somebody purges the queue", broker.purge_queue(), 8),
        Fault("queue-deleted", "somebody deletes the queue", broker.delete_queue(), 8),
        Fault(
            "database-restart-fast",
            "Postgres is restarted (fast)",
            database.restart_database("fast"),
            8,
            ("F-07",),
        ),
        Fault(
            "database-restart-immediate",
            "Postgres is restarted (immediate: a crash)",
            database.restart_database("immediate"),
            8,
            ("F-07",),
        ),
        Fault(
            "database-kill",
            "Postgres' postmaster is killed",
            database.kill_postmaster(),
            10,
            ("F-07",),
        ),
        Fault(
            "database-backend-kill",
            "one backend is killed: Postgres recovers from a crash",
            sql.kill_backend(),
            8,
            ("F-08",),
        ),
        Fault(
            "database-terminates",
            "every session is ended, again and again",
            sql.terminate_backends(),
            8,
            ("F-08", "T-01"),
        ),
        Fault(
            "database-stop",
            "Postgres stands still (SIGSTOP)",
            programs.pause("database", 1),
            25,
            ("F-06",),
        ),
        Fault(
            "database-away",
            "Postgres is stopped for longer than an edge holds",
            database.database_away(),
            30,
            ("F-06",),
        ),
        Fault(
            "database-disk-full",
            "Postgres' disk runs full",
            disks.full_disk("database"),
            12,
            ("F-09",),
        ),
        Fault(
            "database-read-only",
            "Postgres takes no writes, as a standby",
            sql.read_only(),
            10,
            ("F-09",),
        ),
        Fault(
            "database-connections",
            "no connection is left, and the workers' are ended",
            sql.exhaust_connections(),
            12,
            ("F-08",),
        ),
        Fault(
            "database-long-lock", "somebody locks tables for long", sql.long_lock(), 12, ("T-19",)
        ),
        Fault(
            "database-deadlocks",
            "somebody updates the same rows in another order",
            sql.deadlocks(),
            10,
            ("T-18",),
        ),
        Fault(
            "database-cancels",
            "statements are cancelled, as by a time-out",
            sql.cancel_statements(),
            8,
            ("T-19",),
        ),
        Fault(
            "charger-bad-line",
            "500 ms, 5 % loss, resets between chargers and edges",
            wires.trouble(edge, latency=500 * ms, loss=0.05, reset=0.002),
            20,
            ("F-18",),
        ),
        Fault(
            "charger-power-cut",
            "chargers vanish without a FIN, and come back",
            wires.abandon(edge),
            8,
            ("F-19", "D-22"),
        ),
        Fault(
            "charger-storm",
            "every charger is cut off and comes back in the same second",
            wires.storm(),
            8,
            ("F-21",),
        ),
        Fault("charger-cut", "the line to one edge is cut", wires.cut(edge), 10, ("F-16", "F-18")),
        Fault(
            "charger-slow-line",
            "4 KB a second between chargers and edges",
            wires.trouble(edge, rate=4096.0),
            10,
            ("F-18", "F-23"),
        ),
        Fault(
            "charger-stall",
            "nothing passes between chargers and edges",
            wires.trouble(edge, stalled=True),
            25,
            ("F-19",),
        ),
        Fault(
            "edge-broker-cut",
            "edges and broker are cut off from each other",
            wires.cut("edge-broker"),
            25,
            ("F-17",),
        ),
        Fault(
            "edge-broker-stall",
            "nothing passes between edges and broker",
            wires.trouble("edge-broker", stalled=True),
            30,
            ("F-17",),
        ),
        Fault(
            "edge-broker-bad-line",
            "300 ms and 5 % loss between edges and broker",
            wires.trouble("edge-broker", latency=300 * ms, loss=0.05),
            12,
            ("F-17",),
        ),
        Fault(
            "worker-broker-cut",
            "workers and broker are cut off from each other",
            wires.cut("worker-broker"),
            15,
            ("F-13",),
        ),
        Fault(
            "worker-broker-stall",
            "nothing passes between workers and broker",
            wires.trouble("worker-broker", stalled=True),
            30,
            ("F-13",),
        ),
        Fault(
            "worker-broker-bad-line",
            "300 ms and resets between workers and broker",
            wires.trouble("worker-broker", latency=300 * ms, reset=0.01),
            12,
            ("F-13", "T-05"),
        ),
        Fault(
            "worker-database-cut",
            "workers and database are cut off from each other",
            wires.cut("worker-database"),
            15,
            ("F-06",),
        ),
        Fault(
            "worker-database-stall",
            "nothing passes between workers and database",
            wires.trouble("worker-database", stalled=True),
            25,
            ("F-06",),
        ),
        Fault(
            "worker-database-half-open",
            "the workers' sessions die without a word",
            wires.half_open("worker-database"),
            30,
            ("F-06", "F-08"),
        ),
        Fault(
            "worker-database-bad-line",
            "50 ms and resets between workers and database",
            wires.trouble("worker-database", latency=50 * ms, reset=0.02),
            12,
            ("F-08",),
        ),
        Fault(
            "clock-worker-forward",
            "the clock of one worker is set an hour forward",
            programs.clock("worker", 3600),
            10,
            ("D-20",),
        ),
        Fault(
            "clock-worker-back",
            "the clock of one worker is set an hour back",
            programs.clock("worker", -3600),
            10,
            ("D-20",),
        ),
        Fault(
            "clock-edge-forward",
            "the clock of one edge is set an hour forward",
            programs.clock("edge", 3600),
            10,
            ("D-20",),
        ),
        Fault(
            "clock-edge-back",
            "the clock of one edge is set an hour back",
            programs.clock("edge", -3600),
            10,
            ("D-20",),
        ),
        Fault(
            "log-disk-full",
            "the disk with the logs of edges and workers is full",
            disks.full_disk("logs"),
            10,
            ("F-26",),
        ),
        Fault(
            "hundred-worker-kills",
            "100 kills of workers at random points",
            programs.kill_workers(1, times=100),
            1,
            ("F-10",),
            long=True,
        ),
        Fault(
            "twenty-broker-restarts",
            "20 restarts of RabbitMQ",
            broker.restart_broker(times=20),
            1,
            ("F-02", "T-14"),
            long=True,
        ),
        Fault(
            "broker-away-5-minutes",
            "RabbitMQ is stopped for 300 s",
            broker.broker_away(),
            300,
            ("F-01",),
            long=True,
        ),
        Fault(
            "broker-stop-2-minutes",
            "RabbitMQ stands still for 120 s",
            programs.pause("broker", 1),
            120,
            ("F-05",),
            long=True,
        ),
        Fault(
            "database-away-5-minutes",
            "Postgres is stopped for 300 s",
            database.database_away(),
            300,
            ("F-06", "T-07"),
            long=True,
        ),
        Fault(
            "workers-away-2-minutes",
            "no worker runs for 120 s",
            programs.workers_away(),
            120,
            ("F-13",),
            long=True,
        ),
        Fault(
            "worker-slow-10-minutes",
            "each batch takes 2 s for 10 minutes",
            programs.slow(2.0),
            600,
            ("F-22",),
            long=True,
        ),
    ]
    return {fault.name: fault for fault in rows}


FAULTS = _table()
"""Every fault by its name."""


def chosen(patterns: Sequence[str]) -> list[Fault]:
    """The faults that these names or patterns (`broker-*`; `!clock-*` leaves out) mean, in order.

    None of them: all but the long ones. SoakError names a pattern that means nothing.
    """
    names = [name for name, fault in FAULTS.items() if not fault.long]
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    if wanted:
        names = []
        for pattern in wanted:
            found = [name for name in FAULTS if fnmatchcase(name, pattern)]
            if not found:
                raise SoakError(f"no fault is called {pattern!r}; --list shows all of them")
            # A long one is meant only where it is named in full.
            names += [name for name in found if name == pattern or not FAULTS[name].long]
    for pattern in patterns:
        if pattern.startswith("!"):
            names = [name for name in names if not fnmatchcase(name, pattern[1:])]
    if not names:
        raise SoakError("no fault is left; --list shows all of them")
    return [FAULTS[name] for name in dict.fromkeys(names)]
