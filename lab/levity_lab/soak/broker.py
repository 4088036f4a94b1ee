"""A RabbitMQ node of our own, on ports and a (small) disk of its own."""

import contextlib
import logging
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika

from levity_lab.soak.disks import Disk
from levity_lab.soak.programs import Programs, SoakError, as_user
from levity_lab.soak.service import Service, free_port, until

__all__ = ["Broker"]

# pika writes what failed with a traceback; what matters is said here.
logging.getLogger("pika").setLevel(logging.CRITICAL)

MEGABYTES = 512
CONFIGURATION = """\
listeners.tcp.local = 127.0.0.1:{port}
disk_free_limit.absolute = 60MB
vm_memory_high_watermark.absolute = 1GB
log.console = true
log.console.level = warning
log.file = false
raft.wal_max_size_bytes = 67108864
"""


class Broker:
    """The node. `ctl` is rabbitmqctl."""

    def __init__(self, programs: Programs, folder: Path, happened: Callable[[str], None]) -> None:
        self.port = free_port()
        self._programs = programs
        self._user = as_user("rabbitmq")
        self.disk = Disk(folder / "rabbitmq", MEGABYTES)
        home = folder / "rabbitmq-home"
        home.mkdir()
        (home / "rabbitmq.conf").write_text(CONFIGURATION.format(port=self.port))
        (home / "enabled_plugins").write_text("[].\n")
        (home / "environment").write_text("")
        for path in (home, self.disk.folder):
            if self._user:
                shutil.chown(path, self._user["user"], self._user["group"])
        self.environ = {
            "PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"soak-{os.getpid()}-{self.port}@localhost",
            "RABBITMQ_CONF_ENV_FILE": str(home / "environment"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.disk.folder),
            "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_DIST_PORT": str(free_port()),
            # An epmd of our own: the one of another RabbitMQ is not ours to use, nor to stop.
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # Two cores are enough, and idle schedulers must not spin beside what is tested.
            "RABBITMQ_SCHEDULER_BIND_TYPE": "u",
            "ERL_MAX_PORTS": "4096",
        }
        # Where epmd starts by itself it stays; started here, it ends with the session it is in.
        self._epmd = Service(
            name="epmd",
            command=lambda: [_epmd(programs)],
            environ=self.environ,
            log=folder / "epmd.log",
            options={"cwd": home, **self._user},
        )
        self.service = Service(
            name="broker",
            command=lambda: [str(programs.rabbitmq / "rabbitmq-server")],
            environ=self.environ,
            log=folder / "rabbitmq.log",
            happened=happened,
            options={"cwd": home, **self._user},
        )
        self._home = home

    def url(self, port: int | None = None) -> str:
        """Where it listens, or behind the wire on this port."""
        return f"amqp://guest:guest@127.0.0.1:{port or self.port}/"

    def start(self) -> None:
        """Start it; returns when it answers."""
        self._epmd.start()
        self.service.start()
        until(self.answers, "RabbitMQ", [self.service], 120)

    def answers(self) -> bool:
        """True if it lets us in."""
        try:
            # pika says with a traceback in the log that nobody listens; ask first.
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            with self.open():
                return True
        except (OSError, pika.exceptions.AMQPError):
            return False

    @contextlib.contextmanager
    def open(self) -> Iterator[Any]:
        """A channel."""
        parameters = pika.URLParameters(
            self.url() + "?socket_timeout=5&blocked_connection_timeout=5"
        )
        connection = pika.BlockingConnection(parameters)
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def depth(self, queue: str) -> int:
        """How many messages lie ready in this queue."""
        with self.open() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def unacknowledged(self, queue: str) -> int:
        """How many messages of this queue workers hold."""
        for line in self.ctl("list_queues", "name", "messages_unacknowledged").splitlines():
            name, _, number = line.partition("\t")
            if name == queue:
                return int(number)
        raise SoakError(f"there is no queue {queue}")

    def consumers(self, queue: str) -> int:
        """How many workers listen to it; 0 where it is not declared yet."""
        try:
            with self.open() as channel:
                return int(channel.queue_declare(queue, passive=True).method.consumer_count)
        except pika.exceptions.AMQPError:
            return 0

    def ctl(self, *arguments: str, check: bool = True) -> str:
        """rabbitmqctl, as the node's own user; SoakError if it fails."""
        command = [str(self._programs.rabbitmq / "rabbitmqctl"), "-q", *arguments]
        done = subprocess.run(  # noqa: S603  # our own command line
            command,
            env=self.environ,
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            **self._user,
        )
        if check and done.returncode:
            raise SoakError(f"rabbitmqctl {' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout

    def close(self) -> None:
        """Stop it, and give the disk back."""
        self.service.stop(seconds=30)
        self.service.kill()
        self._epmd.stop()
        self.disk.close()


def _epmd(programs: Programs) -> str:
    found = shutil.which("epmd") or next(
        (str(path) for path in Path("/usr/lib/erlang").glob("erts-*/bin/epmd")), None
    )
    if found is None:
        raise SoakError(
            "epmd of Erlang is missing. Debian, Ubuntu: sudo apt-get install erlang-base"
        )
    return found
