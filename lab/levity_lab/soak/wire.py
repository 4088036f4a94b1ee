"""A TCP wire between any two parts, on which things go wrong: asyncio, no privileges needed."""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, replace
from random import Random

__all__ = ["GOOD", "Trouble", "Wire"]

CHUNK = 16 * 1024
# What a lost segment costs the two ends of a TCP connection: Linux retransmits after 200 ms at
# least, and waits twice as long each time it is lost again (RFC 6298).
RETRANSMISSION = 0.2


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a wire. Shares are 0 to 1, of each piece of up to 16 KB."""

    latency: float = 0.0
    """Seconds that each piece takes longer, each way."""
    loss: float = 0.0
    """Pieces that have to be sent again: TCP hides the loss and shows a pause."""
    reset: float = 0.0
    """Pieces at which the connection breaks (RST)."""
    rate: float = 0.0
    """Bytes a second, each way; 0 is no limit."""
    stalled: bool = False
    """Nothing passes, and nobody is told: a half-open connection."""
    refused: bool = False
    """New connections are refused."""


GOOD = Trouble()


@dataclass(eq=False, slots=True)
class _Pair:
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    abandoned: bool = False


class Wire:
    """Listens on `port` and passes on to `target`; `trouble` may be changed at any time."""

    def __init__(self, name: str, target: int, chance: Random) -> None:
        self.name = name
        self.target = target
        self.port = 0
        self._trouble = GOOD
        self._changed = asyncio.Event()
        self._chance = chance
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.connections = 0

    async def open(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=1024)
        self.port = int(self._server.sockets[0].getsockname()[1])

    @property
    def trouble(self) -> Trouble:
        """What is wrong now."""
        return self._trouble

    @trouble.setter
    def trouble(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._changed.set()
        self._changed = asyncio.Event()

    def cut(self) -> None:
        """Break every connection (RST both ways) and refuse new ones, until `heal`."""
        self.trouble = replace(self._trouble, refused=True)
        self.break_all()

    def break_all(self) -> None:
        """Break every connection that stands now; new ones are welcome."""
        for pair in tuple(self._pairs):
            for end in (pair.near, pair.far):
                if end is not None:
                    _reset(end)

    def abandon(self) -> int:
        """The near ends go without a word, and the far ends never hear of it: no FIN, no RST.

        Until `heal` (or for ever, if nobody calls it) the far sockets stay open and silent. How
        many they were.
        """
        abandoned = 0
        for pair in tuple(self._pairs):
            if pair.far is not None and not pair.abandoned:
                pair.abandoned = True
                abandoned += 1
            _reset(pair.near)
        return abandoned

    def heal(self) -> None:
        """All is well again; what was abandoned breaks at last."""
        self.trouble = GOOD
        for pair in tuple(self._pairs):
            if pair.abandoned and pair.far is not None:
                _reset(pair.far)
                self._pairs.discard(pair)

    async def close(self) -> None:
        """Stop listening, and break everything."""
        if self._server is not None:
            self._server.close()
        self.break_all()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._trouble.refused:
            _reset(writer)
            return
        self.connections += 1
        pair = _Pair(writer)
        self._pairs.add(pair)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # A stalled wire takes the SYN of nobody: the other side does not know of this one.
            await self._passable()
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
            pair.far = far
            await self._both_ways(pair, reader, far_reader)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            _reset(writer)
            if not pair.abandoned:
                self._pairs.discard(pair)
            if pair.far is not None and not pair.abandoned:
                _reset(pair.far)

    async def _both_ways(
        self, pair: _Pair, near: asyncio.StreamReader, far: asyncio.StreamReader
    ) -> None:
        assert pair.far is not None
        ways = [
            asyncio.ensure_future(self._pass(pair, near, pair.far)),
            asyncio.ensure_future(self._pass(pair, far, pair.near)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.ALL_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(
        self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._passable()
                await self._delay(len(data))
                await self._passable()
                trouble = self._trouble
                if trouble.reset and self._chance.random() < trouble.reset:
                    raise ConnectionResetError
                writer.write(data)
                await writer.drain()
        except OSError:
            # RST travels on: whoever is at the other end learns of it at once.
            if not pair.abandoned:
                _reset(writer)
            return
        if pair.abandoned:
            return
        with contextlib.suppress(OSError):
            if writer.can_write_eof() and not writer.is_closing():
                writer.write_eof()

    async def _delay(self, size: int) -> None:
        trouble = self._trouble
        pause = trouble.latency
        if trouble.rate:
            pause += size / trouble.rate
        again = RETRANSMISSION
        while trouble.loss and self._chance.random() < trouble.loss:
            pause += again
            again *= 2
        if pause:
            await asyncio.sleep(pause)

    async def _passable(self) -> None:
        while self._trouble.stalled:
            await self._changed.wait()


def _reset(end: asyncio.StreamWriter) -> None:
    """RST, not FIN: the other side hears that something is wrong."""
    raw = end.get_extra_info("socket")
    if raw is not None and not end.transport.is_closing():
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.transport.abort()
