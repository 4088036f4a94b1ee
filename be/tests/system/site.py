"""Levity as people run it: real processes on free ports, with a database of their own.

`embedded` is `levity serve` alone. `fleet` is what the README has people start on RabbitMQ and
Postgres, with the files that it names: `be/manage.py consume_rpc_queue` and `ws/main.py`.
"""

import asyncio
import http.client
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.rabbitmq import AMQP_URL, isolated_queues, unused_port

from tests.migrated import copy_file
from tests.system.books import Books, postgres_database
from tests.system.processes import CHECKOUT, Process, Ran, eventually, python, run

__all__ = ["POSTGRES_URL", "Site", "clean_environ", "embedded", "fleet", "http_get", "serve"]

POSTGRES_URL = os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
if not POSTGRES_URL.startswith("postgres"):
    POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/postgres"


def clean_environ(folder: Path, **more: str) -> dict[str, str]:
    """What a newcomer's shell has, with a home in `folder`; nothing of ours."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TIME_ZONE": "UTC",
        "PYTHONPATH": f"{CHECKOUT / 'be'}:{CHECKOUT / 'ws/src'}",
        "LEVITY_DATA_DIR": str(folder / "data"),
        **more,
    }


class Site:
    """A running Levity. `edges` and `workers` are its processes, the same one where embedded."""

    def __init__(
        self, shape: str, folder: Path, environ: Mapping[str, str], books: Books, stack: ExitStack
    ) -> None:
        self.shape, self.folder, self.environ, self.books = shape, folder, dict(environ), books
        self.edges: list[Process] = []
        self.workers: list[Process] = []
        self._ports: dict[Process, int] = {}
        self._processes: list[Process] = []
        stack.callback(self._end)

    def port(self, edge: int = 0) -> int:
        """Where this edge listens."""
        return self._ports[self.edges[edge]]

    def url(self, edge: int = 0) -> str:
        """What a charger is told, but for its identity."""
        return f"ws://127.0.0.1:{self.port(edge)}/ws"

    def levity(self, *arguments: str, within: float = 180.0) -> Ran:
        """Run a command of `levity` (or manage.py) beside the running site."""
        return run(python("-m", "levity", *arguments), self.environ, self.folder, within)

    async def levity_async(self, *arguments: str, within: float = 180.0) -> Ran:
        """The same, from a test that plays chargers meanwhile."""
        return await asyncio.to_thread(self.levity, *arguments, within=within)

    def start(self, name: str, command: list[str], **environ: str) -> Process:
        """A process of this site; ended with it."""
        process = Process(name, command, {**self.environ, **environ}, self.folder)
        self._processes.append(process)
        return process

    def _end(self) -> None:
        running = [each for each in self._processes if each.running]
        for each in running:
            each.send_signal(signal.SIGTERM)
        try:
            for each in running:
                each.wait()
        finally:
            for each in self._processes:
                each.kill()

    def start_worker(self) -> Process:
        """One more worker, which says when it takes batches."""
        worker = self.start("worker", python(CHECKOUT / "be/manage.py", "consume_rpc_queue"))
        self.workers.append(worker)
        return worker

    def start_edge(self, port: int = 0) -> Process:
        """One more edge; `listens` waits until chargers can connect."""
        # Not one of the system's choice: that may be another's when an edge is replaced.
        listens = {"WS_PORT": str(port or unused_port()), "WS_HOST": "127.0.0.1"}
        edge = self.start("edge", python(CHECKOUT / "ws/main.py"), **listens)
        self.edges.append(edge)
        return edge

    def replace_worker(self, gone: Process) -> Process:
        """A new worker in the place of one that has ended."""
        worker = self.start_worker()
        self.workers.remove(worker)
        self.workers[self.workers.index(gone)] = worker
        return worker

    def replace_edge(self, gone: Process) -> Process:
        """A new edge in the place of one that has ended, on its port; returns when it listens."""
        edge = self.start_edge(self._ports.pop(gone))
        self.edges.remove(edge)
        self.edges[self.edges.index(gone)] = edge
        self.listens(edge)
        return edge

    def listens(self, edge: Process) -> None:
        """Wait until chargers can connect to this edge."""
        self._ports[edge] = int(edge.line(r"Listening on ws://[^:]+:(\d+)/")[1])
        port = self._ports[edge]
        assert eventually(lambda: http_get(port, "/readyz")[::2], (200, b"ok\n")) == (
            200,
            b"ok\n",
        ), edge.log

    def tracebacks(self) -> list[str]:
        """The logs in which something went wrong that nobody expected."""
        everything = {*self.edges, *self.workers}
        return [f"{each.name}:\n{each.log}" for each in everything if "Traceback" in each.log]


def serve(site: Site, *arguments: str, **environ: str) -> Process:
    """Start `levity serve` as this site; returns when web pages and websockets are open."""
    process = site.start(
        "levity serve",
        python("-m", "levity", "serve", "--http-host", "127.0.0.1", *arguments),
        **{"WS_PORT": "0", "WS_HOST": "127.0.0.1", "HTTP_PORT": "0", **environ},
    )
    site.edges, site.workers = [process], [process]
    site.listens(process)
    return process


@contextmanager
def embedded(
    folder: Path, blocker: Any, *, started: bool = True, migrated: bool = True
) -> Iterator[Site]:
    """`levity serve` on a SQLite file in `folder`; `started` False leaves the start to the test,
    `migrated` False the folder empty."""
    environ = clean_environ(folder)
    books = Books(f"sqlite:///{folder / 'data' / 'levity.sqlite3'}", blocker)
    with ExitStack() as stack:
        site = Site("embedded", folder, environ, books, stack)
        if migrated:
            copy_file(folder / "data")
        if started:
            serve(site)
        yield site


@contextmanager
def fleet(
    folder: Path,
    blocker: Any,
    *,
    amqp_url: str = AMQP_URL,
    workers: int = 2,
    edges: int = 2,
    database: str = "",
    **environ: str,
) -> Iterator[Site]:
    """Workers and edges on RabbitMQ and Postgres, with queues and a database of their own.

    `database` is the URL of a migrated one where the caller has made it.
    """
    with ExitStack() as stack:
        queues = stack.enter_context(isolated_queues())
        database = database or stack.enter_context(postgres_database(POSTGRES_URL, migrated=True))
        everywhere = clean_environ(
            folder,
            DATABASE_URL=database,
            AMQP_URL=amqp_url,
            LEVITY_AMQP_PREFIX=queues.prefix,
            SECRET_KEY="of-no-value-" * 5,
            **{"DJANGO_SETTINGS_MODULE": "levity.settings", **environ},
        )
        site = Site("fleet", folder, everywhere, Books(database, blocker), stack)
        for _ in range(edges):
            site.start_edge()
        for _ in range(workers):
            site.start_worker()
        for edge in site.edges:
            site.listens(edge)
        for worker in site.workers:
            worker.line("worker takes batches")
        yield site


def http_get(port: int, path: str, **headers: str) -> tuple[int, str, bytes]:
    """Status, content type and body of a GET; (0, "", b"") where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers.get("Content-Type", ""), response.read()
    except ConnectionError:
        return 0, "", b""
    finally:
        connection.close()
