"""One charger on real websockets: it plays the steps of its life, and waits for each answer."""

import asyncio
import contextlib
from random import Random
from typing import Any
from uuid import UUID

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from levity_lab.oracle.direct import noted, resolved
from levity_lab.oracle.lives import Life, Step
from levity_lab.oracle.wired.clock import WorldClock

__all__ = ["Charger"]

_ANSWER, _OPEN = 12.0, 5.0
"""Seconds of ours that it waits for an answer, and for a connection."""
_LEDGER = ("StartTransaction", "StopTransaction", "MeterValues")


class Charger:
    """Plays one life; `frames` counts what it sent."""

    def __init__(self, life: Life, clock: WorldClock, ports: list[int]) -> None:
        self.life = life
        self.frames = 0
        self.errors: dict[str, int] = {}
        self._clock = clock
        self._ports = ports
        self._rng = Random(f"{life.identity} wired")
        self._sockets: list[ClientConnection | None] = [None, None]
        self._reading: list[asyncio.Task[None] | None] = [None, None]
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._count = 0
        self._same_id = self._rng.random() < 0.5
        """Its repetitions have the same message id."""

    async def play(self) -> None:
        """All of its steps, each when it is due and the one before is answered."""
        try:
            for step in self.life.steps():
                await asyncio.sleep(self._clock.until(step.at))
                if step.action == "connect":
                    await self._connect(step.socket)
                else:
                    await self._call(step)
        finally:
            for number in (0, 1):
                self._drop(number)

    async def _call(self, step: Step) -> None:
        unique_id = step.unique_id or self._next_id()
        payload = resolved(step.payload, self.life.make.unknown_id)
        session = step.session
        if session and step.action in ("StartTransaction", "StopTransaction"):
            session.told.append(payload)
        while True:
            frame = orjson.dumps([2, unique_id, step.action, payload]).decode()
            answer = await self._ask(step.socket, unique_id, frame)
            entry = self._clock.now(), step.socket, frame
            if answer is not None:
                self.life.journal.append(noted(step, *entry, answer, self.errors))
                return
            self.life.journal.append((*entry, "no answer"))
            self._drop(step.socket)
            if step.action not in _LEDGER:
                return
            if not self._same_id:
                unique_id = self._next_id()

    async def _ask(self, socket: int, unique_id: str, frame: str) -> str | None:
        """The answer; None where the connection ends first, or it takes too long."""
        connection = self._sockets[socket] or await self._connect(socket)
        waiting = self._waiting[unique_id] = asyncio.get_running_loop().create_future()
        self.frames += 1
        try:
            await connection.send(frame)
            async with asyncio.timeout(_ANSWER):
                return await waiting
        except (ConnectionClosed, TimeoutError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and not waiting.cancelled():
                raise
            return None
        finally:
            self._waiting.pop(unique_id, None)

    async def _connect(self, number: int) -> ClientConnection:
        """A new websocket, however long it takes."""
        self._drop(number)
        while True:
            port = self._rng.choice(self._ports)
            url = f"ws://127.0.0.1:{port}/ws/{self.life.identity}"
            try:
                connection = await connect(
                    url,
                    subprotocols=["ocpp1.6"],  # type: ignore[list-item]
                    compression=None,
                    ping_interval=None,
                    open_timeout=_OPEN,
                    proxy=None,
                )
            except (OSError, InvalidHandshake, TimeoutError, EOFError, ConnectionClosed):
                await asyncio.sleep(self._rng.uniform(0.2, 1.5))
                continue
            if self.life.make.counter:
                self._count = 0
            self._sockets[number] = connection
            self._reading[number] = asyncio.create_task(self._read(number, connection))
            return connection

    async def _read(self, number: int, connection: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in connection:
                frame: list[Any] = orjson.loads(text)
                if frame[0] == 2:
                    refusal = [4, frame[1], "NotSupported", "", {}]
                    await connection.send(orjson.dumps(refusal).decode())
                elif (waiting := self._waiting.get(str(frame[1]))) and not waiting.done():
                    waiting.set_result(str(text))
        if self._sockets[number] is connection:
            self._sockets[number] = None
            for waiting in self._waiting.values():
                waiting.cancel()

    def _drop(self, number: int) -> None:
        """As by a lost line: no close frame."""
        connection, reading = self._sockets[number], self._reading[number]
        self._sockets[number] = self._reading[number] = None
        if reading is not None:
            reading.cancel()
        if connection is not None:
            connection.transport.abort()

    def _next_id(self) -> str:
        if self.life.wraps:
            self._count = (self._count + 1) % self.life.wraps
            return str(self._count)
        if self.life.make.counter:
            self._count += 1
            return str(self._count)
        return str(UUID(int=self._rng.getrandbits(128), version=4))
