"""Edge and backend as two processes of one machine, joined by a pair of sockets.

What travels is the envelope, each message behind a letter for its kind and its length (four bytes,
big end first). The backend's end feeds a `MemoryBroker`: what a worker has not acknowledged when it
fails is there for the next one. Both ends see at once when the other process is gone; what was on
the way then is asked for again, by the edge or by the chargers.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from levity_ws.rpc.envelope import Batch, Reply, decode_reply, encode_batch
from levity_ws.rpc.memory import MemoryBroker
from levity_ws.rpc.transport import TransportUnavailable

__all__ = ["PipeBackend", "PipeEdgeTransport", "pair", "say_trouble"]

# Bytes that may wait in a reader: more than most batches have.
_LIMIT = 1 << 20
_HEAD = struct.Struct(">cI")
# From the edge: a batch, the port that it listens on, why it can't, what its metrics are.
_BATCH, _PORT, _TROUBLE, _METRICS = b"B", b"P", b"T", b"M"
# From the backend: a reply, and the question for the metrics.
_REPLY, _ASK = b"R", b"A"


def pair() -> tuple[socket.socket, socket.socket]:
    """The backend's end and the edge's."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def _message(kind: bytes, body: bytes) -> bytes:
    return _HEAD.pack(kind, len(body)) + body


async def _next(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """The next message as (kind, body); None when the other process is gone."""
    try:
        kind, length = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        return kind, await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError):
        return None


class PipeEdgeTransport:
    """The edge's end. `on_end` is called when the backend's process is gone; `metrics` says what
    to show when it asks."""

    def __init__(
        self,
        end: socket.socket,
        *,
        on_end: Callable[[], None] = lambda: None,
        metrics: Callable[[], str] = lambda: "",
    ) -> None:
        self._end = end
        self._on_end, self._metrics = on_end, metrics
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def available(self) -> bool:
        """True while the backend's process is there."""
        return self._writer is not None

    async def start(
        self,
        on_reply: Callable[[Reply], None],
        on_connect: Callable[[], None] | None = None,
    ) -> None:
        """See `EdgeTransport.start`. There is one connection, and it stands at once."""
        reader, self._writer = await asyncio.open_connection(sock=self._end, limit=_LIMIT)
        self._task = asyncio.create_task(self._listen(reader, on_reply))
        if on_connect is not None:
            on_connect()

    async def _listen(
        self, reader: asyncio.StreamReader, on_reply: Callable[[Reply], None]
    ) -> None:
        while (message := await _next(reader)) is not None:
            kind, body = message
            if kind == _REPLY:
                on_reply(decode_reply(body))
            elif kind == _ASK:
                self._say(_METRICS, self._metrics().encode())
        await self._let_go()
        self._on_end()

    async def publish(self, batch: Batch) -> None:
        """See `EdgeTransport.publish`."""
        if self._writer is None:
            raise TransportUnavailable("the backend's process is gone")
        self._say(_BATCH, encode_batch(batch))
        try:
            await self._writer.drain()
        except OSError as error:
            raise TransportUnavailable("the backend's process is gone") from error

    def listening(self, port: int) -> None:
        """Tell the backend where chargers connect."""
        self._say(_PORT, str(port).encode())

    def _say(self, kind: bytes, body: bytes) -> None:
        if self._writer is not None:
            self._writer.write(_message(kind, body))

    async def close(self) -> None:
        """See `EdgeTransport.close`."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._let_go()

    async def _let_go(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def say_trouble(end: socket.socket, why: str) -> None:
    """Tell the backend why this edge ends before it began."""
    with contextlib.suppress(OSError):
        end.sendall(_message(_TROUBLE, why.encode()))


class PipeBackend:
    """The backend's end: batches go into `broker`, replies come out of it.

    One for each edge process, on one event loop: `run` returns when that process is gone.
    """

    def __init__(self, broker: MemoryBroker, end: socket.socket) -> None:
        self._broker, self._end = broker, end
        self._loop = asyncio.get_running_loop()
        self._writer: asyncio.StreamWriter | None = None
        self.began: asyncio.Future[int] = self._loop.create_future()
        """The port that the edge listens on; ConnectionError, with the reason, if it can't."""
        self._asked: list[asyncio.Future[str]] = []

    async def run(self) -> None:
        """Pass on what comes, until the edge's process is gone."""
        reader, self._writer = await asyncio.open_connection(sock=self._end, limit=_LIMIT)
        address = self._broker.attach(self._deliver)
        try:
            while (message := await _next(reader)) is not None:
                self._take(*message, address)
        finally:
            self._broker.detach(address)
            writer, self._writer = self._writer, None
            writer.close()
            self._fail("the edge ended without a word")
            for each in self._asked:
                each.cancel()

    def _take(self, kind: bytes, body: bytes, address: str) -> None:
        if kind == _BATCH:
            # Too many wait: the edge asks again.
            with contextlib.suppress(TransportUnavailable):
                self._broker.put(body, address)
        elif kind == _METRICS and self._asked:
            answer = self._asked.pop(0)
            if not answer.done():
                answer.set_result(body.decode())
        elif kind == _PORT and not self.began.done():
            self.began.set_result(int(body))
        elif kind == _TROUBLE:
            self._fail(body.decode())

    def _fail(self, why: str) -> None:
        if not self.began.done():
            self.began.set_exception(ConnectionError(why))

    def _deliver(self, body: bytes) -> bool:
        """For any thread. False if the edge is gone."""
        if self._writer is None:
            return False
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._say, _REPLY, body)
            return True
        return False

    def _say(self, kind: bytes, body: bytes) -> None:
        if self._writer is not None:
            self._writer.write(_message(kind, body))

    async def metrics(self) -> str:
        """What the edge has counted, in Prometheus' text format."""
        if self._writer is None:
            return ""
        answer: asyncio.Future[str] = self._loop.create_future()
        self._asked.append(answer)
        self._say(_ASK, b"")
        return await answer
