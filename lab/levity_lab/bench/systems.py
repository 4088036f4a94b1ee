"""The systems that are measured, each as the processes that it has in production."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from levity_lab.bench.echo import TABLE
from levity_lab.bench.processes import Started, answers, free_port, python, running, wait_until
from levity_lab.bench.stage import Stage
from levity_lab.bench.usage import Members, of_broker, of_children, of_database

__all__ = ["System", "edge_of", "embedded", "fleet", "migrated"]

_WORKERS = {
    "Levity": ("levity", "consume_rpc_queue"),
    "limit": ("levity_lab.bench.echo",),
}
# Two hundred chargers stand for thousands, so each of them may say more than one charger may.
_TABLES = {
    "Levity": {"log": "ocpp_message", "samples": "ocpp_metervalue_recent"},
    "limit": {"log": TABLE},
}
_UNPACED = {
    "LEVITY_MAX_FRAME_RATE": "0",
    "LEVITY_MAX_BYTE_RATE": "0",
    "LEVITY_MAX_BYTE_RATE_IN_ALL": "0",
}


@dataclass(frozen=True, slots=True)
class System:
    """A central system that runs now."""

    name: str
    port: int
    groups: Mapping[str, Members]
    processes: tuple[Started, ...]
    tables: Mapping[str, str] = field(default_factory=dict)
    """In Postgres, by what they keep: those that grow with every message."""

    @property
    def url(self) -> str:
        """Where chargers connect."""
        return f"ws://127.0.0.1:{self.port}/ws"


def migrated(stage: Stage) -> None:
    """Make Levity's tables; BenchError if that fails."""
    command = python("levity", "migrate", "--verbosity", "0")
    with running("migrate", command, stage.environ("Levity"), stage.folder) as process:
        process.finish(120)


@contextlib.contextmanager
def fleet(stage: Stage, name: str, workers: int) -> Iterator[System]:
    """One edge and so many workers over RabbitMQ and Postgres: the `limit`, else Levity."""
    with contextlib.ExitStack() as stack:
        command = python(*_WORKERS.get(name, _WORKERS["Levity"]))
        started = [
            stack.enter_context(
                running(f"{name}-worker-{number}", command, stage.environ(name), stage.folder)
            )
            for number in range(1, workers + 1)
        ]
        wait_until(lambda: stage.consumers(name) >= workers, f"{name}'s workers", started)
        edge, port = stack.enter_context(edge_of(stage, name))
        groups: dict[str, Members] = {
            "edge": of_children([edge.pid]),
            "workers": of_children([each.pid for each in started]),
            "RabbitMQ": of_broker,
            "Postgres": of_database(stage.database),
        }
        tables = _TABLES.get(name, _TABLES["Levity"])
        yield System(name, port, groups, (edge, *started), tables)


@contextlib.contextmanager
def edge_of(stage: Stage, name: str, port: int | None = None) -> Iterator[tuple[Started, int]]:
    """One more edge of this system, and the port it listens on: a free one if none is given."""
    port = port or free_port()
    environ = {
        **stage.environ(name),
        "WS_HOST": "127.0.0.1",
        "WS_PORT": str(port),
        "LEVITY_EDGE_ID": f"bench-{name.lower()}-{port}",
        **_UNPACED,
    }
    with running(f"{name}-edge-{port}", python("levity_ws"), environ, stage.folder) as edge:
        wait_until(lambda: answers(port), f"{name}'s edge", [edge])
        yield edge, port


@contextlib.contextmanager
def embedded(stage: Stage) -> Iterator[System]:
    """`levity serve` on a SQLite file: no broker, no database server."""
    port = free_port()
    environ = {
        "AMQP_URL": "",
        "DATABASE_URL": "",
        "LEVITY_DATA_DIR": str(stage.folder / "embedded"),
        "DJANGO_SUPERUSER_PASSWORD": os.urandom(8).hex(),
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(free_port()),
        "WS_HOST": "127.0.0.1",
        "WS_PORT": str(port),
        **_UNPACED,
    }
    with running("embedded", python("levity", "serve"), environ, stage.folder) as process:
        wait_until(lambda: answers(port), "levity serve", [process], 60)
        # Edge, worker and database at once: this process and the edge that it has started.
        yield System("embedded", port, {"workers": of_children([process.pid])}, (process,))
