"""Levity as a site runs it, in processes of its own, with a wire between any two of them."""

import asyncio
import contextlib
import http.client
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from levity_lab.soak.borrowed import BorrowedBroker, BorrowedDatabase
from levity_lab.soak.broker import Broker
from levity_lab.soak.database import Database
from levity_lab.soak.disks import Disk
from levity_lab.soak.programs import SoakError, find_programs
from levity_lab.soak.service import Service, free_port, until
from levity_lab.soak.wire import Wire
from levity_lab.soak.worker import DAYS_AHEAD
from levity_ws.rpc.topology import DEFAULT_PREFIX, dead_letter_queue, rpc_queue

__all__ = ["Happening", "Site"]

LOG_MEGABYTES = 64
KEEP_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to see in the timeline, `at` seconds of the monotonic clock."""

    at: float
    who: str
    what: str


@dataclass(eq=False)
class Site:
    """Broker, database, workers, edges and wires. `open` and `close` it."""

    workers_wanted: int = 2
    edges_wanted: int = 2
    clocks: bool = False
    """Run workers and edges under libfaketime, so that their clocks can be set."""
    seed: int = 1
    say: Callable[[str], None] = lambda _: None
    borrowed: tuple[str, str] | None = None
    """AMQP and database URL of services that run already and are not to be harmed."""
    happenings: list[Happening] = field(default_factory=list)
    workers: list[Service] = field(default_factory=list)
    edges: list[Service] = field(default_factory=list)
    edge_ports: list[int] = field(default_factory=list)
    charger_wires: list[Wire] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="levity-soak-"))
        # Postgres and RabbitMQ run as users of their own, and have to get through.
        self.folder.chmod(0o755)
        self.prefix = f"levity-soak-{self.folder.name[-8:]}" if self.borrowed else DEFAULT_PREFIX
        self.queue = rpc_queue(self.prefix).name
        self.dead_letters = dead_letter_queue(self.prefix).name
        self._secret = secrets.token_urlsafe(50)
        self.traps = self.folder / "traps"
        self.traps.mkdir()
        self.clock_folder = self.folder / "clocks"
        self.clock_folder.mkdir()
        self._keeper: asyncio.Task[None] | None = None

    def noting(self, who: str) -> Callable[[str], None]:
        """For whom something happens to."""
        return lambda what: self.happenings.append(Happening(time.monotonic(), who, what))

    async def open(self) -> None:
        """Start everything; returns when chargers can connect. SoakError says what failed."""
        programs = None if self.borrowed else find_programs()
        if self.clocks and (programs is None or programs.faketime is None):
            raise SoakError(
                "the faults of the clock need libfaketime, which is not installed. "
                "Debian, Ubuntu: sudo apt-get install libfaketime; or leave them out: "
                "--faults '!clock-*'"
            )
        self._faketime = programs.faketime if programs is not None and self.clocks else None
        self.logs = Disk(self.folder / "logs", LOG_MEGABYTES)
        self.broker: Any
        self.database: Any
        if self.borrowed:
            self.broker = BorrowedBroker(self.borrowed[0], self.prefix)
            self.database = BorrowedDatabase(self.borrowed[1])
        else:
            assert programs is not None
            self.broker = Broker(programs, self.folder, self.noting("broker"))
            self.database = Database(programs, self.folder, self.noting("database"))
            self.say("starting RabbitMQ and Postgres, each our own")
        await asyncio.gather(
            asyncio.to_thread(self.broker.start), asyncio.to_thread(self.database.start)
        )
        chance = Random(f"{self.seed}/wires")
        self.edge_broker = Wire("edge-broker", self.broker.port, chance)
        self.worker_broker = Wire("worker-broker", self.broker.port, chance)
        self.worker_database = Wire("worker-database", self.database.port, chance)
        for _ in range(self.edges_wanted):
            self.edge_ports.append(free_port())
            self.charger_wires.append(Wire("charger-edge", self.edge_ports[-1], chance))
        for wire in self.wires:
            await wire.open()
        await asyncio.to_thread(self._migrate)
        self.say(f"starting {self.workers_wanted} workers and {self.edges_wanted} edges")
        for number in range(1, self.workers_wanted + 1):
            self.workers.append(self._worker(number))
        for number in range(1, self.edges_wanted + 1):
            self.edges.append(self._edge(number))
        for each in (*self.workers, *self.edges):
            each.start()
        self._keeper = asyncio.create_task(self._keep())
        await asyncio.to_thread(self._wait_until_ready)

    @property
    def wires(self) -> list[Wire]:
        """All wires."""
        return [self.edge_broker, self.worker_broker, self.worker_database, *self.charger_wires]

    @property
    def urls(self) -> list[str]:
        """Where chargers connect: behind a wire to each edge."""
        return [f"ws://127.0.0.1:{wire.port}/ws" for wire in self.charger_wires]

    @property
    def services(self) -> list[Service]:
        """All processes of the site."""
        ours = [*self.workers, *self.edges]
        return ours if self.borrowed else [self.broker.service, self.database.service, *ours]

    def _environ(self, name: str) -> dict[str, str]:
        # What is set for a site of the user's own is not for this one.
        ours = ("DATABASE_URL", "AMQP_URL", "SECRET_KEY", "DEBUG", "LEVITY_", "WS_", "HTTP_")
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "levity_lab.soak.settings",
            "DATABASE_URL": self.database.url(self.worker_database.port),
            "AMQP_URL": self.broker.url(self.worker_broker.port),
            "LEVITY_AMQP_PREFIX": self.prefix,
            "LEVITY_DATA_DIR": str(self.folder / "data"),
            "LEVITY_SOAK_TRAPS": str(self.traps),
            "SECRET_KEY": self._secret,
        }
        if self._faketime is not None:
            clock = self.clock_folder / name
            clock.write_text("+0\n")
            environ |= {
                "LD_PRELOAD": str(self._faketime),
                "FAKETIME_TIMESTAMP_FILE": str(clock),
                "FAKETIME_CACHE_DURATION": "1",
                # The clock on the wall is set; time goes on as fast as ever.
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
        return environ

    def set_clock(self, service: Service, seconds: int) -> None:
        """Set the wall clock of this process so far off; it notices within a second."""
        if self._faketime is None:
            raise SoakError("no clock can be set: this site was started without libfaketime")
        (self.clock_folder / service.name).write_text(f"{seconds:+d}\n")

    def _worker(self, number: int) -> Service:
        name = f"worker-{number}"
        return Service(
            name=name,
            command=lambda: [sys.executable, "-m", "levity_lab.soak.worker", "consume_rpc_queue"],
            environ={**self._environ(name), "LEVITY_HURRY_DAYS": str(DAYS_AHEAD)},
            log=self.logs.folder / f"{name}.log",
            happened=self.noting(name),
            options={"cwd": self.folder},
        )

    def _edge(self, number: int) -> Service:
        name = f"edge-{number}"
        environ = {
            **self._environ(name),
            "AMQP_URL": self.broker.url(self.edge_broker.port),
            "WS_HOST": "127.0.0.1",
            "WS_PORT": str(self.edge_ports[number - 1]),
            # Chargers whose time is compressed come back as often as that.
            "LEVITY_MAX_CONNECT_RATE": "100",
            "LEVITY_MAX_FRAME_RATE": "500",
        }
        return Service(
            name=name,
            command=lambda: [sys.executable, "-m", "levity_ws"],
            environ=environ,
            log=self.logs.folder / f"{name}.log",
            happened=self.noting(name),
            options={"cwd": self.folder},
        )

    def _migrate(self) -> None:
        environ = {**self._environ("migrate"), "DATABASE_URL": self.database.url()}
        environ.pop("LD_PRELOAD", None)
        command = [sys.executable, "-m", "levity", "migrate", "--verbosity", "0"]
        done = subprocess.run(  # noqa: S603  # our own command line
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )
        if done.returncode:
            raise SoakError(f"migrate failed:\n{done.stderr}")

    def _wait_until_ready(self) -> None:
        until(
            lambda: self.broker.consumers(self.queue) >= len(self.workers), "a worker", self.workers
        )
        for port in self.edge_ports:
            until(lambda port=port: healthy(port), "an edge", self.edges)  # type: ignore[misc]

    async def _keep(self) -> None:
        """Start again what has ended, as the supervisor of a site would."""
        while True:
            for service in self.services:
                service.keep()
            await asyncio.sleep(KEEP_SECONDS)

    def healthy_edges(self) -> int:
        """How many edges say that they are well."""
        return sum(healthy(port) for port in self.edge_ports)

    def consumers(self) -> int:
        """How many workers listen now."""
        with contextlib.suppress(OSError):
            return int(self.broker.consumers(self.queue))
        return 0

    def tracebacks(self) -> list[str]:
        """The logs of ours in which a traceback stands."""
        found = []
        for service in (*self.workers, *self.edges):
            if service.log.exists() and b"Traceback" in service.log.read_bytes():
                found.append(service.name)
        return found

    async def close(self, keep_logs: Path | None = None) -> None:
        """Stop everything, and remove it; the logs are copied to `keep_logs` first."""
        if self._keeper is not None:
            self._keeper.cancel()
        await asyncio.to_thread(self._close_services)
        if keep_logs is not None and hasattr(self, "logs"):
            await asyncio.to_thread(self._copy_logs, keep_logs)
        if hasattr(self, "worker_database"):
            for wire in self.wires:
                await wire.close()
        if hasattr(self, "logs"):
            self.logs.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _copy_logs(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (*self.logs.folder.glob("*.log"), *self.folder.glob("*.log")):
            shutil.copy(path, folder / path.name)

    def _close_services(self) -> None:
        for service in (*self.edges, *self.workers):
            service.stop()
        for name in ("broker", "database"):
            if hasattr(self, name):
                getattr(self, name).close()


def healthy(port: int) -> bool:
    """True if an edge listens there and says that its backend answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
