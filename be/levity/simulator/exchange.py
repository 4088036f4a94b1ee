"""Calls and answers on one connection: one outstanding each way (OCPP-J 1.6, 4.1.1)."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import orjson

from levity.simulator.statistics import Statistics
from levity.simulator.wire import Answer, Link, LinkClosedError, Outcome

__all__ = ["Exchange"]


class Exchange:
    """Sends this charger's Calls, and hands the central system's to `answer`.

    `answer(unique_id, action, payload)` runs in a task of its own, so that a slow answer never
    holds up the charger's own Calls.
    """

    def __init__(
        self,
        link: Link,
        answer: Callable[[str, str, dict[str, Any]], Awaitable[None]],
        statistics: Statistics,
    ) -> None:
        self.link = link
        self._answer = answer
        self._statistics = statistics
        self._outstanding: tuple[str, asyncio.Future[Answer]] | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def call(self, unique_id: str, action: str, frame: str, patience: float) -> Answer:
        """Send one Call and wait at most `patience` real seconds for what comes of it."""
        if self._outstanding is not None:
            raise RuntimeError("a second Call before the first was answered")
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Answer] = loop.create_future()
        self._outstanding = (unique_id, waiting)
        begun = perf_counter()
        try:
            await self.link.send(frame)
            async with asyncio.timeout(patience):
                answer = await waiting
        except LinkClosedError:
            return Answer(Outcome.LOST)
        except TimeoutError:
            return Answer(Outcome.TIMEOUT)
        finally:
            self._outstanding = None
        if answer.outcome in (Outcome.RESULT, Outcome.ERROR):
            took = perf_counter() - begun
            self._statistics.latency.add(took)
            self._statistics.latency_of[action].add(took)
        return answer

    async def run(self) -> LinkClosedError:
        """Read until the connection is gone; returns how it went."""
        try:
            while True:
                self._take(await self.link.recv())
        except LinkClosedError as closed:
            return closed
        finally:
            if self._outstanding is not None and not self._outstanding[1].done():
                self._outstanding[1].set_result(Answer(Outcome.LOST))
            for task in self._answering:
                task.cancel()

    def _take(self, text: str) -> None:
        try:
            frame = orjson.loads(text)
            match frame:
                case [2, str(unique_id), str(action), dict(payload)]:
                    self._statistics.calls_received[action] += 1
                    task = asyncio.ensure_future(self._answer(unique_id, action, payload))
                    self._answering.add(task)
                    task.add_done_callback(self._answered)
                    return
                case [3, str(unique_id), dict(payload)]:
                    answer = Answer(Outcome.RESULT, payload)
                case [4, str(unique_id), str(code), str(description), *_]:
                    answer = Answer(Outcome.ERROR, None, code, description)
                case _:
                    raise ValueError("no OCPP-J frame")
        except ValueError:
            self._statistics.bad_frames += 1
            return
        outstanding = self._outstanding
        if outstanding is None or outstanding[0] != unique_id or outstanding[1].done():
            # OCPP-J 1.6, 4.1.1: an answer that comes after the time-out answers nothing.
            self._statistics.bad_frames += 1
            return
        outstanding[1].set_result(answer)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._answering.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # A reply that met a closed connection needs no word; anything else is our own bug.
            error = task.exception()
            if error is not None and not isinstance(error, LinkClosedError):
                task.get_loop().call_exception_handler(
                    {"message": "answering a Call failed", "exception": error, "task": task}
                )
