"""The direct transport: the lives' steps, in world time, through the real pipeline in this process.

The pipeline is told when each event passed the edge and what time it is, so days take seconds.
"""

import heapq
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import orjson

from levity.ocpp.worker.pipeline import Pipeline
from levity_lab.oracle.lives import Life, Ref, Step
from levity_ws.rpc.envelope import (
    Authenticate,
    Batch,
    Connected,
    Disconnected,
    Event,
    Received,
    Send,
    decode_batch,
    encode_batch,
)

__all__ = ["Direct", "Moment", "noted", "resolved"]

Moment = tuple[float, Callable[[], None]]
_EDGE = "oracle"
_WINDOW = 20.0
"""Seconds of the world that one batch may hold, and how many frames."""
_AT_ONCE = 60


class _Line:
    """The websockets of one charger."""

    def __init__(self, life: Life, rng: Random) -> None:
        self.life = life
        self.steps = life.steps()
        self.rng = rng
        self.open = ["", ""]
        self.seq: dict[str, int] = {}
        self.count = 0
        self.at = 0.0

    def common(self, socket: int, at: float) -> dict[str, Any]:
        connection = self.open[socket]
        seq = self.seq[connection] = self.seq.get(connection, -1) + 1
        return {
            "charge_point": self.life.identity,
            "connection": connection,
            "seq": seq,
            "at": at,
        }

    def connects(self, socket: int, at: float) -> list[Event]:
        events: list[Event] = []
        if self.open[socket]:
            events.append(Disconnected(**self.common(socket, at)))
        self.open[socket] = str(UUID(int=self.rng.getrandbits(128), version=4))
        if self.life.make.counter:
            self.count = 0
        path = f"/ws/{self.life.identity}"
        events.append(Authenticate(**self.common(socket, at), path=path))
        events.append(Connected(**self.common(socket, at)))
        return events

    def next_id(self) -> str:
        if self.life.wraps:
            self.count = (self.count + 1) % self.life.wraps
            return str(self.count)
        if self.life.make.counter:
            self.count += 1
            return str(self.count)
        return str(UUID(int=self.rng.getrandbits(128), version=4))


class Direct:
    """Plays lives; what was answered is noted in their sessions and journals."""

    def __init__(self, seed: object, say: Callable[[str], object]) -> None:
        self._pipeline = Pipeline()
        self._rng = Random(f"{seed} direct")
        self._say = say
        self.frames = 0
        self.errors: dict[str, int] = {}

    def play(self, lives: Sequence[Life], moments: Sequence[Moment] = ()) -> None:
        """All of their steps, whatever happens to be due together in one batch.

        At each of the moments something is done to the database; the worker begins anew then.
        """
        later_on = list(moments)
        lines = [_Line(life, Random(f"{life.identity} line")) for life in lives]
        due = [(line.steps[0].at, number, 0) for number, line in enumerate(lines) if line.steps]
        heapq.heapify(due)
        while due:
            if later_on and due[0][0] >= later_on[0][0]:
                later_on.pop(0)[1]()
                self._pipeline = Pipeline()
            until = due[0][0] + _WINDOW
            taken: dict[int, int] = {}
            later: list[tuple[float, int, int]] = []
            size = self._rng.choice((1, 5, _AT_ONCE, _AT_ONCE))
            while due and due[0][0] < until and len(taken) < size:
                _, number, at = heapq.heappop(due)
                taken[number] = at
            self._batch([(lines[number], lines[number].steps[at]) for number, at in taken.items()])
            for number, at in taken.items():
                if at + 1 < len(lines[number].steps):
                    # A charger sends the next one when it has its answer, not before.
                    moment = max(lines[number].steps[at + 1].at, lines[number].at + 0.05)
                    later.append((moment, number, at + 1))
            for each in later:
                heapq.heappush(due, each)

    def _batch(self, steps: list[tuple[_Line, Step]]) -> None:
        events: list[Event] = []
        waiting: dict[tuple[str, str], tuple[_Line, Step, str]] = {}
        for line, step in steps:
            line.at = at = max(step.at, line.at + 0.05)
            socket = step.socket
            if step.action == "connect":
                events += line.connects(socket, at)
                continue
            if not line.open[socket]:
                events += line.connects(socket, at)
            unique_id = step.unique_id or line.next_id()
            payload = resolved(step.payload, line.life.make.unknown_id)
            if step.session and step.action in ("StartTransaction", "StopTransaction"):
                step.session.told.append(payload)
            frame = orjson.dumps([2, unique_id, step.action, payload]).decode()
            events.append(Received(**line.common(socket, at), text=frame))
            waiting[line.open[socket], unique_id] = line, step, frame
        self.frames += len(waiting)
        body = encode_batch(Batch(_EDGE, str(UUID(int=self._rng.getrandbits(128))), tuple(events)))
        now = datetime.fromtimestamp(max(event.at for event in events) + 0.02, UTC)
        sent = self._pipeline.take(decode_batch(body), _EDGE, now=now).reply.commands
        if self._rng.random() < 0.02:
            # Its worker has died before it said so: another takes the batch, and answers.
            sent = self._pipeline.take(decode_batch(body), _EDGE, 1, now).reply.commands
        for command in sent:
            if isinstance(command, Send):
                self._hear(command, waiting)
        for line, step, frame in waiting.values():
            line.life.journal.append((line.at, step.socket, frame, "no answer"))

    def _hear(self, command: Send, waiting: dict[tuple[str, str], tuple[_Line, Step, str]]) -> None:
        answer = orjson.loads(command.text)
        found = waiting.pop((command.connection, str(answer[1])), None)
        if answer[0] == 2 or found is None:
            return
        line, step, frame = found
        line.life.journal.append(
            noted(step, line.at, step.socket, frame, command.text, self.errors)
        )


def noted(
    step: Step, at: float, socket: int, frame: str, answer: str, errors: dict[str, int]
) -> tuple[float, int, str, str]:
    """What this answer means to its session; and the entry in the journal."""
    entry = at, socket, frame, answer + ("" if step.heard else " (not heard)")
    told = orjson.loads(answer)
    session = step.session
    if told[0] == 4:
        errors[str(told[2])] = errors.get(str(told[2]), 0) + 1
    elif session is not None:
        session.acknowledged.add(step.action)
        if step.action == "StartTransaction":
            session.ids.append(told[2]["transactionId"])
            if step.heard:
                session.known_id = told[2]["transactionId"]
    return entry


def resolved(payload: dict[str, Any], unknown_id: int | None) -> dict[str, Any]:
    """The payload with the transactionIds that the charger knows by now."""
    return {
        name: (value.session.known_id if value.session.known_id is not None else unknown_id)
        if isinstance(value, Ref)
        else value
        for name, value in payload.items()
    }
