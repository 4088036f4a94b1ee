"""Plays the charger's half of a conversation against any central system, over real websockets."""

import asyncio
import base64
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from levity.ocpp.conversation.lines import Line, head_of
from levity.ocpp.conversation.script import (
    Answer,
    Difference,
    Script,
    Step,
    Times,
    TransactionIds,
    difference,
)
from levity_ws.closing import is_sendable

__all__ = ["CannotConnectError", "Player", "Summary"]

NO_CLOSE_FRAME = CloseCode.ABNORMAL_CLOSURE
CALL = 2


class CannotConnectError(Exception):
    """The server can't be reached, or refuses what it did not refuse when it was recorded."""


@dataclass(slots=True)
class Summary:
    """What came of it."""

    connections: int = 0
    sent: int = 0
    answered: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    """Calls of the server by action."""
    differences: list[Difference] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(slots=True)
class _Open:
    """A connection that is open, with what it waits for."""

    socket: ClientConnection
    reader: "asyncio.Task[None]"
    answers: "asyncio.Queue[str]"
    """The server's CALLRESULTs and CALLERRORs."""


class Player:
    """Plays one script once. `speed` 0: no waiting for the recorded moments."""

    def __init__(
        self,
        url: str,
        identity: str,
        script: Script,
        *,
        speed: float = 1.0,
        timeout: float = 30.0,
        patience: float = 3.0,
        password: str | None = None,
        keep_times: bool = False,
        progress: Callable[[str], object] = lambda _: None,
    ) -> None:
        if urlsplit(url).scheme not in ("ws", "wss") or not urlsplit(url).hostname:
            raise ValueError(f"{url!r} is no websocket URL; it should look like ws://host:9000/ws")
        self.address = f"{url.rstrip('/')}/{quote(identity, safe='')}"
        self.identity, self.script = identity, script
        self.speed, self.timeout, self.patience = speed, timeout, patience
        self.password, self.progress = password, progress
        self.summary = Summary()
        self._ids, self._times = TransactionIds(), None if keep_times else Times()
        self._open: dict[int, _Open] = {}
        self._lost: set[int] = set()
        self._asked: dict[str, int] = {}
        """Calls of the server that came and that no step has waited for yet, by action."""
        self._news = asyncio.Condition()
        self._errands: set[asyncio.Task[None]] = set()

    async def play(self) -> Summary:
        """All steps; what differed. Raises `CannotConnectError`."""
        steps = self.script.steps
        begun = asyncio.get_running_loop().time()
        try:
            for place, step in enumerate(steps):
                if self.speed:
                    passed = (step.line.at - steps[0].line.at).total_seconds() / self.speed
                    await asyncio.sleep(begun + passed - asyncio.get_running_loop().time())
                self.progress(f"{place + 1}/{len(steps)} {step.kind} {step.action}".rstrip())
                await self._take(step)
        finally:
            for number in list(self._open):
                await self._leave(number, CloseCode.NORMAL_CLOSURE)
        return self.summary

    async def _take(self, step: Step) -> None:
        number = step.line.connection
        if step.kind == "connect":
            self._lost.discard(number)
            self._open[number] = await self._connect(step)
            self.summary.connections += 1
        elif step.kind == "refused":
            await self._be_refused(step)
        elif step.kind == "disconnect":
            await self._leave(number, step.line.code or NO_CLOSE_FRAME)
        elif number in self._open:
            try:
                await (self._await(step) if step.kind == "await" else self._send(step))
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else NO_CLOSE_FRAME
                self._differs(step, f"the server closed the connection ({code})")
                await self._leave(number, NO_CLOSE_FRAME)
                self._lost.add(number)

    async def _send(self, step: Step) -> None:
        there = self._open[step.line.connection]
        while not there.answers.empty():
            # To a frame that was not answered when it was recorded.
            there.answers.get_nowait()
        text = self._ids.translated(step.line.text)
        if self._times is not None:
            text = self._times.translated(text, step.line.at, datetime.now(UTC))
        await there.socket.send(text)
        self.summary.sent += 1
        if step.recorded is None and not step.is_call:
            return
        # Not answered at the time: then the charger did not wait for it either.
        patience = self.timeout if step.recorded else min(self.timeout, self.patience)
        answer = await self._answer(there, patience)
        if answer is None and there.reader.done():
            await there.socket.recv()  # says how it was closed
        self.summary.answered += answer is not None
        if answer is not None and not self._ids.learn(step.recorded, answer):
            self._differs(step, f"another transactionId than before: {answer}")
        if found := difference(step, answer):
            self.summary.differences.append(found)

    async def _answer(self, there: _Open, patience: float) -> str | None:
        """The next answer of the server; None if none comes, or if the connection is gone."""
        coming = asyncio.ensure_future(there.answers.get())
        await asyncio.wait(
            (coming, there.reader), timeout=patience, return_when=asyncio.FIRST_COMPLETED
        )
        if coming.done():
            return coming.result()
        coming.cancel()
        return None

    async def _await(self, step: Step) -> None:
        """Until the server has asked what it was recorded to ask here."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience), self._news:
                await self._news.wait_for(lambda: self._asked.get(step.action, 0) > 0)
        if self._asked.get(step.action, 0) > 0:
            self._asked[step.action] -= 1
        else:
            self._differs(step, "no such Call")

    async def _listen(self, number: int, socket: ClientConnection, answers: Any) -> None:
        with suppress(ConnectionClosed):
            async for frame in socket:
                text = frame if isinstance(frame, str) else frame.decode(errors="replace")
                kind, unique_id, action = head_of(text)
                if kind != CALL:
                    answers.put_nowait(text)
                    continue
                errand = asyncio.ensure_future(self._reply(number, socket, unique_id, action))
                self._errands.add(errand)
                errand.add_done_callback(self._errands.discard)

    async def _reply(
        self, number: int, socket: ClientConnection, unique_id: str, action: str
    ) -> None:
        self.summary.calls[action] = self.summary.calls.get(action, 0) + 1
        try:
            recorded: Answer | None = self.script.answer_to(action)
        except KeyError:
            recorded = Answer('[4,"","NotSupported","not in the recording",{}]', "", 0.0)
        if recorded is not None:
            if self.speed:
                await asyncio.sleep(recorded.after / self.speed)
            with suppress(ConnectionClosed):
                await socket.send(self._ids.translated(recorded.to(unique_id)))
        async with self._news:
            self._asked[action] = self._asked.get(action, 0) + 1
            self._news.notify_all()

    async def _connect(self, step: Step) -> _Open:
        try:
            socket = await self._dial(step.line.subprotocol)
        except InvalidStatus as refused:
            raise CannotConnectError(
                f"{self.address}: the server answered HTTP {refused.response.status_code}"
            ) from refused
        except (OSError, TimeoutError, WebSocketException) as error:
            raise CannotConnectError(f"{self.address}: {error or type(error).__name__}") from error
        answers: asyncio.Queue[str] = asyncio.Queue()
        reader = asyncio.ensure_future(self._listen(step.line.connection, socket, answers))
        return _Open(socket, reader, answers)

    async def _be_refused(self, step: Step) -> None:
        try:
            socket = await self._dial(step.line.subprotocol, step.line)
        except InvalidStatus:
            return
        except (OSError, TimeoutError, WebSocketException) as error:
            raise CannotConnectError(f"{self.address}: {error or type(error).__name__}") from error
        await socket.close()
        self._differs(step, "connected")

    async def _dial(self, subprotocols: str, line: Line | None = None) -> ClientConnection:
        headers = {}
        if self.password is not None:
            login = base64.b64encode(f"{self.identity}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        if line and line.origin:
            headers["Origin"] = line.origin
        offered = [Subprotocol(name.strip()) for name in subprotocols.split(",") if name.strip()]
        user_agent = line.user_agent if line else self._user_agent()
        return await connect(
            self.address,
            subprotocols=offered or None,
            user_agent_header=user_agent or None,
            additional_headers=headers,
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=self.timeout,
            close_timeout=2,
            max_size=2**20,
        )

    def _user_agent(self) -> str:
        """The first one that was recorded: a charger has one."""
        agents = (item.line.user_agent for item in self.script.steps if item.kind == "connect")
        return next((agent for agent in agents if agent), "")

    async def _leave(self, number: int, code: int) -> None:
        """End a connection as it was ended, if it is still there."""
        there = self._open.pop(number, None)
        if there is None:
            return
        if code == NO_CLOSE_FRAME:
            there.socket.transport.abort()
        else:
            # 1005 and its like say what nobody sent; they can't be sent.
            with suppress(WebSocketException, OSError):
                await there.socket.close(code if is_sendable(code) else CloseCode.NORMAL_CLOSURE)
        await there.socket.wait_closed()
        await asyncio.gather(there.reader, return_exceptions=True)

    def _differs(self, step: Step, received: str) -> None:
        before = {"await": f"Call {step.action}", "refused": "refused"}.get(step.kind)
        recorded = before or (step.recorded.text if step.recorded else "no answer")
        self.summary.differences.append(
            Difference(step.line.number, step.action, recorded, received)
        )
