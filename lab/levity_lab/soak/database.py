"""A Postgres cluster of our own, on a port and a (small) disk of its own."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2

from levity_lab.soak.disks import Disk
from levity_lab.soak.programs import Programs, SoakError, as_user
from levity_lab.soak.service import Service, free_port, until

__all__ = ["Database"]

MEGABYTES = 1024
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "40",
    "shared_buffers": "32MB",
    "min_wal_size": "64MB",
    "max_wal_size": "128MB",
    "wal_keep_size": "0",
    "logging_collector": "off",
    "log_min_messages": "fatal",
    # As in production: what is committed survives a crash.
    "fsync": "on",
    "synchronous_commit": "on",
    # A crash must not need a hand.
    "restart_after_crash": "on",
}


class Database:
    """The cluster, with one database `levity`."""

    def __init__(self, programs: Programs, folder: Path, happened: Callable[[str], None]) -> None:
        self.port = free_port()
        self._programs = programs
        self._user = as_user("postgres")
        self.disk = Disk(folder / "postgres", MEGABYTES)
        data = self.disk.folder / "data"
        self._sockets = folder / "postgres-socket"
        for path in (self.disk.folder, self._sockets, data):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700 if path == data else 0o755)
            if self._user:
                shutil.chown(path, self._user["user"], self._user["group"])
        self._initdb(data)
        options = {**SETTINGS, "port": str(self.port), "unix_socket_directories": self._sockets}
        arguments = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        self._data = data
        self.service = Service(
            name="database",
            command=lambda: [str(programs.postgres / "postgres"), "-D", str(data), *arguments],
            environ={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            log=folder / "postgres.log",
            happened=happened,
            options={"cwd": folder, **self._user},
            # SIGINT is Postgres' fast shutdown: it does not wait for those who are connected.
            stop_signal=signal.SIGINT,
        )

    def _initdb(self, data: Path) -> None:
        command = [str(self._programs.postgres / "initdb"), "-D", str(data), "-U", "levity"]
        command += ["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(  # noqa: S603  # our own command line
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=data.parent,
            **self._user,
        )
        if done.returncode:
            raise SoakError(f"initdb failed:\n{done.stderr}")

    def url(self, port: int | None = None, name: str = "levity") -> str:
        """Where it listens, or behind the wire on this port."""
        return f"postgres://levity@127.0.0.1:{port or self.port}/{name}"

    def start(self) -> None:
        """Start it; returns when it answers, with an empty database."""
        self.service.start()
        until(lambda: self.answers("postgres"), "Postgres", [self.service])
        with self.open("postgres") as cursor:
            cursor.execute("CREATE DATABASE levity")

    def answers(self, name: str = "levity") -> bool:
        """True if it lets us in."""
        try:
            with self.open(name) as cursor:
                cursor.execute("SELECT 1")
        except psycopg2.Error:
            return False
        return True

    @contextlib.contextmanager
    def open(self, name: str = "levity") -> Iterator[Any]:
        """A cursor on a connection of its own, each statement committed at once."""
        connection = psycopg2.connect(
            self.url(name=name), connect_timeout=5, options="-c statement_timeout=60000"
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query yields."""
        with self.open() as cursor:
            cursor.execute(statement, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def backends(self) -> list[int]:
        """The process ids of the sessions of the workers."""
        return [
            pid
            for (pid,) in self.rows(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        ]

    def close(self) -> None:
        """Stop it, and give the disk back."""
        self.service.stop()
        self.disk.close()
