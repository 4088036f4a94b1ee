"""The processes of a run: `levity serve` on SQLite, or two workers and two edges on Postgres."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

import pika
import psutil
from django.db import connection

from levity_lab.oracle.databases import own_database
from levity_lab.oracle.wired.clock import VARIABLE, WorldClock, path_with_clock
from levity_ws.rpc.topology import rpc_queue

__all__ = ["SHAPES", "Programs", "running"]

SHAPES = ("serve", "fleet")
_LAUNCH = ("-m", "levity_lab.oracle.wired.launch")


@dataclass(slots=True)
class Programs:
    """What runs; `kill` one and it is started again."""

    environ: dict[str, str]
    folder: Path
    ports: list[int] = field(default_factory=list)
    commands: dict[str, tuple[dict[str, str], tuple[str, ...]]] = field(default_factory=dict)
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    kills: int = 0

    def start(self, name: str) -> None:
        """Start this one, or start it again."""
        more, words = self.commands[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603  # no word comes from outside
                [sys.executable, *words],
                cwd=self.folder,
                env={**self.environ, **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """End all of them, in order."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()

    async def harm(self, rng: Random, pause: float, say: Callable[[str], object]) -> None:
        """Kill -9 one of them every `pause` seconds or so; runs until it is cancelled."""
        while True:
            await asyncio.sleep(rng.uniform(0.6, 1.4) * pause)
            name = rng.choice(sorted(self.processes))
            process = self.processes[name]
            self.kills += 1
            children = psutil.Process(process.pid).children()
            if children and rng.random() < 0.5:
                say(f"kill -9: the edge of {name}")
                children[0].kill()
                continue
            say(f"kill -9: {name}")
            process.kill()
            process.wait()
            await asyncio.sleep(rng.uniform(0.2, 2.0))
            self.start(name)


@contextmanager
def running(shape: str, clock: WorldClock) -> Iterator[Programs]:
    """These processes, with a database of their own that this process reads afterwards."""
    with tempfile.TemporaryDirectory(prefix="levity-oracle-") as name:
        folder = Path(name)
        environ = {
            **{word: value for word, value in os.environ.items() if word not in _NOT_THEIRS},
            "LEVITY_DATA_DIR": str(folder),
            "PYTHONPATH": path_with_clock(folder),
            VARIABLE: str(clock),
            "SECRET_KEY": "of-no-value-" * 5,
            "TIME_ZONE": "UTC",
            "HTTP_PORT": str(_free_port()),
            "LOG_LEVEL": "WARNING",
        }
        with contextlib.ExitStack() as stack:
            programs = Programs(environ, folder)
            if shape == "serve":
                _serve(programs, folder, stack)
            else:
                _fleet(programs, stack)
            stack.callback(programs.stop)
            for each in programs.commands:
                programs.start(each)
            yield programs


_NOT_THEIRS = ("DATABASE_URL", "AMQP_URL")


def _serve(programs: Programs, folder: Path, stack: contextlib.ExitStack) -> None:
    port = _free_port()
    programs.ports = [port]
    programs.commands["serve"] = {"WS_PORT": str(port)}, (*_LAUNCH, "serve")
    had = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(folder / "levity.sqlite3")

    def give_back() -> None:
        connection.close()
        connection.settings_dict["NAME"] = had

    stack.callback(give_back)


def _fleet(programs: Programs, stack: contextlib.ExitStack) -> None:
    stack.enter_context(own_database())
    connection.close()
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    amqp = os.environ.get("AMQP_URL") or "amqp://guest:guest@localhost:5672/"
    prefix = f"levity-oracle-{os.getpid()}"
    stack.callback(_delete_queue, amqp, prefix)
    programs.environ |= {"AMQP_URL": amqp, "LEVITY_AMQP_PREFIX": prefix}
    for number in (1, 2):
        programs.commands[f"worker-{number}"] = (
            {"DATABASE_URL": database},
            (*_LAUNCH, "consume_rpc_queue"),
        )
    for number in (1, 2):
        port = _free_port()
        programs.ports.append(port)
        programs.commands[f"edge-{number}"] = {"WS_PORT": str(port)}, ("-m", "levity_ws")


def _delete_queue(amqp: str, prefix: str) -> None:
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(amqp))) as broker:
        broker.channel().queue_delete(rpc_queue(prefix).name)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
