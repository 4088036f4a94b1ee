"""What a run borrows from the services, and gives back: one database, two sets of queues."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pika
import psycopg2
from psycopg2 import sql

from levity_lab.bench.echo import TABLE
from levity_lab.bench.processes import BenchError
from levity_ws.rpc.topology import broker_label, declarations, rpc_queue

__all__ = ["DATABASE", "Stage", "another_database", "borrowed"]

DATABASE = "levity_bench"
_CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the processes of one run meet."""

    amqp_url: str
    server_url: str
    """The database of the user, from which others are made."""
    database_url: str
    folder: Path
    """For logs and for the data of the embedded system; gone after the run."""
    postgres: str
    """The server's version."""
    rabbitmq: str

    def prefix(self, system: str) -> str:
        """The first word of this system's queues."""
        return f"levity-bench-{system.lower()}-{os.getpid()}"

    def environ(self, system: str) -> dict[str, str]:
        """What its processes have to know."""
        return {
            "AMQP_URL": self.amqp_url,
            "DATABASE_URL": self.database_url,
            "LEVITY_AMQP_PREFIX": self.prefix(system),
            "LEVITY_DATA_DIR": str(self.folder / "data"),
            "SECRET_KEY": "of-no-value-" * 5,
            "DJANGO_SETTINGS_MODULE": "levity.settings",
        }

    @property
    def database(self) -> str:
        """The name of the database that its processes use."""
        return urlsplit(self.database_url).path[1:]

    def consumers(self, system: str) -> int:
        """How many workers listen to this system's queue; 0 where it is not declared yet."""
        with _broker(self.amqp_url) as connection:
            try:
                name = rpc_queue(self.prefix(system)).name
                answer = connection.channel().queue_declare(name, passive=True)
            except pika.exceptions.ChannelClosedByBroker:
                return 0
            return int(answer.method.consumer_count)


@contextlib.contextmanager
def borrowed(amqp_url: str, database_url: str, systems: tuple[str, ...]) -> Iterator[Stage]:
    """The stage of one run; database, queues and files are gone afterwards. Raises BenchError."""
    with _broker(amqp_url) as connection:
        # The blocking connection keeps what the server said of itself to itself.
        said = connection._impl.server_properties or {}  # noqa: SLF001  # no public way
        rabbitmq = str(said.get("version", "?"))
    with contextlib.ExitStack() as stack:
        postgres = _make_database(database_url)
        stack.callback(_drop_database, database_url)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="levity-bench-")))
        stage = Stage(
            amqp_url=amqp_url,
            server_url=database_url,
            database_url=_with_name(database_url, DATABASE),
            folder=folder,
            postgres=postgres,
            rabbitmq=rabbitmq,
        )
        stack.callback(_delete_queues, stage, systems)
        with contextlib.closing(_database(stage.database_url)) as database:
            database.autocommit = True
            with database.cursor() as cursor:
                cursor.execute(f"CREATE TABLE {TABLE} (id bigserial PRIMARY KEY, text text)")
        yield stage


@contextlib.contextmanager
def another_database(stage: Stage, name: str) -> Iterator[str]:
    """The URL of one more database, empty; gone afterwards."""
    _make_database(stage.server_url, name)
    try:
        yield _with_name(stage.server_url, name)
    finally:
        _drop_database(stage.server_url, name)


def _make_database(url: str, name: str = DATABASE) -> str:
    with contextlib.closing(_database(url)) as database:
        database.autocommit = True
        with database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name])
            if cursor.fetchone()[0]:
                raise BenchError(f"the database {name} is in use: another bench is running")
            # One that was killed has left it behind.
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            cursor.execute("SHOW server_version")
            return str(cursor.fetchone()[0]).split(" ", maxsplit=1)[0]


def _drop_database(url: str, name: str = DATABASE) -> None:
    with contextlib.closing(_database(url)) as database:
        database.autocommit = True
        with database.cursor() as cursor:
            # FORCE: a worker that was killed may have left its backend at work.
            cursor.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _delete_queues(stage: Stage, systems: tuple[str, ...]) -> None:
    with _broker(stage.amqp_url) as connection:
        channel = connection.channel()
        for system in systems:
            for queue in declarations(stage.prefix(system)):
                channel.queue_delete(queue.name)


def _database(url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise BenchError(
            "the benchmark needs Postgres: set DATABASE_URL to postgres://user@host:5432/name, "
            "where this user may create databases (`make bench` does it for you)"
        )
    try:
        return psycopg2.connect(url, connect_timeout=_CONNECT_SECONDS)
    except psycopg2.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise BenchError(f"Postgres at DATABASE_URL does not answer: {reason}") from error


@contextlib.contextmanager
def _broker(url: str) -> Iterator[pika.BlockingConnection]:
    try:
        label = broker_label(url)
        parameters = pika.URLParameters(url)
    except ValueError as error:
        raise BenchError(str(error)) from error
    try:
        connection = pika.BlockingConnection(parameters)
    except pika.exceptions.AMQPError as error:
        raise BenchError(f"RabbitMQ at {label} does not answer: {error!r}") from error
    try:
        yield connection
    finally:
        if connection.is_open:
            connection.close()


def _with_name(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
