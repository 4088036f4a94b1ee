"""What the tests know of RabbitMQ: an isolated set of queues, and a proxy that can cut the wire."""

import os
import random
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pika

from levity_ws.rpc.topology import DEFAULT_URL, declarations

__all__ = ["AMQP_URL", "Queues", "TcpProxy", "isolated_queues", "unused_port"]

# AMQP 0-9-1, 4.2.3 and 4.2.7: frame type 8, channel 0, no payload, end mark.
_HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"

AMQP_URL = os.environ.get("AMQP_URL", DEFAULT_URL)


@dataclass(frozen=True, slots=True)
class Queues:
    """A prefix of its own on the broker, so that tests never meet."""

    prefix: str

    def depth(self, index: int = 1) -> int:
        """How many batches lie ready: in the rpc queue (1) or among the dead letters (0)."""
        with pika.BlockingConnection(pika.URLParameters(AMQP_URL)) as connection:
            name = declarations(self.prefix)[index].name
            frame = connection.channel().queue_declare(name, passive=True)
            return int(frame.method.message_count)

    def consumers(self) -> int:
        """How many workers listen to the rpc queue."""
        with pika.BlockingConnection(pika.URLParameters(AMQP_URL)) as connection:
            name = declarations(self.prefix)[1].name
            frame = connection.channel().queue_declare(name, passive=True)
            return int(frame.method.consumer_count)

    def put(self, body: bytes) -> None:
        """Publish these bytes to the rpc queue, whatever they are."""
        with pika.BlockingConnection(pika.URLParameters(AMQP_URL)) as connection:
            connection.channel().basic_publish("", declarations(self.prefix)[1].name, body)

    def delete(self) -> None:
        """Take the queues away."""
        with pika.BlockingConnection(pika.URLParameters(AMQP_URL)) as connection:
            channel = connection.channel()
            for queue in declarations(self.prefix):
                channel.queue_delete(queue.name)


@contextmanager
def isolated_queues() -> Iterator[Queues]:
    """A fresh prefix; what was declared under it is deleted afterwards."""
    queues = Queues(f"levity-test-{uuid.uuid4().hex[:12]}")
    try:
        yield queues
    finally:
        queues.delete()


def unused_port() -> int:
    """A port on which nobody listens now, and which no client of any test is given meanwhile.

    What the system gives to clients begins at 32768 (Linux) or 49152: one of those may be taken
    again before its server is up, or while the server is restarted.
    """
    while True:
        port = random.randrange(16_384, 32_768)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class TcpProxy:
    """Forwards one port to the broker until told to cut, and may put bytes of its own in between.

    `cut` resets every connection and refuses new ones until `heal`. `connections` counts those let
    through, `heartbeats` what their clients sent to stay alive.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open = True
        self.connections = 0
        self.heartbeats = 0
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if not self._open:
                client.close()
                continue
            upstream = socket.create_connection(self._target)
            self.connections += 1
            with self._lock:
                self._pairs.append((client, upstream))
            threading.Thread(target=self._pump, args=(client, upstream, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(upstream, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if from_client:
                    self.heartbeats += data.count(_HEARTBEAT)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def inject_to_clients(self, data: bytes) -> None:
        """Say this to every client as if the broker had said it (the wire must be idle)."""
        with self._lock:
            for client, _ in self._pairs:
                with suppress(OSError):
                    client.sendall(data)

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._open = False
        self.break_connections()

    def break_connections(self) -> None:
        """Break every connection that stands now."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def heal(self) -> None:
        """Let connections through again."""
        self._open = True

    def close(self) -> None:
        """Let go of the port."""
        self._server.close()
        self.break_connections()
