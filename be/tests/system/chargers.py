"""The independent charger of the PyPI package `ocpp`: another author's reading of OCPP 1.6.

It checks every answer and every Call of ours against the official schemas.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ocpp.exceptions import InternalError
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

__all__ = ["Asked", "IndependentCharger", "independent_charger", "plug_in"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A Call that reached the charger, and when, on the event loop's clock."""

    action: str
    payload: dict[str, Any]
    at: float


@dataclass
class Habits:
    """How it answers: a status by action, `error` for a CALLERROR, `silence` for nothing."""

    answers: dict[str, str] = field(default_factory=dict)
    hold: asyncio.Event | None = None


class IndependentCharger(ChargePoint):
    """Does what it is asked, unless its habits say otherwise, and remembers it."""

    def __init__(self, identity: str, socket: ClientConnection) -> None:
        super().__init__(identity, socket)
        self.socket = socket
        self.asked: list[Asked] = []
        self.dealt_with = 0
        self.habits = Habits()
        self.outstanding = self.most_outstanding = 0
        self._news = asyncio.Condition()

    async def until_asked(self, count: int, within: float = 15.0) -> list[Asked]:
        """Wait until so many Calls have come."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: len(self.asked) >= count)
        return self.asked

    async def until_answered(self, count: int, within: float = 15.0) -> list[Asked]:
        """Wait until so many Calls have their answer on its way: what is sent now follows it."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: self.dealt_with >= count)
        return self.asked

    async def route_message(self, raw_msg: str) -> None:
        before = len(self.asked)
        await super().route_message(raw_msg)
        if len(self.asked) > before:
            async with self._news:
                self.dealt_with += 1
                self._news.notify_all()

    async def _take(self, action: str, payload: dict[str, Any]) -> str:
        self.outstanding += 1
        self.most_outstanding = max(self.most_outstanding, self.outstanding)
        self.asked.append(Asked(action, payload, asyncio.get_running_loop().time()))
        async with self._news:
            self._news.notify_all()
        if self.habits.hold is not None:
            await self.habits.hold.wait()
        self.outstanding -= 1
        answer = self.habits.answers.get(action, "Accepted")
        if answer == "error":
            raise InternalError("the relay is stuck")
        if answer == "silence":
            await asyncio.Event().wait()
        return answer

    @on("RemoteStartTransaction")
    async def on_remote_start(self, **payload: Any) -> call_result.RemoteStartTransaction:
        status = await self._take("RemoteStartTransaction", payload)
        return call_result.RemoteStartTransaction(status=status)

    @on("Reset")
    async def on_reset(self, **payload: Any) -> call_result.Reset:
        return call_result.Reset(status=await self._take("Reset", payload))

    @on("ChangeConfiguration")
    async def on_change_configuration(self, **payload: Any) -> call_result.ChangeConfiguration:
        status = await self._take("ChangeConfiguration", payload)
        return call_result.ChangeConfiguration(status=status)

    @on("ExtendedTriggerMessage")
    async def on_trigger(self, **payload: Any) -> call_result.ExtendedTriggerMessage:
        status = await self._take("ExtendedTriggerMessage", payload)
        return call_result.ExtendedTriggerMessage(status=status)

    @on("CertificateSigned")
    async def on_certificate_signed(self, **payload: Any) -> call_result.CertificateSigned:
        status = await self._take("CertificateSigned", payload)
        return call_result.CertificateSigned(status=status)


@asynccontextmanager
async def independent_charger(
    url: str, identity: str, **options: Any
) -> AsyncIterator[IndependentCharger]:
    """Connected, listening to the central system until the block ends."""
    options = {"subprotocols": ["ocpp1.6"], "proxy": None, **options}
    async with connect(f"{url}/{identity}", **options) as socket:
        charger = IndependentCharger(identity, socket)
        listening = asyncio.ensure_future(charger.start())
        try:
            yield charger
        finally:
            await socket.close()
            listening.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await listening


async def plug_in(charger: IndependentCharger, at: str) -> None:
    """Boot, and a car at connector 1."""
    await charger.call(call.BootNotification("Model S1", "Independent"))
    await charger.call(call.StatusNotification(1, "NoError", "Preparing", timestamp=at))
