"""A broker and a database that belong to somebody else: for short runs, which harm neither.

Queues and database have names of their own, and are gone afterwards.
"""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pika
import psycopg2

from levity_ws.rpc.topology import declarations

__all__ = ["BorrowedBroker", "BorrowedDatabase"]


class BorrowedBroker:
    """The RabbitMQ at this URL; see `Broker` for what it can do."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url, self._prefix = url, prefix
        self.port = urlsplit(url).port or 5672

    def start(self) -> None:
        """It runs already."""

    def url(self, port: int | None = None) -> str:
        """Where it listens, or behind the wire on this port."""
        return _moved(self._url, port)

    @contextlib.contextmanager
    def open(self) -> Iterator[Any]:
        """A channel."""
        with pika.BlockingConnection(pika.URLParameters(self._url)) as connection:
            yield connection.channel()

    def consumers(self, queue: str) -> int:
        """How many workers listen to this queue."""
        try:
            with self.open() as channel:
                return int(channel.queue_declare(queue, passive=True).method.consumer_count)
        except pika.exceptions.AMQPError:
            return 0

    def depth(self, queue: str) -> int:
        """How many messages lie ready in this queue."""
        with self.open() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def close(self) -> None:
        """Delete our queues."""
        with self.open() as channel:
            for queue in declarations(self._prefix):
                channel.queue_delete(queue.name)


class BorrowedDatabase:
    """A database of our own on the Postgres at this URL; see `Database` for what it can do."""

    def __init__(self, url: str) -> None:
        self._server = url
        self.name = f"levity_soak_{uuid.uuid4().hex[:12]}"
        self.port = urlsplit(url).port or 5432

    def start(self) -> None:
        """Make the database."""
        self._execute(f'CREATE DATABASE "{self.name}"')

    def url(self, port: int | None = None) -> str:
        """Where it is, or behind the wire on this port."""
        moved = urlsplit(_moved(self._server, port))
        return urlunsplit(moved._replace(path=f"/{self.name}"))

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query yields."""
        with contextlib.closing(psycopg2.connect(self.url())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                found: list[tuple[Any, ...]] = cursor.fetchall()
                return found

    def close(self) -> None:
        """Drop the database."""
        self._execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with contextlib.closing(psycopg2.connect(self._server)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


def _moved(url: str, port: int | None) -> str:
    """The same URL at this port of this machine."""
    if port is None:
        return url
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    netloc = f"{login}@127.0.0.1:{port}" if login else f"127.0.0.1:{port}"
    return urlunsplit(parts._replace(netloc=netloc))
